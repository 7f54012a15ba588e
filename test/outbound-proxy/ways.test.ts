import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Cancellation } from '../../src/cancellation.ts'
import {
  type OutboundRoute,
  type OutboundSettings,
  openOutboundRoute,
} from '../../src/upstream/outbound/outbound-route.ts'
import { readBody } from '../../src/upstream/read-body.ts'
import { createTokenRequest } from '../../src/upstream/token-request.ts'
import { exchange } from '../../src/upstream/transport.ts'
import { type Certificate, selfSignedCertificate } from '../support/certificate.ts'
import {
  type ForwardProxy,
  type Front,
  startMicrosocks,
  startTinyproxy,
  startTlsFront,
} from '../support/forward-proxies.ts'
import { freePort, listenOnLoopback } from '../support/loopback.ts'

/** This machine by a name that is not loopback's: connections to loopback never use a proxy. */
const HERE = '0.0.0.0'
const LOGIN = { user: 'me', password: 'open5esame' }

describe('the way to upstream', () => {
  let folder = ''
  let upstream: Server
  let upstreamPort: number
  let certificate: Certificate
  let front: Front
  let closers: (() => Promise<void>)[] = []
  const logged: object[] = []
  const seen: IncomingMessage[] = []
  const log = { info: (line: object) => void logged.push(line), warn: (line: object) => void logged.push(line) }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outbound-'))
    upstream = createServer((request, response) => {
      seen.push(request)
      response.end(`hello ${request.url}`)
    })
    upstreamPort = await listenOnLoopback(upstream)
    certificate = selfSignedCertificate([HERE, '127.0.0.1'])
    await writeFile(join(folder, 'ca.pem'), certificate.cert)
    front = await startTlsFront(upstreamPort, certificate)
  })
  afterAll(async () => {
    await front.close()
    upstream.close()
    upstream.closeAllConnections()
    await rm(folder, { recursive: true })
  })
  beforeEach(() => {
    logged.length = 0
    seen.length = 0
  })
  afterEach(async () => {
    for (const close of closers.reverse()) await close()
    closers = []
  })

  async function started(proxy: Promise<ForwardProxy>): Promise<ForwardProxy> {
    const running = await proxy
    closers.push(running.stop)
    return running
  }

  async function open(
    settings: Partial<OutboundSettings>,
    surroundings: { implicitProxy?: string; env?: Record<string, string> } = {},
  ): Promise<OutboundRoute> {
    const limits = { connectTimeout: 10_000, headerTimeout: 10_000 }
    const route = await openOutboundRoute({ proxy: undefined, noProxy: undefined, ...limits, ...settings }, log, {
      env: { SSL_CERT_FILE: join(folder, 'ca.pem') },
      implicitProxy: `http://127.0.0.1:${await freePort()}`,
      ...surroundings,
    })
    closers.push(() => route.close())
    return route
  }

  const target = (port = front.port, host = HERE) => new URL(`https://${host}:${port}`)

  /** What upstream answered, or the failure as a client gets to know it. */
  async function ask(route: OutboundRoute, url = target()): Promise<string> {
    const request = {
      origin: url.origin,
      method: 'GET',
      path: '/there',
      headers: [],
      body: undefined,
      idleTimeout: 10_000,
    }
    try {
      const { body } = await exchange(route.dispatcherFor(url), request, new Cancellation())
      return (await readBody(body, 1000)).toString()
    } catch (error) {
      const failure = route.explain(error as Error, url)
      return `${failure.code}: ${failure.message}`
    }
  }

  describe.each([
    { kind: 'CONNECT', scheme: 'http', start: startTinyproxy },
    { kind: 'SOCKS 5', scheme: 'socks5', start: startMicrosocks },
  ])('through a $kind proxy', ({ scheme, start }) => {
    test('carries TLS to an upstream of a custom CA, on one kept-alive connection', async () => {
      const proxy = await started(start())
      const route = await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}` })
      expect(await ask(route)).toBe('hello /there')
      // undici takes a connection for free one turn of the event loop after its answer.
      await setImmediate()
      expect(await ask(route)).toBe('hello /there')
      await expect.poll(() => proxy.targets()).toEqual([`${HERE}:${front.port}`])
      expect(route.describe(target())).toEqual({
        proxy: `${scheme}://127.0.0.1:${proxy.port}`,
        origin: 'explicit',
        inUse: true,
      })
    })

    test('logs in with the user and password of the URL, which nobody else gets to see', async () => {
      const proxy = await started(start({ login: LOGIN }))
      const route = await open({ proxy: `${scheme}://${LOGIN.user}:${LOGIN.password}@127.0.0.1:${proxy.port}` })
      expect(await ask(route)).toBe('hello /there')
      expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization')
      expect(JSON.stringify([route.describe(target()), logged])).not.toContain(LOGIN.password)
    })

    test('says that the login is wrong, without showing it', async () => {
      const proxy = await started(start({ login: LOGIN }))
      const answer = await ask(await open({ proxy: `${scheme}://me:wrong5esame@127.0.0.1:${proxy.port}` }))
      expect(answer).toContain(
        `outbound_proxy_failed: The outbound proxy ${scheme}://127.0.0.1:${proxy.port} refused the user name or password`,
      )
      expect(answer).not.toContain('wrong5esame')
      expect(seen).toEqual([])
    })

    test('says that a login is wanted', async () => {
      const proxy = await started(start({ login: LOGIN }))
      const answer = await ask(await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}` }))
      expect(answer).toContain('wants a user name and password')
    })

    test('says that the proxy is down, and never goes another way', async () => {
      const port = await freePort()
      const route = await open({ proxy: `${scheme}://127.0.0.1:${port}` })
      const expected = `outbound_proxy_failed: The outbound proxy ${scheme}://127.0.0.1:${port} refused the connection (ECONNREFUSED).`
      expect(await ask(route)).toBe(expected)
      expect(await route.connectionFailed(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).toBe(false)
      expect(await ask(route)).toBe(expected)
      expect(seen).toEqual([])
    })

    test('says that the proxy could not connect', async () => {
      const proxy = await started(start())
      const route = await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}` })
      const port = await freePort()
      expect(await ask(route, target(port))).toMatch(
        new RegExp(`^outbound_proxy_failed: .* connect to ${HERE.replaceAll('.', '\\.')}:${port}`),
      )
    })

    test('says that upstream shows a certificate nobody knows, and who may have put it there', async () => {
      const proxy = await started(start())
      const route = await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}` }, { env: {} })
      const answer = await ask(route)
      expect(answer).toContain(
        `upstream_unreachable: Upstream ${HERE}:${front.port} has a certificate that is not trusted`,
      )
      expect(answer).toContain(`through the outbound proxy ${scheme}://127.0.0.1:${proxy.port}`)
    })

    test('refreshes a login the same way', async () => {
      const proxy = await started(start())
      const route = await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}` })
      const post = createTokenRequest(async () => route)
      expect(await post(`${target().origin}/oauth/token`, {})).toEqual({ status: 200, body: 'hello /oauth/token' })
      await expect.poll(() => proxy.targets()).toEqual([`${HERE}:${front.port}`])
    })

    test('makes a connection ahead', async () => {
      const proxy = await started(start())
      const route = await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}` })
      route.keepWarm(target())
      await expect.poll(() => proxy.targets()).toEqual([`${HERE}:${front.port}`])
      expect(await ask(route)).toBe('hello /there')
    })

    test('leaves out loopback and what NO_PROXY names', async () => {
      const proxy = await started(start())
      const route = await open({ proxy: `${scheme}://127.0.0.1:${proxy.port}`, noProxy: `example.com,${HERE}` })
      expect(await ask(route)).toBe('hello /there')
      expect(await ask(route, target(front.port, 'localhost'))).toBe('hello /there')
      expect(await ask(route, new URL(`http://127.0.0.1:${upstreamPort}`))).toBe('hello /there')
      expect(proxy.targets()).toEqual([])
    })

    test('says of an upstream it is left out for that this one is reached directly, and why', async () => {
      const shown = `${scheme}://127.0.0.1:${await freePort()}`
      const route = await open({ proxy: shown, noProxy: HERE })
      const direct = { proxy: shown, origin: 'explicit', inUse: false }
      expect(route.describe(target())).toEqual({
        ...direct,
        note: `Upstream ${HERE}:${front.port} is reached directly: NO_PROXY names it.`,
      })
      expect(route.describe(target(443, 'localhost'))).toEqual({
        ...direct,
        note: 'Upstream localhost is reached directly: it is on loopback.',
      })
      expect(route.describe(target(443, 'example.com'))).toEqual({ ...direct, inUse: true })
      expect(logged).toEqual([{ proxy: shown, origin: 'explicit', except: HERE }])
    })
  })

  describe('through a proxy that is itself reached by TLS', () => {
    test('carries requests', async () => {
      const proxy = await started(startTinyproxy({ login: LOGIN }))
      const proxyFront = await startTlsFront(proxy.port, certificate)
      closers.push(proxyFront.close)
      for (const host of ['127.0.0.1', 'localhost']) {
        const url = `https://${LOGIN.user}:${LOGIN.password}@${host}:${proxyFront.port}`
        expect(await ask(await open({ proxy: url }))).toBe('hello /there')
      }
      await expect.poll(() => proxy.targets()).toHaveLength(2)
    })

    test('does not trust it blindly, and says so', async () => {
      const proxy = await started(startTinyproxy())
      const proxyFront = await startTlsFront(proxy.port, selfSignedCertificate())
      closers.push(proxyFront.close)
      expect(await ask(await open({ proxy: `https://127.0.0.1:${proxyFront.port}` }))).toContain(
        `outbound_proxy_failed: The outbound proxy https://127.0.0.1:${proxyFront.port} has a certificate that is not trusted`,
      )
      expect(proxy.targets()).toEqual([])
    })
  })

  describe('with nothing set', () => {
    test('is the default proxy while something listens there', async () => {
      const proxy = await started(startTinyproxy())
      const implicitProxy = `http://127.0.0.1:${proxy.port}`
      const route = await open({}, { implicitProxy })
      expect(await ask(route)).toBe('hello /there')
      await expect.poll(() => proxy.targets()).toEqual([`${HERE}:${front.port}`])
      expect(route.describe(target())).toMatchObject({ proxy: implicitProxy, origin: 'implicit', inUse: true })
      expect(logged).toEqual([{ proxy: implicitProxy, origin: 'implicit' }])
    })

    test('is direct while nothing listens there', async () => {
      const route = await open({})
      expect(await ask(route)).toBe('hello /there')
      expect(route.describe(target())).toMatchObject({ origin: 'implicit', inUse: false })
      expect(logged).toHaveLength(1)
    })

    test('changes when the default proxy goes and comes, after a failure to connect', async () => {
      const first = await started(startTinyproxy())
      const route = await open({}, { implicitProxy: `http://127.0.0.1:${first.port}` })
      expect(await ask(route)).toBe('hello /there')

      await first.stop()
      expect(await ask(route)).toContain('outbound_proxy_failed')
      expect(await route.connectionFailed(new Error('as above'))).toBe(true)
      expect(await ask(route)).toBe('hello /there')
      expect(route.describe(target())).toMatchObject({ origin: 'implicit', inUse: false })

      const second = await started(startTinyproxy({ port: first.port }))
      expect(await ask(route)).toBe('hello /there')
      expect(second.targets()).toEqual([])
      expect(await route.connectionFailed(new Error('refused'))).toBe(true)
      expect(await ask(route)).toBe('hello /there')
      await expect.poll(() => second.targets()).toEqual([`${HERE}:${front.port}`])
      expect(logged).toHaveLength(3)
    })

    test('an upstream that is slow is no reason to look again', async () => {
      const proxy = await started(startTinyproxy())
      const route = await open({}, { implicitProxy: `http://127.0.0.1:${proxy.port}` })
      await proxy.stop()
      const timeout = Object.assign(new Error(), { code: 'UND_ERR_HEADERS_TIMEOUT' })
      expect(await route.connectionFailed(timeout)).toBe(false)
      expect(route.describe(target()).inUse).toBe(true)
    })
  })

  test('`none` is direct whatever listens', async () => {
    const proxy = await started(startTinyproxy())
    const route = await open({ proxy: 'none' }, { implicitProxy: `http://127.0.0.1:${proxy.port}` })
    expect(await ask(route)).toBe('hello /there')
    expect(proxy.targets()).toEqual([])
    expect(route.describe(target())).toEqual({ proxy: 'none', origin: 'none', inUse: false })
    expect(await route.connectionFailed(new Error())).toBe(false)
  })

  test('says what is wrong on the direct way', async () => {
    const route = await open({ proxy: 'none' })
    const untrusting = await open({ proxy: 'none' }, { env: {} })
    const port = await freePort()
    expect(await ask(route, target(port))).toBe(
      `upstream_unreachable: Upstream ${HERE}:${port} refused the connection (ECONNREFUSED).`,
    )
    expect(await ask(untrusting)).toContain('has a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  test('says that upstream shows a certificate of another name', async () => {
    const other = selfSignedCertificate(['127.0.0.1'])
    await writeFile(join(folder, 'other.pem'), other.cert)
    const otherFront = await startTlsFront(upstreamPort, other)
    closers.push(otherFront.close)
    const route = await open({ proxy: 'none' }, { env: { SSL_CERT_FILE: join(folder, 'other.pem') } })
    expect(await ask(route, target(otherFront.port))).toContain('has a certificate for another name')
  })

  test('a broken certificate is named, which OpenSSL leaves out without a word, and costs no other its trust', async () => {
    const file = join(folder, 'several.pem')
    const broken = certificate.cert.replace(/\n.{20}/, '\n!')
    await writeFile(file, broken)
    expect(await ask(await open({ proxy: 'none' }, { env: { SSL_CERT_FILE: file } }))).toContain('is not trusted')
    await writeFile(file, broken + certificate.cert)
    expect(await ask(await open({ proxy: 'none' }, { env: { SSL_CERT_FILE: file } }))).toBe('hello /there')
    expect(logged).toEqual([
      { variable: 'SSL_CERT_FILE', reason: 'the file holds no certificate in PEM' },
      { variable: 'SSL_CERT_FILE', reason: "1 of the 2 in the file can't be read" },
    ])
  })

  test.each([
    [
      'certificates put together without a line break between them are',
      () => certificate.cert.trimEnd() + certificate.cert,
    ],
    ['a certificate after its private key is', () => certificate.key + certificate.cert],
  ])('%s trusted', async (_name, content) => {
    const file = join(folder, 'joined.pem')
    await writeFile(file, content())
    const route = await open({ proxy: 'none' }, { env: { SSL_CERT_FILE: file } })
    expect(await ask(route)).toBe('hello /there')
    expect(logged).toEqual([])
  })

  test('names NODE_EXTRA_CA_CERTS too, where it is the only one', async () => {
    const env = { NODE_EXTRA_CA_CERTS: join(folder, 'nowhere.pem') }
    expect(await ask(await open({ proxy: 'none' }, { env }))).toContain('is not trusted')
    expect(logged).toEqual([{ variable: 'NODE_EXTRA_CA_CERTS', reason: 'ENOENT' }])
  })

  test('names a variable whose certificates it could not read, and goes on', async () => {
    const env = { SSL_CERT_FILE: join(folder, 'nowhere.pem'), CODEX_CA_CERTIFICATE: join(folder, 'ca.pem') }
    const route = await open({ proxy: 'none' }, { env })
    expect(await ask(route)).toBe('hello /there')
    expect(logged).toEqual([{ variable: 'SSL_CERT_FILE', reason: 'ENOENT' }])
  })
})
