import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processStart } from '../../src/system/process-start.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { listenOnLoopback } from '../support/loopback.ts'
import { LIKE_MACOS, LIKE_WINDOWS } from '../support/preloads.ts'
import { type Home, PROGRAM, run, started, startForeground, withoutProgress } from '../support/program.ts'

let stage: CommandStage
let home: Home
let env: Record<string, string>
beforeEach(async () => {
  stage = await startCommandStage()
  ;({ home, env } = stage)
})
afterEach(() => stage.close())

const command = (...args: string[]) => run(args, { home, env })

async function startServer(...args: string[]): Promise<string> {
  return started(await command('start', '--port', '0', ...args)).url
}

async function ask(url: string, key?: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'a-prompt' }] }),
  })
  await answer.arrayBuffer()
  return answer.status
}

test('status of a server that does not run, for people and programs', async () => {
  expect(await command('status')).toEqual({ code: 3, stdout: 'Not running.\n', stderr: '' })
  expect((await command('status', '--verbose')).stdout).toMatch(/^Not running\.\n\nSetting of the next restart /)
  const { code, stdout } = await command('status', '--json')
  expect(code).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({
    running: false,
    settingsOf: 'next restart',
    settings: { stateFile: { origin: 'default' }, apiKey: { value: null, origin: 'default' } },
  })
})

test('status --verbose shows login, limits and settings with their origin, and no secret', async () => {
  const url = await startServer('--api-key', 'hidden-key', '--max-queue', '7')
  expect(await ask(url, 'hidden-key')).toBe(200)
  const { code, stdout } = await command('status', '--verbose')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Running: http:\/\/127\.0\.0\.1:\d+\/v1 \(process \d+\)\n/)
  expect(stdout).toMatch(/^Login +ChatGPT, plan plus$/m)
  expect(stdout).toMatch(/^Expires +\S+ \S+ UTC \(in 10 days\)$/m)
  expect(stdout).toMatch(/^Outbound proxy +none, direct$/m)
  expect(stdout).toMatch(/^Limit +reset .+ ago; before that 12 % used of 5 h$/m)
  expect(stdout).toMatch(/^Limit +reset .+ ago; before that 31 % used of 7 days$/m)
  expect(stdout).toMatch(/^--max-queue +flag +7$/m)
  expect(stdout).toMatch(/^--api-key +flag +\(set\)$/m)
  expect(stdout).toMatch(/^--max-body +default +64MB$/m)
  expect(stdout).toMatch(/^CODEX_API_PROXY_CHATGPT_BASE_URL +variable CODEX_API_PROXY_CHATGPT_BASE_URL +http:/m)
  const json = (await command('status', '--json')).stdout
  for (const text of [stdout, json]) expect(text).not.toMatch(/hidden-key|made-up|eyJ/)
  expect(JSON.parse(json)).toMatchObject({
    running: true,
    mode: 'background',
    url,
    health: { status: 'ok', mode: 'chatgpt', credentials: { kind: 'chatgpt', plan: 'plus' } },
    settings: { maxQueue: { value: 7, origin: 'flag' } },
  })
})

test.each(['none', 'abc://hidden'])(
  'a client key like %s, which could be an outbound proxy, is not shown',
  async (key) => {
    await startServer('--api-key', key)
    expect((await command('status', '--verbose')).stdout).toMatch(/^--api-key +flag +\(set\)$/m)
    const { settings } = JSON.parse((await command('status', '--json')).stdout)
    expect(settings.apiKey).toEqual({ value: '(set)', origin: 'flag' })
  },
)

test('status says what is wrong with the login and what to do, and the server still runs', async () => {
  await home.writeAuth('{ not json')
  await startServer()
  const { code, stdout } = await command('status')
  expect(code).toBe(0)
  expect(stdout.split('\n')[1]).toMatch(/auth\.json.*codex login/)
})

test('a server in the foreground that ends while it is looked at has no process to name', async () => {
  const health = JSON.stringify({ status: 'ok', mode: 'none' })
  const answers = [health]
  const server = createServer(({ socket }, response) => {
    const answer = answers.pop()
    if (answer === undefined) socket.destroy()
    else response.end(answer)
  })
  const port = await listenOnLoopback(server)
  try {
    const { stdout } = await command('status', '--port', String(port))
    expect(stdout).toContain(`Running, but http://127.0.0.1:${port} does not answer.`)
  } finally {
    server.close()
  }
})

test('status finds a server in the foreground at the configured address', async () => {
  const proxy = await startForeground([], { home, env })
  const { code, stdout } = await command('status', '--port', new URL(proxy.url).port)
  expect([code, stdout]).toEqual([
    0,
    `Running: ${proxy.url}/v1 (process ${proxy.pid}, in the foreground or as a service)\n`,
  ])
  const report = JSON.parse((await command('status', '--json', '--port', new URL(proxy.url).port)).stdout)
  expect(report).toMatchObject({ running: true, mode: 'foreground', pid: proxy.pid, stopping: false, url: proxy.url })
  // What it runs with is not saved anywhere.
  expect(report).not.toHaveProperty('settings')
  await proxy.stop()
})

test('a port that is named is that of another server than the one in the background', async () => {
  const background = await startServer('--api-key', 'of-the-background')
  const proxy = await startForeground([], { home, env })
  const port = ['--port', new URL(proxy.url).port]
  try {
    expect((await command('status', ...port)).stdout).toBe(
      `Running: ${proxy.url}/v1 (process ${proxy.pid}, in the foreground or as a service)\n`,
    )
    expect((await command('clients', 'env', ...port)).stdout).toContain(`OPENAI_BASE_URL='${proxy.url}/v1'`)
    expect((await command('clients', 'env', ...port)).stdout).toContain("OPENAI_API_KEY='unused'")
    expect((await command('doctor', ...port)).stdout).toMatch(/^ok +Process +The server runs in the foreground/m)
  } finally {
    await proxy.stop()
  }
  expect(await command('status', ...port)).toEqual({ code: 3, stdout: 'Not running.\n', stderr: '' })
  expect((await command('doctor', ...port)).stdout).toContain('The server runs in the background')
  const own = ['--port', new URL(background).port]
  for (const args of [own, ['--port', '0'], []])
    expect((await command('status', ...args)).stdout).toContain(`Running: ${background}/v1 (process`)
})

test('of a server on all addresses each command shows one that clients can use', async () => {
  const host = ['--host', '0.0.0.0', '--insecure-no-key']
  const { stdout: started } = await command('start', '--port', '0', ...host)
  const [, url, pid] = /^Started: (http:\/\/127\.0\.0\.1:\d+)\/v1 .*\(process (\d+)\)\n$/.exec(started) ?? []
  const others = "and this machine's other addresses"
  const shown = `${url}/v1 ${others} (process ${pid})`
  expect(started).toBe(`Started: ${shown}\n`)
  expect((await command('start', '--port', '0', ...host)).stdout).toBe(`Already running: ${shown}\n`)
  expect((await command('status')).stdout).toBe(`Running: ${shown}\n`)
  expect(JSON.parse((await command('status', '--json')).stdout)).toMatchObject({ url })
  expect((await command('doctor')).stdout).toMatch(new RegExp(`^ok +Port +${url} ${others}$`, 'm'))

  const other = await startForeground(host, { home, env })
  expect(other.stdout()).toContain(`listens on ${other.url}/v1 ${others}\n`)
  expect(other.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  await command('stop')
  const otherAddress = { CODEX_PROXY_HOST: '0.0.0.0', CODEX_PROXY_PORT: new URL(other.url).port }
  const { stderr } = await run(['stop'], { home, env: { ...env, ...otherAddress } })
  expect(stderr).toContain(`But a server (process ${other.pid}) answers at ${other.url} ${others}: in the foreground`)
  await other.stop()
})

test('what another program answers at the address does not command the terminal', async () => {
  const evil = '\u001b]0;evil\u0007\u009b2J'
  const problem = { message: evil, remedy: 'Run this.' }
  const other = createServer((_request, response) => {
    response.end(JSON.stringify({ status: 'error', mode: 'none', version: evil, credentials: { problem } }))
  })
  const port = await listenOnLoopback(other)
  const { stdout } = await command('status', '--verbose', '--port', String(port))
  other.close()
  expect(stdout).toContain('Run this.')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
})

test('clients tells a server that does not answer from one without models', async () => {
  const other = createServer((request, response) => {
    if (request.url === '/health') response.end(JSON.stringify({ status: 'ok', mode: 'none' }))
    else request.destroy()
  })
  const port = await listenOnLoopback(other)
  expect(withoutProgress(await command('clients', 'env', '--port', String(port)))).toMatchObject({
    code: 0,
    stderr: 'The server did not answer; see `codex-api-proxy doctor`.\n',
  })
  other.close()
})

test.each(['HTTP', 'HTTPS'])('status of a server that does not answer says what to do, over %s', async (way) => {
  const tls = { cert: join(home.path, 'cert.pem'), key: join(home.path, 'key.pem') }
  const { cert, key } = selfSignedCertificate()
  await Promise.all([writeFile(tls.cert, cert), writeFile(tls.key, key)])
  const args = way === 'HTTPS' ? ['--tls-cert', tls.cert, '--tls-key', tls.key] : []
  const { url, pid } = started(await command('start', '--port', '0', ...args))
  process.kill(pid, 'SIGSTOP')
  try {
    expect(await command('status')).toMatchObject({
      code: 0,
      stdout: `Running (process ${pid}), but ${url} does not answer. See \`codex-api-proxy logs\`, or restart it: \`codex-api-proxy restart\`.\n`,
    })
  } finally {
    process.kill(pid, 'SIGCONT')
  }
})

test('of a server that is asked over TLS by a name the certificate may be why it does not answer', async () => {
  await mkdir(home.runFolder)
  // A name that no name server is asked for.
  const note = `${process.pid}\nstarted=${await processStart(process.pid)}\nurl=https://a..b:9\n`
  const pidFile = join(home.runFolder, 'codex-api-proxy.pid')
  await writeFile(pidFile, note)
  expect((await command('status')).stdout).toContain(
    'but https://a..b:9 does not answer, or has a certificate that is not trusted here. See',
  )
  await rm(pidFile)
})

test('logs shows the last lines, readable or as they are, and not the prompts', async () => {
  const url = await startServer()
  await ask(url)
  // The line is written some time after the answer.
  await expect.poll(() => readFile(join(home.runFolder, 'codex-api-proxy.log'), 'utf8')).toContain('request finished')
  const all = (await command('logs')).stdout
  expect(all).toMatch(/^\d\d:\d\d:\d\d info {2}listening url=http/m)
  expect(all).toMatch(/request finished/)
  expect(all).not.toContain('a-prompt')
  const [line = '', ...others] = (await command('logs', '-n', '1', '--json')).stdout.trimEnd().split('\n')
  expect(others).toEqual([])
  expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'request finished', model: 'gpt-5.5' })
  const inTokyo = (await run(['logs', '-n', '1'], { home, env: { TZ: 'Asia/Tokyo' } })).stdout
  const nineHoursLater = new Date(Date.parse(JSON.parse(line).time) + 9 * 3600_000)
  expect(inTokyo.slice(0, 8)).toBe(nineHoursLater.toISOString().slice(11, 19))
})

test('logs shows what a client made up, and odd lines, without their commands to the terminal', async () => {
  const url = await startServer()
  await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: '\u001b[31mgpt', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  const log = join(home.runFolder, 'codex-api-proxy.log')
  await expect.poll(() => readFile(log, 'utf8')).toContain('request finished')
  await writeFile(log, '{ code: 1 }\n', { flag: 'a' })
  const { code, stdout } = await command('logs')
  expect(code).toBe(0)
  expect(stdout).toContain('model="\\u001b[31mgpt"')
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toContain('\n{ code: 1 }\n')
})

test('logs goes on into the rotated file for the lines that are missing', async () => {
  await mkdir(home.runFolder)
  const log = join(home.runFolder, 'codex-api-proxy.log')
  await writeFile(`${log}.1`, 'one\ntwo\nthree\n')
  expect(await command('logs', '-n', '2')).toEqual({ code: 0, stdout: 'two\nthree\n', stderr: '' })
  await writeFile(log, 'four\nfive\n')
  expect((await command('logs', '-n', '2')).stdout).toBe('four\nfive\n')
  expect((await command('logs', '-n', '4')).stdout).toBe('two\nthree\nfour\nfive\n')
  expect((await command('logs')).stdout).toBe('one\ntwo\nthree\nfour\nfive\n')
  // As when it is rotated while it is read.
  await rm(`${log}.1`)
  await link(log, `${log}.1`)
  expect(await command('logs')).toEqual({ code: 0, stdout: 'four\nfive\n', stderr: '' })
})

test('logs does not look at the rotated file where no lines are missing', async () => {
  const log = join(home.runFolder, 'codex-api-proxy.log')
  await mkdir(`${log}.1`, { recursive: true })
  await writeFile(log, 'one\ntwo\n')
  expect(await command('logs', '-n', '2')).toEqual({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
})

test('logs without a log says so', async () => {
  const { code, stdout, stderr } = await command('logs')
  expect([code, stdout]).toEqual([0, ''])
  expect(stderr).toMatch(/^Nothing was logged yet: there is no .*codex-api-proxy\.log\.\n$/)
  await mkdir(home.runFolder)
  // As a start leaves it that finds its port taken.
  await writeFile(join(home.runFolder, 'codex-api-proxy.log'), '')
  expect((await command('logs')).stderr).toMatch(/^Nothing was logged yet: .*codex-api-proxy\.log is empty\.\n$/)
})

test('logs of a folder names it', async () => {
  expect(await command('logs', '--log-file', home.path)).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: Can't use ${home.path}: it is a folder.\n`,
  })
})

test('logs of a pipe or a device says that it keeps nothing', async () => {
  const pipe = join(home.path, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const path of [pipe, '/dev/null']) {
    expect(await command('logs', '--log-file', path)).toEqual({
      code: 1,
      stdout: '',
      stderr: `codex-api-proxy: ${path} is not a regular file: what is logged there is not kept.\n`,
    })
  }
})

test('on macOS logs does not say that a server which may be of launchd logs elsewhere', async () => {
  const proxy = await startForeground([], { home, env })
  await mkdir(home.runFolder)
  await writeFile(join(home.runFolder, 'codex-api-proxy.log'), 'of launchd\n')
  const asOnMacOs = { CODEX_PROXY_PORT: new URL(proxy.url).port, NODE_OPTIONS: LIKE_MACOS }
  expect(await run(['logs'], { home, env: { ...env, ...asOnMacOs } })).toEqual({
    code: 0,
    stdout: 'of launchd\n',
    stderr: 'A foreground server logs to its terminal, a service to its --log-file.\n',
  })
  await proxy.stop()
})

test('on Windows logs speaks of no service: there is none', async () => {
  const proxy = await startForeground([], { home, env })
  const { stderr } = await run(['logs'], {
    home,
    env: { ...env, CODEX_PROXY_PORT: new URL(proxy.url).port, NODE_OPTIONS: LIKE_WINDOWS },
  })
  expect(stderr.split('\n')).toContain('The running server logs to its terminal.')
  await proxy.stop()
})

test('logs of a server that is not in the background says where its log is', async () => {
  const proxy = await startForeground([], { home, env })
  const { stderr } = await run(['logs'], { home, env: { ...env, CODEX_PROXY_PORT: new URL(proxy.url).port } })
  expect(stderr).toMatch(/The running server logs to its terminal or, as a systemd service, to the journal/)
  // Of an earlier server in the background.
  await mkdir(home.runFolder)
  await writeFile(join(home.runFolder, 'codex-api-proxy.log'), 'old\n')
  const old = await run(['logs'], { home, env: { ...env, CODEX_PROXY_PORT: new URL(proxy.url).port } })
  expect(old).toMatchObject({ stdout: 'old\n', stderr: expect.stringMatching(/^The running server logs to its/) })
  await proxy.stop()
})

test('logs -f shows what is added, across rotation, and ends with its reader', async () => {
  await mkdir(home.runFolder)
  const log = join(home.runFolder, 'codex-api-proxy.log')
  const line = (msg: string) => `${JSON.stringify({ level: 'info', time: '2026-01-01T10:20:30.000Z', msg })}\n`
  await writeFile(log, line('before'))
  const following = spawn(process.execPath, [PROGRAM, 'logs', '-f'], {
    env: home.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let shown = ''
  following.stdout.setEncoding('utf8').on('data', (text) => {
    shown += text
  })
  const until = async (text: string) => {
    while (!shown.includes(text)) await once(following.stdout, 'data')
  }
  try {
    await until('10:20:30 info  before\n')
    await writeFile(log, line('added'), { flag: 'a' })
    await until('added')
    await rename(log, `${log}.1`)
    await writeFile(`${log}.1`, line('last of the old'), { flag: 'a' })
    // On Windows a crash ends its lines so.
    await writeFile(log, `${line('first of the new')}not JSON, as a crash leaves it\r\n`)
    await until('not JSON, as a crash leaves it\n')
    expect(shown.match(/before|added|last of the old|first of the new/g)).toEqual([
      'before',
      'added',
      'last of the old',
      'first of the new',
    ])
  } finally {
    following.kill('SIGINT')
  }
  await once(following, 'exit')
})

test('the log is rotated by its size', async () => {
  const url = await startServer('--log-max-size', '1k')
  for (let request = 0; request < 10; request++) await ask(url)
  const { stdout } = await command('logs', '-n', '1', '--json')
  expect(JSON.parse(stdout).msg).toBe('request finished')
  const [now, older] = await Promise.all(
    ['', '.1'].map(async (end) => (await stat(join(home.runFolder, `codex-api-proxy.log${end}`))).size),
  )
  expect(now).toBeLessThanOrEqual(1024)
  expect(older).toBeLessThanOrEqual(1024)
})

test('an API key login is told apart', async () => {
  await home.writeAuth(apiKeyAuth())
  await startServer()
  expect((await command('status', '-v')).stdout).toMatch(/^Login +API key$/m)
})
