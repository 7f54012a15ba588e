import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { connect, createServer as createPlainServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { FakeUpstream } from '../fake-upstream/server.ts'
import { startTokenIssuer } from '../fake-upstream/token-issuer.ts'
import { apiKeyAuth, chatgptAuth, unsignedJwt } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { freePort, listenOnLoopback } from '../support/loopback.ts'
import { preload } from '../support/preloads.ts'
import { type Home, NOTHING_THERE, run, started, startForeground, withoutProgress } from '../support/program.ts'

let stage: CommandStage
let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeEach(async () => {
  stage = await startCommandStage()
  ;({ home, upstream, env } = stage)
})
afterEach(() => stage.close())

type Check = { name: string; state: string; message: string; remedy?: string }

async function doctor(...args: string[]): Promise<{ code: number | null; checks: Record<string, Check> }> {
  const { code, stdout, stderr } = await run(['doctor', '--json', ...args], { home, env })
  if (stdout === '') throw new Error(stderr)
  const { ok, checks } = JSON.parse(stdout)
  expect(ok).toBe(code === 0)
  return { code, checks: Object.fromEntries(checks.map((check: Check) => [check.name, check])) }
}

function problemsOf(checks: Record<string, Check>): string[] {
  return Object.values(checks).flatMap(({ name, state }) => (state === 'problem' ? [name] : []))
}

test('all is well: each line says so, and nothing is called unless asked', async () => {
  const { code, stdout, stderr } = withoutProgress(await run(['doctor'], { home, env }))
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^ok +Login +ChatGPT, plan plus, from .*auth\.json\.$/m)
  expect(stdout).toMatch(/^ok +Token +Expires in 10 days; it is refreshed before that\.$/m)
  expect(stdout).toMatch(/^ok +Upstream +127\.0\.0\.1:\d+ answers \(\d+ without credentials\)\.$/m)
  expect(stdout).toMatch(/^ok +Clock +Agrees with upstream\.$/m)
  expect(stdout).toMatch(/^ok +Models +\d+: gpt-6\.1-sol, .* …$/m)
  expect(stdout).not.toMatch(/^fix/m)
  expect(stdout).not.toMatch(/made-up|eyJ/)
  expect(upstream.calls()).toEqual([])
})

test('the certificate that the server was started with is judged, and without a server the one in the file', async () => {
  const [cert, key] = [join(home.path, 'cert.pem'), join(home.path, 'key.pem')]
  const write = async ({ cert: text, key: secret }: ReturnType<typeof selfSignedCertificate>) => {
    await writeFile(cert, text)
    await writeFile(key, secret, { mode: 0o600 })
  }
  const expired = selfSignedCertificate(undefined, undefined, '20210101000000Z')
  const good = selfSignedCertificate()
  const tls = ['--tls-cert', cert, '--tls-key', key]
  const message = expect.stringMatching(/^It expired \d+ days ago: clients refuse it\.$/)
  const remedy = 'Renew it, then restart the server, which reads it only at its start.'
  const outdated = { name: 'Certificate', state: 'problem', message, remedy }
  await write(expired)
  expect((await doctor(...tls)).checks.Certificate).toEqual(outdated)

  const server = await startForeground(tls, { home, env })
  try {
    await write(good)
    const port = ['--port', new URL(server.url).port]
    expect((await doctor(...tls, ...port)).checks.Certificate).toEqual(outdated)
  } finally {
    await server.stop()
  }
  const { checks } = await doctor(...tls)
  expect(checks.Certificate?.message).toMatch(/^Expires in \d+ days; a renewed one is read at the next restart\.$/)
  expect(problemsOf(checks)).toEqual([])
  expect((await doctor()).checks.Certificate).toBeUndefined()
})

test('a login that works but can no longer be refreshed is to be renewed, not waited for', async () => {
  const issuer = await startTokenIssuer()
  await home.writeAuth(issuer.login({ lifetimeMs: 60_000 }))
  issuer.answerNext(401, { error: { code: 'refresh_token_expired' } })
  const server = await startForeground([], { home, env: { ...env, CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url } })
  try {
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(200)
    const port = ['--port', new URL(server.url).port]
    expect((await doctor(...port)).checks.Token).toEqual({
      name: 'Token',
      state: 'problem',
      message: 'The login can no longer be refreshed: its refresh token has expired.',
      remedy: 'Requests still work. Sign in again with `codex login`; the next request picks it up.',
    })
    const told = /^Requests still work\. The login can no longer .* Sign in again with `codex login`/gm
    for (const verbose of [[], ['--verbose']]) {
      const { stdout } = await run(['status', ...verbose, ...port], { home, env })
      expect(stdout.match(told)).toHaveLength(1)
    }
  } finally {
    await server.stop()
    await issuer.close()
  }
})

test('--call sends one short request, through the server that runs', async () => {
  await run(['start'], { home, env })
  const { code, checks } = await doctor('--call')
  expect(code).toBe(0)
  expect(checks.Process?.message).toMatch(/^The server runs in the background \(process \d+\)\.$/)
  expect(checks.Call).toMatchObject({ state: 'ok', message: expect.stringMatching(/^gpt-6\.1-sol answered within/) })
  expect(upstream.calls()).toHaveLength(1)
})

test('an API key is checked against its own upstream', async () => {
  await home.writeAuth(apiKeyAuth())
  const { code, checks } = await doctor()
  expect(checks.Login?.message).toMatch(/^API key, from /)
  expect(checks.Token?.state).toBe('skipped')
  expect([code, checks.Models?.state]).toEqual([0, 'ok'])
})

test('an API key that upstream refuses is to be looked at, not the log of a server that does not run', async () => {
  await home.writeAuth(apiKeyAuth('no-key'))
  const { code, checks } = await doctor()
  expect([code, problemsOf(checks)]).toEqual([1, ['Models']])
  expect(checks.Models?.remedy).toBe('Sign in again with `codex login`, or check the API key.')

  await home.writeAuth(apiKeyAuth())
  upstream.enqueue({ status: 429, body: { error: { message: 'No quota.', type: 'insufficient_quota', code: null } } })
  const { checks: others } = await doctor()
  expect(others.Models).toMatchObject({
    message: 'No quota.',
    remedy: expect.stringContaining('`codex-api-proxy start`'),
  })
})

test.each([
  ['HTTPS_PROXY="http://me:hidden@127.0.0.1:9"', true],
  ['HTTP_PROXY=http://127.0.0.1:9\nexport all_proxy = socks5://127.0.0.1:9', true],
  ['# HTTPS_PROXY=http://127.0.0.1:9\nhttps_proxy=\nNO_PROXY=localhost', false],
])('an outbound proxy that only Codex reads is pointed to, without its password (%j: %s)', async (content, told) => {
  const file = join(home.codexHome, '.env')
  await writeFile(file, content)
  const { checks: withNone } = await doctor()
  expect(withNone['Outbound proxy']?.message).toBe('None: connections are direct.')

  env = { ...env, CODEX_API_PROXY_HTTPS_PROXY: '' }
  const { code, checks } = await doctor()
  const hint = ` Codex uses the one in ${file}; if it is needed here too, set it with --proxy.`
  expect(checks['Outbound proxy']?.message.endsWith(hint)).toBe(told)
  expect(checks['Outbound proxy']?.message).not.toContain('hidden')
  expect(code).toBe(0)
})

test('a token that has expired is said to have, and a failed refresh says itself what to do', async () => {
  const exp = Math.floor(Date.now() / 1000) - 7200
  await home.writeAuth(chatgptAuth({ access_token: unsignedJwt({ exp }) }))
  const { code, checks } = await doctor()
  expect(checks.Token).toMatchObject({ state: 'ok', message: 'Expired 2 h ago; the next request refreshes it.' })
  expect([code, problemsOf(checks)]).toEqual([1, ['Models']])
  expect(checks.Models?.message).toMatch(/^The login could not be refreshed\. .* \(ECONNREFUSED\)\.$/)
  expect(checks.Models?.remedy).toMatch(/^Try again a little later; /)
})

test('a token that only Codex may refresh is not said to be refreshed', async () => {
  const { checks } = await doctor('--credentials', 'read-only')
  expect(checks.Token?.message).toBe('Expires in 10 days; refreshing it is left to Codex.')
})

test('a server that does not answer is to be started anew, and is not waited for again', async () => {
  const { pid } = started(await run(['start'], { home, env }))
  process.kill(pid, 'SIGSTOP')
  try {
    const { code, checks } = await doctor('--call')
    expect([code, problemsOf(checks)]).toEqual([1, ['Login']])
    expect(checks.Login?.message).toBe('The server did not answer.')
    expect(checks.Login?.remedy).toContain('`codex-api-proxy restart`')
    expect([checks.Models?.state, checks.Call?.state]).toEqual(['skipped', 'skipped'])
  } finally {
    process.kill(pid, 'SIGCONT')
  }
})

/** As NODE_OPTIONS: whatever is given less than ten seconds has none. */
const SLOW_MACHINE = preload(
  'const { timeout } = AbortSignal; AbortSignal.timeout = (limit) => timeout.call(AbortSignal, limit < 10_000 ? 0 : limit)',
)

test('on a busy machine the server that doctor starts for itself is not taken for silent', async () => {
  env = { ...env, NODE_OPTIONS: SLOW_MACHINE }
  const { code, checks } = await doctor()
  expect([code, checks.Login?.state, checks.Models?.state]).toEqual([0, 'ok', 'ok'])
})

test('a missing login is one thing to fix, and the network is looked at nevertheless', async () => {
  const { CODEX_HOME: _, ...plain } = home.env
  home = { ...home, env: plain }
  const { code, checks } = await doctor()
  expect(code).toBe(1)
  expect(checks.Login).toMatchObject({ state: 'problem', remedy: expect.stringContaining('codex login') })
  expect(checks.Process?.message).toBe('Not running; `codex-api-proxy start` starts it.')
  expect(checks.Upstream?.state).toBe('ok')
  expect(problemsOf(checks)).toEqual(['Login'])
})

test.each([{ 'cf-mitigated': 'challenge' }, { 'content-type': 'text/html' }])(
  'a CDN that refuses this network is told apart from upstream',
  async (headers) => {
    upstream.setModelsAnswer({ status: 403, headers, body: '<html>Just a moment</html>' })
    const { code, checks } = await doctor()
    expect(code).toBe(1)
    expect(checks.Upstream?.message).toMatch(
      /^Something in front of upstream answered 403 with a web page \(cf-ray [\w-]+\)\.$/,
    )
    expect(checks.Upstream?.remedy).toContain('another network')
  },
)

test('a gateway that redirects to its sign-in page is no upstream that answers', async () => {
  upstream.setModelsAnswer({ status: 302, headers: { location: 'https://login.example/' } })
  const { code, checks } = await doctor()
  expect(code).toBe(1)
  expect(checks.Upstream?.message).toBe(
    'Something in front of upstream answered 302, a redirect to https://login.example/, which the proxy does not follow.',
  )
  expect(checks.Upstream?.remedy).toContain('a gateway in this network interferes')
})

test('a call that fails with the upstream is no second thing to fix, though Codex has noted models', async () => {
  const noted = { models: [{ slug: 'gpt-noted', visibility: 'list', supported_in_api: true }] }
  await writeFile(join(home.codexHome, 'models_cache.json'), JSON.stringify(noted))
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: `${NOTHING_THERE}/backend-api/codex` }
  const { checks } = await doctor('--call')
  expect(checks.Models).toMatchObject({ state: 'ok', message: '1: gpt-noted' })
  expect(checks.Call?.message).toBe('Not checked: fix the problem above first.')
  expect(problemsOf(checks)).toEqual(['Upstream'])
})

test('an upstream that is down, a name that is none, and a failing TLS are told apart', async () => {
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: `${NOTHING_THERE}/backend-api/codex` }
  const down = await doctor('--call')
  expect(down.checks.Upstream).toMatchObject({ state: 'problem', message: expect.stringContaining('refused') })
  expect(down.checks.Upstream?.remedy).toBe('Check the network and the --proxy setting.')
  expect(problemsOf(down.checks)).toEqual(['Upstream'])

  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: 'https://nowhere.invalid/v1' }
  const unknown = await doctor()
  expect(unknown.checks.DNS).toMatchObject({
    state: 'problem',
    message: expect.stringMatching(
      /^nowhere\.invalid (has no address in DNS|could not be looked up: .*) \(E[A-Z_]+\)\.$/,
    ),
  })
  expect(problemsOf(unknown.checks)).toEqual(['DNS'])

  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl.replace('http:', 'https:') }
  const plain = await doctor()
  expect([plain.checks.DNS?.state, plain.checks.TLS?.state]).toEqual(['skipped', 'problem'])
  expect(plain.checks.TLS?.message).toMatch(
    /^No secure connection to 127\.0\.0\.1:\d+: it does not speak TLS there \([A-Z_]+\)\.$/,
  )
  expect(plain.checks.TLS?.remedy).toMatch(/otherwise check the network and the --proxy setting\.$/)
  expect(problemsOf(plain.checks)).toEqual(['TLS'])
})

/** Beyond loopback, where the outbound proxy is used; nothing listens there. */
const ELSEWHERE = 'https://0.0.0.0:1/v1'

test('an outbound proxy that does not answer is named', async () => {
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: ELSEWHERE }
  const { code, checks } = await doctor('--proxy', 'http://127.0.0.1:1')
  expect(code).toBe(1)
  expect(problemsOf(checks)).toEqual(['Outbound proxy'])
  expect(checks['Outbound proxy']).toMatchObject({
    state: 'problem',
    message: expect.stringMatching(
      /^http:\/\/127\.0\.0\.1:1\/? can't be reached: it refused the connection \(ECONNREFUSED\)\.$/,
    ),
  })
})

/** A port where connections are neither accepted nor refused: its process stands still, and its queue is full. */
async function silentPort(): Promise<{ port: number; close(): void }> {
  const script =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(String(s.address().port)))"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  child.kill('SIGSTOP')
  const sockets: Socket[] = []
  for (let isFull = false; !isFull; ) {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {})
    sockets.push(socket)
    const limit = new AbortController()
    isFull = await Promise.race([
      once(socket, 'connect', { signal: limit.signal }).then(() => false),
      // On a busy machine both may be due at once: the turn after, a connection that was made has been told.
      delay(500, undefined, { signal: limit.signal }).then(() => nextTurn(true)),
    ])
    limit.abort()
  }
  return {
    port,
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

test('an outbound proxy that is silent is named, and is the one thing to fix', async () => {
  const silent = await silentPort()
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: ELSEWHERE }
  try {
    const { stdout, stderr, code } = await run(['doctor', '--proxy', `http://127.0.0.1:${silent.port}`], { home, env })
    expect([code, stderr]).toEqual([1, 'Checking …\n'])
    expect(stdout).toMatch(
      /^fix +Outbound proxy +http:\/\/127\.0\.0\.1:\d+\/? can't be reached: it did not answer within 10 s\.$/m,
    )
    for (const name of ['Upstream', 'Models'])
      expect(stdout).toMatch(new RegExp(`^- +${name} +Not checked: fix the problem above first\\.$`, 'm'))
  } finally {
    silent.close()
  }
})

test('a model that would not be called is not taken for one that works', async () => {
  expect(await run(['doctor', '--model', 'gpt-5.5'], { home, env })).toEqual({
    code: 2,
    stdout: '',
    stderr: 'codex-api-proxy: --model names the model that --call uses: add --call.\n',
  })
})

test('an upstream that takes connections and is silent has been reached', async () => {
  const silent = createPlainServer(() => {})
  const port = await listenOnLoopback(silent)
  onTestFinished(() => void silent.close())
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: `http://127.0.0.1:${port}/backend-api/codex` }
  const { Upstream: reached } = (await doctor()).checks
  expect(reached).toMatchObject({
    state: 'problem',
    message: `Upstream 127.0.0.1:${port} did not answer within 10 s.`,
  })
})

test('certificates that are not checked are a problem, since the login is then anybody’s', async () => {
  expect((await doctor()).checks.Certificates).toBeUndefined()
  env = { ...env, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  const { Certificates: certificates } = (await doctor()).checks
  expect(certificates).toMatchObject({ state: 'problem', message: expect.stringContaining('turns off their check') })
})

/** An upstream with a certificate of its own, which is in `caFile`. */
async function startTlsUpstream(certificate = selfSignedCertificate()) {
  const server = createServer(certificate, (_request, response) => response.writeHead(401).end('{}'))
  const port = await listenOnLoopback(server)
  const caFile = join(home.path, 'ca.pem')
  await writeFile(caFile, certificate.cert)
  return { server, port, caFile }
}

test('TLS is judged with the certificates that requests trust', async () => {
  const { server, port, caFile } = await startTlsUpstream()
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: `https://localhost:${port}` }
  try {
    const { TLS: untrusted } = (await doctor()).checks
    expect(untrusted?.state).toBe('problem')
    const plain = env
    for (const variable of ['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
      expect(untrusted?.remedy).toContain(variable)
      env = { ...plain, [variable]: caFile }
      const { checks } = await doctor()
      expect([checks.TLS?.state, checks.Upstream?.state], variable).toEqual(['ok', 'ok'])
    }
  } finally {
    server.close()
  }
})

test('TLS of an upstream without a name is judged too, and Node warns of nothing', async () => {
  const { server, port, caFile } = await startTlsUpstream()
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: `https://127.0.0.1:${port}`, SSL_CERT_FILE: caFile }
  try {
    const { stdout, stderr } = await run(['doctor'], { home, env })
    expect(stdout).toMatch(/^ok +TLS +TLSv1\.3, certificate by localhost until /m)
    expect(stderr).not.toContain('Warning')
  } finally {
    server.close()
  }
})

test('a certificate that is out of its time leads to the clock', async () => {
  const expired = selfSignedCertificate(undefined, undefined, '20210101000000Z')
  const { server, port, caFile } = await startTlsUpstream(expired)
  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: `https://localhost:${port}`, NODE_EXTRA_CA_CERTS: caFile }
  try {
    const { checks } = await doctor()
    expect(checks.TLS).toMatchObject({
      state: 'problem',
      message: expect.stringContaining('CERT_HAS_EXPIRED'),
      remedy: expect.stringMatching(
        /^The time on this machine is \d{4}-\d\d-\d\d \d\d:\d\d UTC\. If that is wrong, set its clock/,
      ),
    })
  } finally {
    server.close()
  }
})

test('a file of certificates that is not read is something to fix', async () => {
  const missing = join(home.path, 'nowhere.pem')
  env = { ...env, SSL_CERT_FILE: missing }
  const { code, checks } = await doctor()
  expect([code, problemsOf(checks)]).toEqual([1, ['Certificates']])
  expect(checks.Certificates?.message).toBe('The certificates in SSL_CERT_FILE were not read: ENOENT.')
})

test('without the client key of the server that runs the login is unknown, and a failing one is still a problem', async () => {
  const server = await startForeground(['--api-key', 'secret'], { home, env })
  const port = ['--port', new URL(server.url).port]
  try {
    const unseen = await doctor(...port)
    expect(unseen.checks.Login).toEqual({
      name: 'Login',
      state: 'skipped',
      message: 'The client key is needed to see the login.',
    })
    expect(unseen.checks.Models?.remedy).toBe('Give that key with --api-key-file or CODEX_PROXY_API_KEY.')
    await rm(join(home.codexHome, 'auth.json'))
    const failing = await doctor(...port)
    expect([failing.code, failing.checks.Login?.state]).toEqual([1, 'problem'])
    expect(failing.checks.Login?.message).toMatch(/^Requests fail now/)
    const seen = await doctor(...port, '--api-key', 'secret')
    expect(seen.checks.Login?.remedy).toContain('codex login')
  } finally {
    await server.stop()
  }
})

test.each([
  ['Thu, 01 Jan 2026 00:00:00 GMT', /^\d+ days ahead of upstream\.$/],
  ['Fri, 01 Jan 2100 00:00:00 GMT', /^\d+ days behind upstream\.$/],
])('a wrong clock is noticed: it is %s for upstream', async (date, message) => {
  upstream.setModelsAnswer({ status: 401, headers: { date }, body: {} })
  const { checks } = await doctor()
  expect(checks.Clock).toMatchObject({ state: 'problem', message: expect.stringMatching(message) })
})

test('a login that names neither a plan nor an end is one', async () => {
  await home.writeAuth({ tokens: { access_token: 'made-up', account_id: 'made-up' } })
  const { checks } = await doctor()
  expect(checks.Login).toMatchObject({ state: 'ok', message: expect.stringMatching(/^ChatGPT, from .*auth\.json\.$/) })
  expect(checks.Token).toMatchObject({ state: 'skipped', message: 'It has no readable expiry.' })
})

test('an upstream that lists no models is something to fix', async () => {
  upstream.setModelsAnswer({ status: 200, body: { models: [] } })
  const { checks } = await doctor('--call')
  expect(checks.Models).toMatchObject({ state: 'problem', message: 'There are none.' })
  expect(checks.Call).toMatchObject({ state: 'skipped', message: 'There is no model to call.' })
})

test('an upstream that tells no time says nothing about the clock', async () => {
  upstream.setModelsAnswer({ status: 401, headers: { date: 'noon' }, body: {} })
  const { checks } = await doctor()
  expect(checks.Clock).toMatchObject({ state: 'skipped', message: 'Not checked: upstream sent no date.' })
})

test('a port that is free, and the pid file of a server that crashed, are nothing to fix', async () => {
  await mkdir(home.runFolder)
  await writeFile(join(home.runFolder, 'codex-api-proxy.pid'), '1\nstarted=long ago\n')
  const port = await freePort()
  const { checks } = await doctor('--port', String(port))
  expect(checks.Port).toMatchObject({ state: 'ok', message: `${port} is free.` })
  expect(checks.Process).toMatchObject({
    state: 'ok',
    message: 'Not running; the next start replaces the pid file of an earlier server.',
  })
})

test('an address that this machine does not have is told as the system does', async () => {
  const { checks } = await doctor('--host', '192.0.2.1', '--insecure-no-key')
  expect(checks.Port).toMatchObject({
    state: 'problem',
    message: expect.stringMatching(/^192\.0\.2\.1:0 can't be used: .*EADDRNOTAVAIL/),
  })
})

test('a port that another program uses is something to fix', async () => {
  const other = createPlainServer((socket) => socket.end('hello\n'))
  const port = await listenOnLoopback(other)
  try {
    const { checks } = await doctor('--port', String(port))
    expect(checks.Port).toEqual({
      name: 'Port',
      state: 'problem',
      message: `127.0.0.1:${port} can't be used: another program uses it.`,
      remedy: 'Choose another --port or --host.',
    })
  } finally {
    other.close()
  }
})

test('settings that no server starts with are a problem while none runs', async () => {
  const { code, checks } = await doctor('--api-key-file', 'nowhere')
  expect(code).toBe(1)
  expect(checks.Settings).toMatchObject({
    state: 'problem',
    message: expect.stringContaining("can't be read (ENOENT)"),
  })
})

test('files that others can read are listed with the command that mends it, whatever they are called', async () => {
  const keyFile = join(home.path, "it's a key")
  await writeFile(keyFile, 'secret')
  const files = [join(home.codexHome, 'auth.json'), keyFile]
  for (const file of files) await chmod(file, 0o644)
  const { code, checks } = await doctor('--api-key-file', keyFile)
  expect(code).toBe(1)
  expect(checks.Permissions?.message).toBe(`Others can read ${files.join(', ')}.`)
  const [, remedy = ''] = /^Run: (chmod go= .+)$/.exec(checks.Permissions?.remedy ?? '') ?? []
  expect(spawnSync('sh', ['-c', remedy], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  expect((await doctor('--api-key-file', keyFile)).checks.Permissions?.state).toBe('ok')
})

test('run files that could not be written are a problem while no server runs', async () => {
  const file = join(home.path, 'a-file')
  await writeFile(file, '')
  const noFolder = await doctor('--state-file', join(file, 'below', 'state.json'))
  expect([noFolder.code, noFolder.checks['Run files']?.state]).toEqual([1, 'problem'])
  expect(noFolder.checks['Run files']?.message).toBe(
    `Can't use ${join(file, 'below')}: a part of the path is not a folder.`,
  )
  expect(noFolder.checks['Run files']?.remedy).toContain('--state-file in another folder')

  const folderAsLog = await doctor('--log-file', home.codexHome)
  expect(folderAsLog.checks['Run files']?.message).toBe(`Can't use ${home.codexHome}: it is a folder.`)
})

test('what keeps a start from its run files is found where it looks, too', async () => {
  const secrets = join(home.runFolder, 'codex-api-proxy.state.secrets.json')
  await mkdir(secrets, { recursive: true, mode: 0o700 })
  const { checks } = await doctor()
  expect(checks['Run files']?.message).toBe(`Can't use ${secrets}: it is a folder.`)
  expect((await run(['start'], { home, env })).stderr).toContain(`Can't use ${secrets}: it is a folder.`)
})

test('run files that can not be read are one thing to fix, and the rest is looked at nevertheless', async () => {
  const state = join(home.runFolder, 'codex-api-proxy.state.json')
  await mkdir(home.runFolder, { mode: 0o700 })
  await writeFile(state, 'broken', { mode: 0o600 })
  const { code, checks } = await doctor()
  expect([code, checks.Models?.state, problemsOf(checks)]).toEqual([1, 'ok', ['Run files']])
  expect(checks['Run files']).toMatchObject({
    message: expect.stringMatching(/ holds no saved settings; move it away/),
    remedy: 'Or choose others with --state-file and --pid-file.',
  })
  await rm(state)
  await mkdir(state)
  await chmod(state, 0o700)
  const folder = await doctor()
  expect(folder.checks['Run files']).toMatchObject({
    message: `Can't use ${state}: it is a folder.`,
    remedy: 'Make it readable for you, delete it, or choose others with --state-file and --pid-file.',
  })
  expect([folder.checks.Process?.state, folder.checks.Port?.state]).toEqual(['skipped', 'skipped'])
})

test('a folder that others use as well is not to be closed to them, and no device', async () => {
  await chmod(home.path, 0o755)
  const { code, checks } = await doctor('--state-file', join(home.path, 'state.json'), '--log-file', '/dev/null')
  expect([code, checks.Permissions?.state]).toEqual([0, 'ok'])
  await mkdir(home.runFolder)
  await chmod(home.runFolder, 0o755)
  expect((await doctor()).checks.Permissions?.remedy).toBe(`Run: chmod go= ${home.runFolder}`)
})

test('looking whether run files could be written leaves nothing behind', async () => {
  // Node from 22 on keeps there what it compiled.
  await mkdir(join(home.path, '.cache'))
  const left = async () => (await readdir(home.path, { recursive: true })).filter((path) => !/^\.cache\W/.test(path))
  const before = await left()
  const { code, checks } = await doctor('--log-file', join(home.path, 'to', 'be', 'made.log'))
  expect([code, checks['Run files']?.state]).toEqual([0, 'ok'])
  expect(await left()).toEqual(before)
})
