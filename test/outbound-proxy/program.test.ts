import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { type Front, startMicrosocks, startTinyproxy, startTlsFront } from '../support/forward-proxies.ts'
import { freePort } from '../support/loopback.ts'
import { createHome, type Foreground, type Home, run, startForeground, withoutProgress } from '../support/program.ts'

/** This machine by a name that is not loopback's: connections to loopback never use a proxy. */
const HERE = '0.0.0.0'
const LOGIN = { user: 'me', password: 'open5esame' }

let home: Home
let upstream: FakeUpstream
let front: Front
let caFile: string
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
  upstream = await startFakeUpstream()
  const certificate = selfSignedCertificate([HERE])
  caFile = join(home.path, 'ca.pem')
  await writeFile(caFile, certificate.cert)
  front = await startTlsFront(Number(new URL(upstream.origin).port), certificate)
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
afterAll(async () => {
  await front.close()
  await upstream.close()
  await home.remove()
})

async function start(args: readonly string[], variables: Record<string, string> = {}): Promise<Foreground> {
  const program = await startForeground(args, { home, env: { ...environment(), ...variables } })
  closers.push(() => program.stop())
  return program
}

function environment(): Record<string, string> {
  const { pathname } = new URL(upstream.chatgptBaseUrl)
  return {
    SSL_CERT_FILE: caFile,
    CODEX_API_PROXY_CHATGPT_BASE_URL: `https://${HERE}:${front.port}${pathname}`,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `https://${HERE}:${front.port}/no-token-issuer`,
  }
}

async function chat(program: Foreground): Promise<{ status: number; body: string }> {
  const response = await fetch(`${program.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  return { status: response.status, body: await response.text() }
}

async function outboundOf(program: Foreground): Promise<unknown> {
  const health = await fetch(`${program.url}/health`)
  return ((await health.json()) as { outboundProxy: unknown }).outboundProxy
}

test.each([
  ['http', startTinyproxy],
  ['socks5', startMicrosocks],
])('--proxy %s://… with a login: a chat goes through it, and nobody is shown the login', async (scheme, startProxy) => {
  const forward = await startProxy({ login: LOGIN })
  closers.push(forward.stop)
  const shown = `${scheme}://127.0.0.1:${forward.port}`
  const program = await start(['--proxy', `${scheme}://${LOGIN.user}:${LOGIN.password}@127.0.0.1:${forward.port}`])
  expect(await chat(program)).toMatchObject({ status: 200 })
  await expect.poll(() => new Set(forward.targets())).toEqual(new Set([`${HERE}:${front.port}`]))
  expect(await outboundOf(program)).toEqual({ proxy: shown, origin: 'explicit', inUse: true })
  await program.stop()
  expect(program.output()).toContain(shown)
  expect(program.output()).not.toContain(LOGIN.password)
})

test('case 179: HTTPS_PROXY is used, NO_PROXY leaves hosts out, and --proxy none beats both', async () => {
  const forward = await startTinyproxy()
  closers.push(forward.stop)
  const variables = { HTTPS_PROXY: `http://127.0.0.1:${forward.port}` }
  expect(await chat(await start(['--proxy', 'none'], variables))).toMatchObject({ status: 200 })
  expect(await chat(await start([], { ...variables, NO_PROXY: HERE }))).toMatchObject({ status: 200 })
  expect(forward.targets()).toEqual([])
  expect(await chat(await start([], variables))).toMatchObject({ status: 200 })
  await expect.poll(() => forward.targets()).not.toEqual([])
})

test('NO_PROXY that names upstream: health, status and doctor say that the way is direct, not that the proxy is down', async () => {
  const shown = `http://127.0.0.1:${await freePort()}`
  const program = await start(['--proxy', shown], { NO_PROXY: '*' })
  expect(await chat(program)).toMatchObject({ status: 200 })
  const note = `Upstream ${HERE}:${front.port} is reached directly: NO_PROXY names it.`
  expect(await outboundOf(program)).toEqual({ proxy: shown, origin: 'explicit', inUse: false, note })
  const where = { home, env: { ...environment(), NO_PROXY: '*' } }
  const settings = ['--port', new URL(program.url).port, '--proxy', shown]
  const status = await run(['status', '--verbose', ...settings.slice(0, 2)], where)
  expect(status.stdout).toContain(`none, direct, although ${shown} is set (${note})\n`)
  const doctor = await run(['doctor', ...settings], where)
  expect(doctor.stdout).toMatch(/^ok +Outbound proxy +Upstream .* is reached directly: NO_PROXY names it\.$/m)
  expect(doctor.stdout).toMatch(/^ok +TLS /m)
  expect([doctor.code, withoutProgress(doctor).stderr]).toEqual([0, ''])
})

test('a proxy that is down is a 502 that names it, with no way around it', async () => {
  const port = await freePort()
  const before = upstream.requests.length
  const { status, body } = await chat(await start(['--proxy', `http://127.0.0.1:${port}`]))
  expect(status).toBe(502)
  expect(JSON.parse(body)).toMatchObject({
    error: {
      code: 'outbound_proxy_failed',
      message: expect.stringContaining(
        `The outbound proxy http://127.0.0.1:${port} refused the connection (ECONNREFUSED).`,
      ),
    },
  })
  expect(upstream.requests).toHaveLength(before)
})

test('a wrong login at the proxy is a 502 that says so', async () => {
  const forward = await startTinyproxy({ login: LOGIN })
  closers.push(forward.stop)
  const { status, body } = await chat(await start(['--proxy', `http://me:wrong5esame@127.0.0.1:${forward.port}`]))
  expect(status).toBe(502)
  expect(body).toContain('refused the user name or password')
  expect(body).not.toContain('wrong5esame')
})

test('NODE_EXTRA_CA_CERTS is trusted; without any of the variables the certificate is what is wrong', async () => {
  const trusting = await start(['--proxy', 'none'], { SSL_CERT_FILE: '', NODE_EXTRA_CA_CERTS: caFile })
  expect(await chat(trusting)).toMatchObject({ status: 200 })
  const { status, body } = await chat(await start(['--proxy', 'none'], { SSL_CERT_FILE: '' }))
  expect(status).toBe(502)
  expect(body).toContain('has a certificate that is not trusted')
})
