import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ZSTDDecoder } from 'zstddec'
import { stillHeld } from '../../test/support/garbage.ts'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { ProxyError } from '../errors.ts'
import { freeMemory } from '../runtime/buffers.ts'
import { readBody, readRawBody } from './request-body.ts'

vi.mock(import('../errors.ts'), { spy: true })
vi.mock(import('../runtime/buffers.ts'), { spy: true })

const LIMITS = { maxBody: 100_000, maxDecodedBody: 200_000 }
/** `printf '{"model":"gpt-5.5"}' | zstd --no-check` */
const ZSTD = Buffer.from('KLUv/QBYmQAAeyJtb2RlbCI6ImdwdC01LjUifQ==', 'base64')
const JSON_BODY = '{"model":"gpt-5.5"}'

let server: Server
let port: number
/** What reading the body of each request came to: its text, or the code of the error. */
let outcomes: string[]
let limits = LIMITS
let read: (request: IncomingMessage) => Promise<Buffer>

beforeEach(async () => {
  outcomes = []
  limits = LIMITS
  read = (request) => readBody(request, limits)
  server = createServer((request, response) => {
    read(request).then(
      (body) => {
        outcomes.push(body.toString('latin1'))
        response.end('ok')
      },
      (error: { code: string; status: number; headers?: object }) => {
        outcomes.push(error.code)
        response.writeHead(error.status, { ...error.headers, connection: 'close' }).end(error.code)
      },
    )
  })
  port = await listenOnLoopback(server)
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

async function post(body: Buffer | string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body, headers })
}

/** A thousand blocks that each repeat one byte 128 KB long (RFC 8878 §3.1.1.2). */
function zstdBomb(): Buffer {
  const block = Buffer.alloc(4)
  block.writeUIntLE((131_072 << 3) | (1 << 1), 0, 3)
  const last = Buffer.from([1, 0, 0])
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]), ...Array(1000).fill(block), last])
}

async function open(head: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
  return socket
}

async function untilOutcome(): Promise<string | undefined> {
  while (outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve))
  return outcomes[0]
}

test('a plain body is read as it is', async () => {
  await post(JSON_BODY)
  expect(outcomes).toEqual([JSON_BODY])
})

test('an empty body is empty', async () => {
  await fetch(`http://127.0.0.1:${port}`)
  expect(outcomes).toEqual([''])
})

test.each([
  ['zstd', ZSTD],
  ['gzip', gzipSync(JSON_BODY)],
  ['x-gzip', gzipSync(JSON_BODY)],
  ['GZIP', gzipSync(JSON_BODY)],
  ['deflate', deflateSync(JSON_BODY)],
  ['br', brotliCompressSync(JSON_BODY)],
  ['identity', Buffer.from(JSON_BODY)],
  // RFC 9110 §5.6.1: a list may have empty elements.
  ['', Buffer.from(JSON_BODY)],
  ['gzip, ,', gzipSync(JSON_BODY)],
  ['identity, gzip', gzipSync(JSON_BODY)],
  ['gzip, br', brotliCompressSync(gzipSync(JSON_BODY))],
  ['br, gzip, deflate', deflateSync(gzipSync(brotliCompressSync(JSON_BODY)))],
])('content encoding %j is decoded', async (encoding, body) => {
  await post(body, { 'content-encoding': encoding })
  expect(outcomes).toEqual([JSON_BODY])
})

test.each(['compress', 'gzip, aes128gcm', 'constructor', '__proto__', 'gzip, gzip, gzip, gzip', 'gzip;q=1'])(
  'content encoding %s is refused, with the ones that would do',
  async (encoding) => {
    const response = await post('x', { 'content-encoding': encoding })
    expect(response.status).toBe(415)
    expect(response.headers.get('accept-encoding')).toContain('zstd')
    expect(outcomes).toEqual(['unsupported_content_encoding'])
  },
)

test.each([
  ['ERR_MODULE_NOT_FOUND', 'program_replaced'],
  ['EMFILE', 'internal_error'],
])('a decoder that cannot be loaded (%s) is no fault of the body: %s', async (code, outcome) => {
  vi.spyOn(ZSTDDecoder.prototype, 'init').mockRejectedValueOnce(Object.assign(new Error('not loaded'), { code }))
  expect((await post(ZSTD, { 'content-encoding': 'zstd' })).status).toBe(500)
  expect(outcomes).toEqual([outcome])
})

test.each([
  ['gzip', Buffer.from('no gzip')],
  ['gzip', gzipSync(JSON_BODY).subarray(0, -9)],
  ['gzip', Buffer.alloc(0)],
  ['br', Buffer.from('no brotli')],
  ['deflate', Buffer.from(JSON_BODY)],
  ['zstd', Buffer.from(JSON_BODY)],
  ['zstd', ZSTD.subarray(0, -1)],
])('what only pretends to be %s is refused', async (encoding, body) => {
  expect((await post(body, { 'content-encoding': encoding })).status).toBe(400)
  expect(outcomes).toEqual(['invalid_body'])
})

test.each([
  ['gzip', gzipSync(Buffer.alloc(50_000_000))],
  ['br', brotliCompressSync(Buffer.alloc(50_000_000))],
  ['deflate', deflateSync(Buffer.alloc(50_000_000))],
  ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000)))],
  ['zstd', zstdBomb()],
])('a %s bomb is given up', async (encoding, body) => {
  expect((await post(body, { 'content-encoding': encoding })).status).toBe(413)
  expect(outcomes).toEqual(['request_too_large'])
})

test('all that a large body was copied from is freed, and the body outlives it', async () => {
  limits = { maxBody: 3_000_000, maxDecodedBody: 3_000_000 }
  const body = 'abcdefgh'.repeat(300_000)
  const { freeMemory: free } = await vi.importActual<typeof import('../runtime/buffers.ts')>('../runtime/buffers.ts')
  let freed = 0
  vi.mocked(freeMemory).mockImplementation((bytes) => {
    freed += bytes.length
    free(bytes)
  })
  await post(body)
  vi.mocked(freeMemory).mockRestore()
  expect(outcomes[0] === body).toBe(true)
  // Each piece, and the first room, of which there is more than there are pieces.
  expect(freed).toBe(body.length + 1024 * 1024)
})

test('a large body takes no more room than it announced', async () => {
  limits = { maxBody: 8_000_000, maxDecodedBody: 8_000_000 }
  let room: number | undefined
  read = async (request) => {
    const body = await readBody(request, limits)
    room = body.buffer.byteLength
    return body
  }
  await post(Buffer.alloc(2_000_000))
  expect(room).toBe(2_000_000)
})

test('a body of exactly the limit is read, one byte more is not', async () => {
  await post(Buffer.alloc(100_000, 'a'))
  await post(Buffer.alloc(100_001, 'a')).catch(() => {})
  expect(outcomes).toEqual(['a'.repeat(100_000), 'request_too_large'])
})

test('the smaller limit counts for a plain body', async () => {
  limits = { maxBody: 100_000, maxDecodedBody: 10 }
  await post('a'.repeat(11)).catch(() => {})
  expect(outcomes).toEqual(['request_too_large'])
})

test('a body that announces too much is refused before any of it came', async () => {
  const socket = await open('Content-Length: 100001')
  expect(await untilOutcome()).toBe('request_too_large')
  socket.destroy()
})

test('a chunked body is refused once it is too long, not at its end', async () => {
  const socket = await open('Transfer-Encoding: chunked')
  const chunk = `1000\r\n${'a'.repeat(4096)}\r\n`
  socket.write(chunk.repeat(25))
  expect(await untilOutcome()).toBe('request_too_large')
  socket.destroy()
})

describe('a refused body that is not answered yet', () => {
  let refused: IncomingMessage | undefined
  beforeEach(() => {
    refused = undefined
    read = async (request) => {
      await readBody(request, limits).catch(() => {
        refused = request
      })
      return await new Promise(() => {})
    }
  })

  test('is left unread when it announced too much', async () => {
    const socket = await open('Content-Length: 100001')
    await expect.poll(() => refused?.readableFlowing).toBeNull()
    socket.destroy()
  })

  test('is paused when it became too long, and not refused again by what follows', async () => {
    vi.mocked(ProxyError).mockClear()
    const socket = await open('Transfer-Encoding: chunked')
    const chunks = `1000\r\n${'a'.repeat(4096)}\r\n`.repeat(25)
    socket.write(chunks)
    await expect.poll(() => refused?.isPaused()).toBe(true)
    refused?.resume()
    socket.write(`${chunks}0\r\n\r\n`)
    await expect.poll(() => refused?.complete).toBe(true)
    expect(ProxyError).toHaveBeenCalledOnce()
    socket.destroy()
  })
})

test('chunks of one byte add up', async () => {
  const socket = await open('Transfer-Encoding: chunked')
  socket.write(`${'1\r\nx\r\n'.repeat(90_000)}0\r\n\r\n`)
  expect(await untilOutcome()).toBe('x'.repeat(90_000))
  socket.destroy()
})

test('an upload that is cut off ends the reading', async () => {
  const socket = await open('Content-Length: 100')
  socket.write('half')
  socket.destroy()
  expect(await untilOutcome()).toBe('invalid_body')
})

test('a client that left before anyone read its body is noticed', async () => {
  let seen: IncomingMessage | undefined
  read = (request) => {
    seen = request
    return new Promise(() => {})
  }
  const socket = await open('Content-Length: 100')
  while (seen === undefined) await new Promise((resolve) => setImmediate(resolve))
  const request = seen
  const closed = new Promise((resolve) => request.once('close', resolve))
  socket.destroy()
  await closed
  await expect(readBody(request, LIMITS)).rejects.toMatchObject({ code: 'invalid_body' })
})

test('no error is made at the close of a request whose body came whole', async () => {
  const closed = new Promise((resolve) => {
    read = (request) => {
      request.once('close', resolve)
      return readBody(request, limits)
    }
  })
  vi.mocked(ProxyError).mockClear()
  await post(JSON_BODY)
  await closed
  expect(outcomes).toEqual([JSON_BODY])
  expect(ProxyError).not.toHaveBeenCalled()
})

test('raw bodies are not decoded', async () => {
  read = (request) => readRawBody(request, LIMITS)
  await post(ZSTD, { 'content-encoding': 'zstd' })
  expect(outcomes).toEqual([ZSTD.toString('latin1')])
})

test('a body does not depend on how it was cut', async () => {
  limits = { maxBody: 8_000_000, maxDecodedBody: 8_000_000 }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(2_000_000), { maxLength: 6 }), fc.boolean(), async (sizes, chunked) => {
      outcomes = []
      const pieces = sizes.map((size, i) => Buffer.alloc(size, 65 + i))
      const whole = Buffer.concat(pieces)
      if (whole.length > limits.maxBody) return
      const socket = await open(chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${whole.length}`)
      for (const piece of pieces) {
        if (!chunked) socket.write(piece)
        else if (piece.length > 0)
          socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (chunked) socket.write('0\r\n\r\n')
      expect((await untilOutcome()) === whole.toString('latin1')).toBe(true)
      socket.destroy()
    }),
    { numRuns: 15 },
  )
})

test('a body is not held by the request it came with', async () => {
  const request = Object.assign(new PassThrough(), { headers: {} }) as unknown as IncomingMessage
  const reading = async () => new WeakRef(await readRawBody(request, LIMITS))
  const taken = reading()
  ;(request as unknown as PassThrough).end(JSON_BODY)
  expect(await stillHeld([await taken])).toEqual([])
  expect(request.listenerCount('close')).toBeGreaterThan(0)
})
