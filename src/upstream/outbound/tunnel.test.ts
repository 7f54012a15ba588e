import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { selfSignedCertificate } from '../../../test/support/certificate.ts'
import { listenOnLoopback } from '../../../test/support/loopback.ts'
import { parseOutboundAddress } from './outbound-address.ts'
import { PendingSockets } from './pending-sockets.ts'
import { OutboundProxyError, tunnelConnector } from './tunnel.ts'

const CONNECTED_V4 = Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0x1f, 0x90])
const NO_LOGIN = Buffer.from([5, 0])

const { cert, key } = selfSignedCertificate()

describe('a tunnel through a proxy that follows a script', () => {
  const servers: Server[] = []
  const sockets: Socket[] = []
  const closing = new PendingSockets()

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const server of servers.splice(0)) {
      server.close()
      await once(server, 'close')
    }
  })

  async function proxy(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      serve(socket)
    })
    servers.push(server)
    return await listenOnLoopback(server)
  }

  /** Answers the n-th message of the client with the n-th reply. */
  function replies(...given: readonly (Buffer | string)[]): (socket: Socket) => void {
    const received: Buffer[] = []
    messages.push(received)
    return (socket) => {
      const left = [...given]
      socket.on('data', (bytes) => {
        received.push(bytes)
        const reply = left.shift()
        if (reply !== undefined) socket.write(reply)
        else socket.end()
      })
    }
  }
  const messages: Buffer[][] = []

  function open(url: string, options: OpenOptions = {}): Promise<Socket> {
    return opener(url, options)()
  }

  type OpenOptions = {
    protocol?: string
    host?: string
    timeout?: number
    pending?: PendingSockets
    now?: () => number
  }

  /** Hands over the tunnel as it is. */
  const withoutTls: Parameters<typeof tunnelConnector>[1] = ({ httpSocket }, callback) => {
    if (httpSocket !== undefined) callback(null, httpSocket)
  }

  /** Little for what never comes, and only for that: on a busy machine every answer may come later than in 0.2 s. */
  const patienceFor = (reason: string): OpenOptions => (reason.includes('did not connect') ? { timeout: 200 } : {})

  /** Opens one tunnel after another by the same connector. */
  function opener(url: string, options: OpenOptions = {}): () => Promise<Socket> {
    const {
      protocol = 'http:',
      host = 'upstream.example',
      timeout = 10_000,
      pending = closing,
      now = Date.now,
    } = options
    const secureContext = () => createSecureContext({ ca: cert })
    const connect = tunnelConnector(parseOutboundAddress(url), withoutTls, { timeout, pending, now, secureContext })
    return () =>
      new Promise((resolve, reject) => {
        connect({ protocol, host, hostname: host, port: '' }, (error, socket) => {
          if (error !== null) {
            reject(error)
            return
          }
          sockets.push(socket)
          resolve(socket)
        })
      })
  }

  test.each([
    ['http', 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'],
    ['socks5', Buffer.from([5, 2])],
  ])('a login that a proxy refuses is not sent again for a minute (%s)', async (scheme, reply) => {
    const port = await proxy(replies(reply, Buffer.from([1, 1])))
    const sent = messages.at(-1) ?? []
    let time = 0
    const openNext = opener(`${scheme}://me:wrong@127.0.0.1:${port}`, { now: () => time })
    await expect(openNext()).rejects.toThrow('refused the user name or password')
    const perTry = sent.length
    time = 58_001
    await expect(openNext()).rejects.toThrow(/ refused the user name or password.*; it is asked again in 2 s\.$/)
    expect(sent).toHaveLength(perTry)
    time = 60_000
    await expect(openNext()).rejects.toThrow('refused the user name or password')
    expect(sent).toHaveLength(2 * perTry)
  })

  test('a clock that is set back does not make the minute hours', async () => {
    const port = await proxy(replies('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
    const sent = messages.at(-1) ?? []
    let time = 3_600_000
    const openNext = opener(`http://me:wrong@127.0.0.1:${port}`, { now: () => time })
    await expect(openNext()).rejects.toThrow('refused the user name or password')
    const perTry = sent.length
    time = 60_000
    await expect(openNext()).rejects.toThrow('refused the user name or password')
    expect(sent).toHaveLength(2 * perTry)
  })

  test('of a login that may be wrong one is sent, however many requests come meanwhile', async () => {
    const port = await proxy(replies('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
    const sent = messages.at(-1) ?? []
    let time = 0
    const openNext = opener(`http://me:wrong@127.0.0.1:${port}`, { now: () => time })
    const openThree = () => Promise.allSettled([openNext(), openNext(), openNext()])
    expect(await openThree()).toMatchObject(Array(3).fill({ status: 'rejected' }))
    expect(sent).toHaveLength(1)
    time = 60_000
    await openThree()
    expect(sent).toHaveLength(2)
  })

  test('a login that is refused after it was accepted is one that may be wrong', async () => {
    let answer = 'HTTP/1.1 200 OK\r\n\r\n'
    const port = await proxy((socket) => {
      socket.once('data', () => socket.write(answer))
    })
    let time = 0
    const openNext = opener(`http://me:old@127.0.0.1:${port}`, { now: () => time })
    await openNext()
    answer = 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'
    await expect(openNext()).rejects.toThrow('refused the user name or password')
    const before = sockets.length
    time = 60_000
    await Promise.allSettled([openNext(), openNext(), openNext()])
    expect(sockets).toHaveLength(before + 1)
  })

  test('a proxy that fails otherwise is asked once for all who wait, and again for whoever comes later', async () => {
    const port = await proxy(replies('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    const sent = messages.at(-1) ?? []
    const openNext = opener(`http://me:right@127.0.0.1:${port}`)
    const outcomes = await Promise.allSettled([openNext(), openNext(), openNext()])
    const failed = { status: 'rejected', reason: { message: expect.stringContaining('answered 502') } }
    expect(outcomes).toMatchObject([failed, failed, failed])
    expect(sent).toHaveLength(1)
    await expect(openNext()).rejects.toThrow('answered 502')
    expect(sent).toHaveLength(2)
  })

  test('whoever waits is served when the proxy has taken the login, and nobody waits any more', async () => {
    const waiting: Socket[] = []
    const port = await proxy((socket) => {
      socket.once('data', () => waiting.push(socket))
    })
    const openNext = opener(`http://me:right@127.0.0.1:${port}`)
    const first = openNext()
    const second = openNext()
    await expect.poll(() => waiting).toHaveLength(1)
    waiting[0]?.write('HTTP/1.1 200 OK\r\n\r\n')
    await first
    const third = openNext()
    await expect.poll(() => waiting).toHaveLength(3)
    for (const socket of waiting.slice(1)) socket.write('HTTP/1.1 200 OK\r\n\r\n')
    await Promise.all([second, third])
  })

  test('whoever waits when the program stops does not begin anew', async () => {
    const port = await proxy(() => {})
    const pending = new PendingSockets()
    const openNext = opener(`http://me:right@127.0.0.1:${port}`, { pending })
    const outcomes = Promise.allSettled([openNext(), openNext()])
    await expect.poll(() => sockets).toHaveLength(1)
    pending.destroy()
    expect(await outcomes).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    expect(sockets).toHaveLength(1)
  })

  describe('by SOCKS', () => {
    test('asks for the name, so that the proxy resolves it', async () => {
      const port = await proxy(replies(NO_LOGIN, CONNECTED_V4))
      await open(`socks5://127.0.0.1:${port}`)
      expect(messages.at(-1)).toEqual([
        Buffer.from([5, 1, 0]),
        Buffer.concat([Buffer.from([5, 1, 0, 3, 16]), Buffer.from('upstream.example'), Buffer.from([0, 80])]),
      ])
    })

    test.each([
      ['192.0.2.7', [1, 192, 0, 2, 7]],
      ['2001:db8::ff00:1', [4, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 1]],
      ['::1', [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
      ['1:2:3:4:5:6:7:8', [4, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ])('asks for the address %s', async (host, bytes) => {
      const port = await proxy(replies(NO_LOGIN, CONNECTED_V4))
      await open(`socks5://127.0.0.1:${port}`, { host })
      expect(messages.at(-1)?.[1]).toEqual(Buffer.from([5, 1, 0, ...bytes, 0, 80]))
    })

    test.each([
      ['an IPv6 address', Buffer.from([5, 0, 0, 4, ...new Array<number>(16).fill(1), 0, 1])],
      ['a name', Buffer.concat([Buffer.from([5, 0, 0, 3, 4]), Buffer.from('here'), Buffer.from([0, 1])])],
    ])('takes %s for what the proxy bound, and loses no byte after it', async (_name, reply) => {
      const port = await proxy(replies(NO_LOGIN, Buffer.concat([reply, Buffer.from('first words')])))
      const socket = await open(`socks5://127.0.0.1:${port}`)
      const [bytes] = await once(socket.resume(), 'data')
      expect(String(bytes)).toBe('first words')
    })

    test('waits for the end of a reply that comes late', async () => {
      const serve = replies(NO_LOGIN, CONNECTED_V4.subarray(0, 5))
      const port = await proxy((socket) => {
        serve(socket)
        let messages = 0
        socket.setNoDelay(true).on('data', () => {
          messages++
          // The turn after the beginning of the reply has gone out: it comes in a read of its own.
          if (messages === 2) {
            setImmediate(() => socket.write(Buffer.concat([CONNECTED_V4.subarray(5), Buffer.from('hi')])))
          }
        })
      })
      const socket = await open(`socks5://127.0.0.1:${port}`)
      const [bytes] = await once(socket.resume(), 'data')
      expect(String(bytes)).toBe('hi')
    })

    test('understands replies cut anywhere', async () => {
      const reply = Buffer.concat([NO_LOGIN, CONNECTED_V4, Buffer.from('hi')])
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: reply.length - 1 })), async (cuts) => {
          const places = [0, ...cuts.sort((a, b) => a - b), reply.length]
          const port = await proxy((socket) => {
            socket.setNoDelay(true).on('data', () => {})
            places.slice(1).forEach((end, index) => {
              setImmediate(() => socket.write(reply.subarray(places[index], end)))
            })
            setImmediate(() => socket.end())
          })
          const socket = await open(`socks5://127.0.0.1:${port}`)
          expect(await text(socket)).toBe('hi')
        }),
        { numRuns: 30 },
      )
    })

    test.each<[string, (Buffer | string)[], string]>([
      ['speaks HTTP', ['HTTP/1.1 400 Bad Request\r\n\r\n'], 'does not speak SOCKS 5.'],
      [
        'speaks another SOCKS in its second reply',
        [NO_LOGIN, Buffer.from([4, 0, 0, 1, 127, 0, 0, 1, 0, 80])],
        'does not speak SOCKS 5.',
      ],
      ['closes at once', [], 'closed the connection.'],
      ['stops within its reply', [NO_LOGIN, Buffer.from([5, 0])], 'did not connect within 0.2 s.'],
      ['says nothing', [Buffer.alloc(0)], 'did not connect within 0.2 s.'],
      ['wants another login', [Buffer.from([5, 0xff])], 'wants a user name and password.'],
      [
        'does not allow it',
        [NO_LOGIN, Buffer.from([5, 2, 0, 1])],
        'could not connect to upstream.example:80: not allowed by its rules.',
      ],
      [
        'gives a reply nobody knows',
        [NO_LOGIN, Buffer.from([5, 99, 0, 1])],
        'could not connect to upstream.example:80: reply 99.',
      ],
    ])('a proxy that %s is named with the reason', async (_name, script, reason) => {
      const port = await proxy(replies(...script))
      const failure = open(`socks5://127.0.0.1:${port}`, patienceFor(reason))
      await expect(failure).rejects.toEqual(
        new OutboundProxyError(`The outbound proxy socks5://127.0.0.1:${port} ${reason}`),
      )
    })

    test('logs in as RFC 1929 has it, where the proxy wants that', async () => {
      const port = await proxy(replies(Buffer.from([5, 2]), Buffer.from([1, 0]), CONNECTED_V4))
      await open(`socks5://me:right@127.0.0.1:${port}`)
      const login = Buffer.from([1, 2, ...Buffer.from('me'), 5, ...Buffer.from('right')])
      expect(messages.at(-1)?.slice(0, 2)).toEqual([Buffer.from([5, 2, 0, 2]), login])
    })

    test('a proxy that takes no password is named with the reason, and gets none', async () => {
      const port = await proxy(replies(Buffer.from([5, 0xff])))
      await expect(open(`socks5://me:right@127.0.0.1:${port}`)).rejects.toThrow(
        'wants another kind of login than user name and password.',
      )
      expect(messages.at(-1)).toEqual([Buffer.from([5, 2, 0, 2])])
    })

    test('a user name or password that is too long for it is refused here', async () => {
      const port = await proxy(replies(Buffer.from([5, 2])))
      const failure = open(`socks5://me:${'x'.repeat(256)}@127.0.0.1:${port}`)
      await expect(failure).rejects.toThrow('takes no name or password of more than 255 bytes')
    })
  })

  describe('by CONNECT', () => {
    test('asks for host and port, with the login', async () => {
      const port = await proxy(replies('HTTP/1.1 200 OK\r\n\r\nfirst words'))
      const socket = await open(`http://me:a%20b@127.0.0.1:${port}`, { host: '2001:db8::1' })
      const request = String(messages.at(-1)?.[0])
      expect(request).toMatch(/^CONNECT \[2001:db8::1\]:80 HTTP\/1\.1\r\n/)
      expect(request).toMatch(/\r\nuser-agent: codex-api-proxy\/\d[^\r]*\r\n/i)
      expect(request).toMatch(/\r\nproxy-connection: keep-alive\r\n/i)
      expect(request).not.toMatch(/\r\nconnection:/i)
      expect(request).toMatch(/\r\nhost: \[2001:db8::1\]:80\r\n/i)
      expect(request).toMatch(/\r\nproxy-authorization: Basic bWU6YSBi\r\n/i)
      const [bytes] = await once(socket.resume(), 'data')
      expect(String(bytes)).toBe('first words')
    })

    test.each<[string, (Buffer | string)[], RegExp]>([
      ['does not speak HTTP', ['SSH-2.0-x\r\n'], /does not speak HTTP there \(HPE_/],
      ['closes at once', [], /closed the connection \(ECONNRESET\)\.$/],
      ['says nothing', [''], /did not connect within 0\.2 s\.$/],
      [
        'answers 503',
        ['HTTP/1.1 503 Nope\r\ncontent-length: 4\r\n\r\nhtml'],
        /answered 503 when asked to connect to upstream\.example:80\.$/,
      ],
      ['answers 407', ['HTTP/1.1 407 Login\r\n\r\n'], /wants a user name and password \(407\)\.$/],
      [
        'takes Basic among others',
        ['HTTP/1.1 407 Login\r\nproxy-authenticate: NTLM\r\nproxy-authenticate: Basic realm="x"\r\n\r\n'],
        /wants a user name and password \(407\)\.$/,
      ],
      [
        'takes other logins only',
        ['HTTP/1.1 407 Login\r\nproxy-authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n'],
        /wants another kind of login than Basic \(407\)\.$/,
      ],
    ])('a proxy that %s is named with the reason', async (_name, script, reason) => {
      const port = await proxy(replies(...script))
      const failure = open(`http://127.0.0.1:${port}`, patienceFor(reason.source))
      await expect(failure).rejects.toThrow(
        new RegExp(`^The outbound proxy http://127\\.0\\.0\\.1:${port} ${reason.source}`),
      )
    })

    test('a password that can be of no use is not sent again either', async () => {
      const port = await proxy(replies('HTTP/1.1 407 Login\r\nproxy-authenticate: NTLM\r\n\r\n'))
      const ask = opener(`http://me:right@127.0.0.1:${port}`)
      await expect(ask()).rejects.toThrow('wants another kind of login than Basic (407).')
      await expect(ask()).rejects.toThrow('wants another kind of login than Basic (407); it is asked again in 60 s.')
    })
  })

  // Without this Node would tell the name of the target, and hold back small packets on TLS alone.
  test.each([
    ['localhost', 'localhost'],
    ['127.0.0.1', false],
  ])(
    'a proxy at https://%s is told its own name, where it is one, and gets what is written at once',
    async (host, name) => {
      const told: unknown[] = []
      const serve = replies('HTTP/1.1 200 OK\r\n\r\n')
      const server = createTlsServer({ cert, key }, (socket) => {
        told.push(socket.servername)
        serve(socket)
      })
      servers.push(server)
      const port = await listenOnLoopback(server)
      const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay')
      const socket = await open(`https://${host}:${port}`)
      expect(told).toEqual([name])
      expect(setNoDelay.mock.calls[setNoDelay.mock.contexts.indexOf(socket)]).toEqual([true])
      setNoDelay.mockRestore()
    },
  )

  const CONNECTED: readonly (readonly [string, readonly (Buffer | string)[]])[] = [
    ['http', ['HTTP/1.1 200 OK\r\n\r\n']],
    ['socks5', [NO_LOGIN, CONNECTED_V4]],
  ]

  test.each(CONNECTED)(
    'a %s tunnel that stands is ended by no limit for making it, nor with those that are being made',
    async (scheme, script) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const port = await proxy(replies(...script))
      const end = new PendingSockets()
      const socket = await open(`${scheme}://127.0.0.1:${port}`, { timeout: 10_000, pending: end })
      vi.advanceTimersByTime(10_000)
      end.destroy()
      vi.useRealTimers()
      expect(socket.destroyed).toBe(false)
    },
  )

  test.each(CONNECTED)('no time is left running behind a %s tunnel that stands or failed', async (scheme, script) => {
    const ports = [await proxy(replies(...script)), await proxy(replies())]
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await Promise.allSettled(ports.map((port) => open(`${scheme}://127.0.0.1:${port}`)))
    const running = vi.getTimerCount()
    vi.useRealTimers()
    expect(running).toBe(0)
  })

  test.each(CONNECTED)('an error of a %s tunnel that nobody has taken yet ends no program', async (scheme, script) => {
    const port = await proxy(replies(...script))
    const socket = await open(`${scheme}://127.0.0.1:${port}`)
    expect(() => socket.emit('error', new Error('reset'))).not.toThrow()
  })

  test.each([
    ['http:', 80],
    ['https:', 443],
  ])('the port of %s is %d where none is named', async (protocol, port) => {
    const proxyPort = await proxy(replies('HTTP/1.1 200 OK\r\n\r\n'))
    await open(`http://127.0.0.1:${proxyPort}`, { protocol })
    expect(String(messages.at(-1)?.[0])).toContain(`CONNECT upstream.example:${port} `)
  })

  test.each(CONNECTED)(
    'the system probes a %s tunnel that is silent: one dropped on the way is noticed',
    async (scheme, script) => {
      const port = await proxy(replies(...script))
      const { localPort = 0 } = await open(`${scheme}://127.0.0.1:${port}`)
      expect(timerOfSystem(localPort, port)).toBe(KEEP_ALIVE_TIMER)
    },
  )

  test.each([
    ['http', ['HTTP/1.1 503 Nope\r\n\r\n']],
    ['socks5', [NO_LOGIN, Buffer.from([5, 2, 0, 1])]],
  ])('the connection to a proxy that refuses is closed (%s)', async (scheme, script) => {
    const serve = replies(...script)
    let closed: Promise<unknown> | undefined
    const port = await proxy((socket) => {
      closed = once(socket, 'close')
      serve(socket)
    })
    await expect(open(`${scheme}://127.0.0.1:${port}`)).rejects.toThrow(OutboundProxyError)
    await closed
  })

  test.each(['http', 'socks5'])('the end of the program ends a %s tunnel that is being made', async (scheme) => {
    const arrived = new Promise<Socket>((resolve) => {
      servers.push(createServer(resolve))
    })
    const [server] = servers
    if (server === undefined) throw new Error('no server')
    const port = await listenOnLoopback(server)
    const end = new PendingSockets()
    const failure = open(`${scheme}://127.0.0.1:${port}`, { pending: end })
    const socket = await arrived
    sockets.push(socket)
    socket.resume()
    end.destroy()
    await expect(failure).rejects.toThrow(/ could not be reached\.$/)
    await once(socket, 'close')
  })
})

const KEEP_ALIVE_TIMER = '02'

/**
 * Which timer runs for the connection between these ports (https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt).
 * One port alone may also be that of connections that are over.
 */
function timerOfSystem(localPort: number, remotePort: number): string | undefined {
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  const connections = rows.map((row) => row.trim().split(/\s+/))
  const [, , , , , timer] =
    connections.find(([, local, remote]) => isAt(local, localPort) && isAt(remote, remotePort)) ?? []
  return timer?.split(':')[0]
}

function isAt(address: string | undefined, port: number): boolean | undefined {
  return address?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`)
}
