import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { end, STREAM_SETTINGS as SETTINGS, write } from '../../../test/support/client-streams.ts'
import { listenOnLoopback } from '../../../test/support/loopback.ts'
import { Cancellation } from '../../cancellation.ts'
import { ClientStream } from './client-stream.ts'

type Request = ConstructorParameters<typeof ClientStream>[0]

function requestOf(response: ServerResponse): Request {
  return {
    takeOver: (status, headers) => response.writeHead(status, headers),
    cancellation: new Cancellation(),
  }
}

/** The bytes of the answer that `write` gives, without its head, and the head. */
async function answerTo(version: string, write: (stream: ClientStream) => void): Promise<[string, string]> {
  const server = createServer((_request, response) => write(new ClientStream(requestOf(response), SETTINGS)))
  const socket = connect(await listenOnLoopback(server), '127.0.0.1')
  socket.end(`GET / HTTP/${version}\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  const bytes = Buffer.concat(await socket.toArray()).toString('latin1')
  server.close()
  const at = bytes.indexOf('\r\n\r\n')
  return [bytes.slice(0, at).toLowerCase(), bytes.slice(at + 4)]
}

const inPieces = (stream: ClientStream) => {
  stream.open()
  for (const text of ['data: é\n\n', '', 'data: 2\n\n']) write(stream, text)
  end(stream, 'data: [DONE]\n\n')
}

test('what is written in pieces are the chunks of HTTP/1.1, the last of them empty', async () => {
  const [head, body] = await answerTo('1.1', inPieces)
  expect(head).toContain('transfer-encoding: chunked')
  expect(body).toBe('a\r\ndata: \u00c3\u00a9\n\n\r\n9\r\ndata: 2\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n')
  const [, withoutEnd] = await answerTo('1.1', (stream) => {
    stream.open()
    stream.end()
  })
  expect(withoutEnd).toBe('0\r\n\r\n')
})

test('an opened stream that has nothing to say yet tells its status', async () => {
  let finish = () => {}
  const server = createServer((_request, response) => {
    const stream = new ClientStream(requestOf(response), SETTINGS)
    stream.open()
    write(stream, '')
    write(stream, '')
    finish = () => end(stream, 'data: [DONE]\n\n')
  })
  const answer = await fetch(`http://127.0.0.1:${await listenOnLoopback(server)}`)
  finish()
  expect([answer.status, await answer.text()]).toEqual([200, 'data: [DONE]\n\n'])
  server.closeAllConnections()
  server.close()
})

test('a client that leaves the end of its answer unread is cut off', async () => {
  const settings = { ...SETTINGS, slowClientTimeout: 100 }
  const closed = new Promise((resolve) => {
    const server = createServer((_request, response) => {
      response.once('close', () => {
        resolve('closed')
        server.close()
      })
      end(new ClientStream(requestOf(response), settings), 'x'.repeat(20_000_000))
    }).listen(0, '127.0.0.1', () => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
      socket.pause().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    })
  })
  expect(await closed).toBe('closed')
})

test('what is written after the end goes nowhere', async () => {
  const [, body] = await answerTo('1.1', (stream) => {
    end(stream, 'data: [DONE]\n\n')
    write(stream, 'data: late\n\n')
    end(stream, 'data: later\n\n')
  })
  expect(body).toBe('e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n')
})

test('a client of HTTP/1.0, which knows no chunks, gets none', async () => {
  const [head, body] = await answerTo('1.0', inPieces)
  expect(head).not.toContain('transfer-encoding')
  expect(body).toBe('data: \u00c3\u00a9\n\ndata: 2\n\ndata: [DONE]\n\n')
})

test('an answer that comes whole is one chunk', async () => {
  const [head, body] = await answerTo('1.1', (stream) => {
    write(stream, 'data: é\n\n')
    end(stream, 'data: [DONE]\n\n')
  })
  expect(head).toContain('transfer-encoding: chunked')
  expect(body).toBe('18\r\ndata: \u00c3\u00a9\n\ndata: [DONE]\n\n\r\n0\r\n\r\n')
})
