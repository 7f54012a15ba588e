import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { BACKGROUND_COMMAND } from '../../src/cli/context.ts'
import { whereStarted } from '../../src/cli/unlisted-server.ts'
import { OPTION_NAMES } from '../../src/config/load.ts'
import type { Option } from '../../src/config/option.ts'
import { OPTIONS, type OptionName } from '../../src/config/options.ts'
import { acquireLock } from '../../src/system/lock-file.ts'
import { processStart } from '../../src/system/process-start.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { freePort, listenOnLoopback } from '../support/loopback.ts'
import { preload } from '../support/preloads.ts'
import { createHome, type Home, PROGRAM, run, started, startForeground, withoutProgress } from '../support/program.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(apiKeyAuth())
})
afterEach(() => home.remove())

const runWith = async (env: Readonly<Record<string, string>>, ...args: string[]) =>
  withoutProgress(await run(args, { home, env }))
const command = (...args: string[]) => runWith({}, ...args)
/** With the port that was saved: a variable, as the tests have one, would beat it. */
const withSavedPort = (...args: string[]) => runWith({ CODEX_PROXY_PORT: '' }, ...args)
const pidFile = () => join(home.runFolder, 'codex-api-proxy.pid')

/** Also false for what is left of a process until its parent looks at it. */
async function isThere(pid: number): Promise<boolean> {
  return (await processStart(pid)) !== undefined
}

/** SIGKILL, then waits for its end: nothing tidies up after it. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  while (await isThere(pid)) await new Promise(setImmediate)
}

test('start returns when the server answers, a second one says so, stop ends it, a second stop says so', async () => {
  const { url, pid } = started(await command('start', '--port', '0'))
  expect((await fetch(`${url}/health`)).status).toBe(200)

  expect(await command('start', '--port', '0')).toEqual({
    code: 0,
    stdout: `Already running: ${url}/v1 (process ${pid})\n`,
    stderr: '',
  })
  expect(await command('stop')).toEqual({ code: 0, stdout: `Stopped process ${pid}.\n`, stderr: '' })
  expect(await isThere(pid)).toBe(false)
  expect(await command('stop')).toEqual({ code: 0, stdout: 'Not running.\n', stderr: '' })
})

test('a start without a usable login succeeds and says what to do, also with a client key, and so does the next', async () => {
  await rm(join(home.codexHome, 'auth.json'), { force: true })
  const { code, stdout, stderr } = await command('start', '--port', '0', '--api-key', 'secret')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Started: /)])
  const remedy = 'Sign in with `codex login`, or with an API key: `codex login --with-api-key`.'
  const problem = `There is no ${join(home.codexHome, 'auth.json')}. ${remedy}\n`
  expect(stderr).toBe(problem)
  const already = expect.stringMatching(/^Already running: /)
  expect(await command('start')).toEqual({ code: 0, stdout: already, stderr: problem })
})

test('a start beside one that runs names the settings that are not in use, and no others', async () => {
  const { url, pid } = started(await command('start', '--port', '0', '--max-body', '1MB', '--api-key', 'secret'))
  const again = (...args: string[]) => runWith({ CODEX_PROXY_MAX_BODY: '1024k' }, 'start', '--port', '0', ...args)
  const stdout = `Already running: ${url}/v1 (process ${pid})\n`
  expect(await again('--host', '127.0.0.1', '--api-key', 'secret')).toEqual({ code: 0, stdout, stderr: '' })
  expect(await runWith({ CODEX_PROXY_MAX_QUEUE: '7' }, 'start')).toEqual({
    code: 0,
    stdout,
    stderr:
      'It runs with other settings than given now (CODEX_PROXY_MAX_QUEUE); to apply these, give them to `codex-api-proxy restart`.\n',
  })
  expect((await again('--api-key', 'other', '--strict')).stderr).toContain('(--api-key, --strict)')
})

test('its files are private, and what runs leaves none behind but log and settings', async () => {
  await mkdir(home.runFolder, { mode: 0o755 }) // as the original of this program left it
  started(await command('start', '--port', '0', '--api-key', 'hidden'))
  expect((await stat(home.runFolder)).mode & 0o777).toBe(0o700)
  for (const name of await readdir(home.runFolder)) {
    expect((await stat(join(home.runFolder, name))).mode & 0o777, name).toBe(0o600)
  }
  await command('stop')
  expect((await readdir(home.runFolder)).sort()).toEqual([
    'codex-api-proxy.log',
    'codex-api-proxy.state.json',
    'codex-api-proxy.state.secrets.json',
  ])
})

test('of two starts at once one starts it and the other finds it', async () => {
  const port = String(await freePort())
  const results = await Promise.all([command('start', '--port', port), command('start', '--port', port)])
  expect(results.map(({ code }) => code)).toEqual([0, 0])
  const pids = results.map(({ stdout }) => /process (\d+)/.exec(stdout)?.[1])
  expect(pids[0]).toBe(pids[1])
  expect(results.filter(({ stdout }) => stdout.startsWith('Started:'))).toHaveLength(1)
})

test('after kill -9 start starts again, and the stale pid file is no server', async () => {
  const first = started(await command('start', '--port', '0'))
  await kill(first.pid)
  expect(await command('status')).toEqual({
    code: 3,
    stdout: 'Not running.\n',
    stderr: `The previous server (process ${first.pid}) was not stopped: it crashed, was killed, or the machine went down. See \`codex-api-proxy logs\`.\n`,
  })
  await appendFile(pidFile(), 'stopping=yes\n')
  expect((await command('status')).stderr).toMatch(
    `The previous server (process ${first.pid}) was still stopping when it crashed, was killed, or the machine went down.`,
  )
  const second = started(await command('start', '--port', '0'))
  expect(second.pid).not.toBe(first.pid)
})

test('a process that got the id of the old server is neither taken for it nor stopped', async () => {
  const { pid } = started(await command('start', '--port', '0'))
  const note = await readFile(pidFile(), 'utf8')
  await kill(pid)
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  try {
    await once(bystander, 'spawn')
    await writeFile(pidFile(), note.replace(String(pid), String(bystander.pid)))
    expect(await command('stop')).toMatchObject({ code: 0, stdout: 'Not running.\n' })
    expect(await isThere(bystander.pid ?? 0)).toBe(true)
    await expect(stat(pidFile())).rejects.toThrow('ENOENT')
  } finally {
    bystander.kill('SIGKILL')
  }
})

test('a start that crashes shows what Node says of it, and nothing older', async () => {
  const crash = join(home.path, 'crash.cjs')
  await writeFile(crash, `if (process.argv.includes('${BACKGROUND_COMMAND}')) throw new Error('made up')`)
  const log = join(home.runFolder, 'codex-api-proxy.log')
  await mkdir(home.runFolder)
  await writeFile(log, 'of an earlier start\n')
  const { code, stdout, stderr } = await run(['start'], { home, env: { NODE_OPTIONS: `--require ${crash}` } })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain('could not start: The server process ended (exit code 1).')
  expect(stderr).toMatch(/The last lines of \S+codex-api-proxy\.log:\n(?: {2}.*\n)* {2}Error: made up\n/)
  expect(stderr).not.toContain('earlier')
})

test('a port that another program holds is named, with the log, and nothing is left behind', async () => {
  const server = createServer()
  const port = await listenOnLoopback(server)
  try {
    const { code, stdout, stderr } = await command('start', '--port', String(port))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`could not start: Port ${port} is in use by another program. Choose another --port.`)
    expect(await readdir(home.runFolder)).toEqual(['codex-api-proxy.log'])
  } finally {
    server.close()
  }
})

test('a port that one of us holds is recognised, in the background and in the foreground', async () => {
  const other = await startForeground([], { home })
  const port = new URL(other.url).port
  const line = `Port ${port} is in use by another codex-api-proxy`
  expect((await command('start', '--port', port)).stderr).toContain(line)
  await expect(startForeground(['--port', port], { home })).rejects.toThrow(line)
  expect(await other.stop()).toBe(0)
})

test('start --foreground names the server in the background that holds its port', async () => {
  const { url, pid } = started(await command('start', '--port', '0'))
  const { port } = new URL(url)
  await expect(startForeground(['--port', port], { home })).rejects.toThrow(
    `Port ${port} is in use by the background server (process ${pid}). Stop that one with \`codex-api-proxy stop\``,
  )
})

test('a server whose pid file is lost is named by its process to whoever meets it', async () => {
  const { url, pid } = started(await command('start', '--port', String(await freePort()), '--api-key', 'secret'))
  await rm(pidFile())
  try {
    const remedy = `Stop it ${whereStarted('stop')}; if \`start\` started it and its pid file is lost, run \`kill ${pid}\``
    expect(await withSavedPort('stop')).toEqual({
      code: 1,
      stdout: 'Not running.\n',
      stderr: `But a server (process ${pid}) answers at ${url}: in the foreground, as a service, or without its pid file. ${remedy}.\n`,
    })
    const { port } = new URL(url)
    const { code, stderr } = await command('start', '--port', port, '--api-key', 'secret')
    expect(code).toBe(1)
    expect(stderr).toContain(
      `another codex-api-proxy (process ${pid}), which ${pidFile()} does not name. ${remedy}, or`,
    )
    expect((await withSavedPort('status')).stdout).toContain(`(process ${pid}, in the foreground or as a service)`)
  } finally {
    await kill(pid)
  }
})

test('of a server that keeps its process to those with the client key only the address is named', async () => {
  const port = String(await freePort())
  const proxy = await startForeground(['--port', port, '--api-key', 'secret'], { home })
  try {
    const there = (...args: string[]) => runWith({ CODEX_PROXY_PORT: port }, ...args)
    expect(await there('stop')).toEqual({
      code: 1,
      stdout: 'Not running.\n',
      stderr: `But a server answers at ${proxy.url}: in the foreground, as a service, or without its pid file. Stop it ${whereStarted('stop')}.\n`,
    })
    expect((await there('start')).stderr).toContain('another codex-api-proxy, which ')
    expect((await there('status')).stdout).toBe(`Running: ${proxy.url}/v1 (in the foreground or as a service)\n`)
    expect(JSON.parse((await there('status', '--json')).stdout)).toMatchObject({ mode: 'foreground', pid: null })
  } finally {
    await proxy.stop()
  }
})

test('restart without anything saved starts with the defaults and the settings given', async () => {
  const { url } = started(await command('restart', '--port', '0'))
  expect((await fetch(`${url}/health`)).status).toBe(200)
})

test('restart takes over what was saved, a client key too, and flags override it', async () => {
  const port = String(await freePort())
  const first = started(
    await command('start', '--port', port, '--api-key', 'secret', '--strict', '--allow-host', 'a.test'),
  )
  const lines = (await withSavedPort('restart', '--strict=false')).stdout.split('\n')
  expect(lines[0]).toBe(`Stopped process ${first.pid}.`)
  expect(lines[1]).toMatch(new RegExp(`^Started: http://127\\.0\\.0\\.1:${port}/v1 `))

  const asked = async (key: string) =>
    (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${key}` } })).status
  expect([await asked('wrong'), await asked('secret')]).toEqual([401, 200])
  const { settings } = JSON.parse((await command('status', '--json')).stdout)
  expect(settings).toMatchObject({
    port: { value: Number(port), origin: 'saved' },
    strict: { value: false, origin: 'flag' },
    allowHost: { value: ['a.test'], origin: 'saved' },
    apiKey: { value: '(set)', origin: 'saved' },
  })
})

test.each([
  ['an address others can reach, without a key', ['--host', '0.0.0.0'], 'Others can reach 0.0.0.0'],
  ['a key file there is not', ['--api-key-file', 'nowhere'], "nowhere can't be read (ENOENT): correct --api-key-file"],
  [
    'a key that can be read only once',
    ['--api-key-file', '/dev/fd/0'],
    'it is not a file that can be read again later',
  ],
  ['TLS files there are not', ['--tls-cert', 'nowhere', '--tls-key', 'nowhere'], "it can't be read (ENOENT)"],
])('restart with settings that can not start leaves the server running: %s', async (_name, args, message) => {
  const { pid, url } = started(await command('start', '--port', '0'))
  const { code, stdout, stderr } = await command('restart', ...args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect((await command('status')).stdout).toContain(`(process ${pid})`)
})

test('restart to a port or run files that can not be used leaves the server running', async () => {
  const { pid } = started(await command('start', '--port', '0'))
  const taken = createServer()
  const port = await listenOnLoopback(taken)
  try {
    expect(await command('restart', '--port', String(port))).toEqual({
      code: 1,
      stdout: '',
      stderr: `codex-api-proxy: Port ${port} is in use by another program. Choose another --port.\n`,
    })
  } finally {
    taken.close()
  }
  const { code, stdout, stderr } = await command('restart', '--log-file', home.codexHome)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain(`Can't use ${home.codexHome}: it is a folder. Choose --pid-file, --log-file`)
  expect((await command('status')).stdout).toContain(`(process ${pid})`)
})

test('restart to the port it has is no port that is taken, but an address must be there', async () => {
  const port = String(await freePort())
  started(await command('start', '--port', port))
  // Of a network for documentation (RFC 5737).
  expect(await command('restart', '--port', port, '--host', '192.0.2.1', '--insecure-no-key')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'codex-api-proxy: This machine has no address 192.0.2.1. Choose another --host.\n',
  })
  expect((await command('restart', '--port', port)).stdout).toMatch(/^Stopped process \d+\.\nStarted: /)
})

test.each(['pid', 'state.json'])('a %s file that can not be read is named, with what to do', async (name) => {
  const file = join(home.runFolder, `codex-api-proxy.${name}`)
  await mkdir(file, { recursive: true })
  expect(await command('status')).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: Can't use ${file}: it is a folder. Make it readable for you, delete it, or choose others with --state-file and --pid-file.\n`,
  })
  await rm(file, { recursive: true })
})

/** Variables that no command may start a server with. */
const UNUSABLE = { HTTPS_PROXY: 'socks4://x', NO_PROXY: ' ', CODEX_PROXY_MAX_BODY: 'abc' }

test('a bad setting that a command does not need does not keep it from its work', async () => {
  const { pid } = started(await command('start', '--port', '0'))
  const unusable = (...args: string[]) => runWith(UNUSABLE, ...args)
  expect(await unusable('status')).toMatchObject({ code: 0, stdout: expect.stringContaining(`(process ${pid})`) })
  expect(await unusable('logs')).toMatchObject({ code: 0, stderr: '' })
  expect((await unusable('restart')).code).toBe(2)
  expect(await runWith({ ...UNUSABLE, CODEX_PROXY_PORT: 'abc' }, 'stop')).toEqual({
    code: 0,
    stdout: `Stopped process ${pid}.\n`,
    stderr: '',
  })
  const { code, stderr } = await unusable('status')
  expect(code).toBe(3)
  expect(stderr).toMatch(/^The next start would fail: HTTPS_PROXY: /m)
})

test('a key file that is gone keeps no server from being seen and stopped', async () => {
  const keyFile = join(home.path, 'key')
  await writeFile(keyFile, 'secret', { mode: 0o600 })
  const { pid } = started(await command('start', '--port', '0', '--api-key-file', keyFile))
  await rm(keyFile)
  expect(await command('status')).toMatchObject({ code: 0, stdout: expect.stringContaining(`(process ${pid})`) })
  expect(await command('stop')).toMatchObject({ code: 0, stdout: `Stopped process ${pid}.\n` })
  expect(await command('stop')).toEqual({ code: 0, stdout: 'Not running.\n', stderr: '' })
})

test('a server whose state file is broken is found by its pid file', async () => {
  const { pid } = started(await command('start', '--port', '0'))
  await writeFile(join(home.runFolder, 'codex-api-proxy.state.json'), '')
  const status = await command('status', '--verbose')
  expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining(`(process ${pid})`) })
  expect(status.stderr).toContain('holds no saved settings')
  expect(status.stdout).not.toContain('Setting')
  const { code, stdout, stderr } = await command('stop')
  expect([code, stdout]).toEqual([0, `Stopped process ${pid}.\n`])
  expect(stderr).toContain('holds no saved settings')
  const again = await command('stop')
  expect([again.code, again.stdout]).toEqual([0, 'Not running.\n'])
  expect(again.stderr).toContain('holds no saved settings')
})

test('a start that the lock of a stale pid file holds up says whose it is', async () => {
  await mkdir(home.runFolder)
  await writeFile(pidFile(), '1\nstarted=long-ago\n')
  const lock = await acquireLock(`${pidFile()}.lock`, { until: () => false, patienceMs: 0 })
  const held = `${pidFile()}.lock, which is held by process ${process.pid}`
  const { code, stdout, stderr } = await command('start', '--port', '0')
  lock?.release()
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain(`Waiting for ${held} …\n`)
  expect(stderr).toContain(`could not start: ${pidFile()} can't be written now, because of ${held}. `)
  started(await command('start', '--port', '0'))
})

test('a stop that the lock of a stale pid file holds up says whose it is, and that the file stays', async () => {
  await mkdir(home.runFolder)
  await writeFile(pidFile(), '1\nstarted=long-ago\n')
  const lock = await acquireLock(`${pidFile()}.lock`, { until: () => false, patienceMs: 0 })
  const held = `${pidFile()}.lock, which is held by process ${process.pid}`
  expect(await command('stop')).toEqual({
    code: 0,
    stdout: 'Not running.\n',
    stderr: `Waiting for ${held} …\n${pidFile()} is stale and can't be removed now, because of ${held}. Delete that lock, or choose another --pid-file.\n`,
  })
  lock?.release()
  expect(await command('stop')).toEqual({ code: 0, stdout: 'Not running.\n', stderr: '' })
})

test.each(['broken', 'gone'])('the log of a server elsewhere is found when its state file is %s', async (state) => {
  started(await command('start', '--port', '0', '--log-file', 'elsewhere.log'))
  const log = join(home.path, 'elsewhere.log')
  // Of an earlier server.
  await writeFile(join(home.runFolder, 'codex-api-proxy.log'), 'old\n')
  const file = join(home.runFolder, 'codex-api-proxy.state.json')
  await (state === 'broken' ? writeFile(file, '') : rm(file))
  expect((await command('logs')).stdout).toMatch(/^\d\d:\d\d:\d\d info {2}listening url=http/)
  expect((await command('status', '--verbose')).stdout).toContain(`\nLog: ${log}\n`)
  expect(JSON.parse((await command('status', '--json')).stdout).files.log).toBe(log)
  expect((await command('logs', '--log-file', '.codex-api-proxy/codex-api-proxy.log')).stdout).toBe('old\n')
})

/** A value that differs from the default for each setting; settings that exclude each other come in a second round. */
const EVERY_SETTING: Partial<Record<OptionName, string>> = {
  host: 'localhost',
  port: '0',
  logLevel: 'warning',
  apiKey: 'secret',
  insecureNoKey: 'true',
  allowHost: 'a.test',
  allowOrigin: 'https://a.test',
  proxy: 'none',
  noProxy: 'b.test',
  codexHome: 'codex-elsewhere',
  refreshTokenUrl: 'http://127.0.0.1:1/token',
  loginClientId: 'someone',
  credentials: 'read-only',
  clientVersion: '0.170.0',
  chatgptBaseUrl: 'http://127.0.0.1:1/codex',
  openaiBaseUrl: 'http://127.0.0.1:1/v1',
  compressRequests: 'always',
  strict: 'true',
  reasoningSummary: 'none',
  liteLane: 'none',
  maxBody: '1MB',
  maxDecodedBody: '2MB',
  maxHeaders: '32k',
  maxEvent: '3MB',
  maxConcurrent: '7',
  maxQueue: '8',
  requestTimeout: '9s',
  connectTimeout: '10s',
  headerTimeout: '11s',
  idleTimeout: '12s',
  slowClientTimeout: '13s',
  keepAlive: '14s',
  drainTimeout: '15s',
  pidFile: 'run/proxy.pid',
  logFile: 'run/proxy.log',
  logMaxSize: '4MB',
}
/** `stateFile` is where the others are saved. */
const OTHER_ROUND: readonly OptionName[] = ['apiKeyFile', 'tlsCert', 'tlsKey', 'stateFile']

test('restart takes over every setting', async () => {
  const names = OPTION_NAMES.filter((name) => !OTHER_ROUND.includes(name))
  expect(Object.keys(EVERY_SETTING).sort()).toEqual([...names].sort())
  const flags: string[] = []
  const env: Record<string, string> = {}
  for (const name of names) {
    const { flag, env: variables }: Option<unknown> = OPTIONS[name]
    const value = EVERY_SETTING[name] ?? ''
    if (flag !== undefined) flags.push(`${flag.split(' ')[0]}=${value}`)
    else env[variables?.[0] ?? ''] = value
  }
  // Without the variables that the other tests run with: they would beat what was saved.
  const { CODEX_PROXY_PORT: _, CODEX_HOME: __, CODEX_REFRESH_TOKEN_URL_OVERRIDE: ___, ...plain } = home.env
  const bare = { path: home.path, env: plain }
  const settings = async () => JSON.parse((await run(['status', '--json'], { home: bare })).stdout).settings

  started(await run(['start', ...flags], { home: bare, env }))
  const before = await settings()
  const { stdout } = await run(['restart'], { home: bare })
  expect(stdout).toMatch(/^Stopped process \d+\.\nStarted: http:\/\/localhost:\d+\/v1 /)
  const after = await settings()
  for (const name of names) {
    expect(before[name].origin, name).toMatch(/^flag$|^variable/)
    expect(after[name], name).toEqual({ value: before[name].value, origin: 'saved' })
  }
  await command('stop')
})

test('restart takes over a key file, given relative to the folder of then', async () => {
  await writeFile(join(home.path, 'key'), 'from-file\n', { mode: 0o600 })
  started(await command('start', '--port', '0', '--api-key-file', 'key'))
  const { url } = started(await run(['restart'], { home: { path: '/', env: home.env } }))
  const headers = { authorization: 'Bearer from-file' }
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200)
})

test('a server with files of its own is found by its state file', async () => {
  const files = ['--state-file', 'own/state.json']
  const { pid } = started(
    await command('start', '--port', '0', ...files, '--pid-file', 'own/pid', '--log-file', 'own/log'),
  )
  expect(await command('status')).toMatchObject({ code: 3 })
  expect((await command('status', ...files)).stdout).toContain(`(process ${pid})`)
  expect((await command('logs', ...files)).stdout).toContain('listening')
  const restarted = await command('restart', ...files)
  expect(restarted.stdout).toMatch(new RegExp(`^Stopped process ${pid}\\.\nStarted: `))
  expect((await command('stop', ...files)).stdout).toMatch(/^Stopped process /)
})

test('a second server that would hide the first from every command is refused', async () => {
  const { pid } = started(await command('start', '--port', '0'))
  const second = await command('start', '--port', '0', '--pid-file', 'two.pid')
  expect([second.code, second.stdout]).toEqual([2, ''])
  expect(second.stderr).toContain(`(process ${pid})). Stop that one first, or give this one`)
  expect(second.stderr).toContain('--state-file')
  expect((await command('status')).stdout).toContain(`(process ${pid})`)
  expect(await command('stop')).toMatchObject({ code: 0, stdout: `Stopped process ${pid}.\n` })

  const third = started(await command('start', '--port', '0', '--pid-file', 'two.pid'))
  expect((await command('start', '--port', '0')).code).toBe(2)
  expect((await command('restart', '--pid-file', 'three.pid')).stdout).toContain(`Stopped process ${third.pid}.`)
  expect((await command('stop')).stdout).toMatch(/^Stopped process/)
})

test('files that can not be used are named in one line', async () => {
  await mkdir(home.runFolder)
  const state = join(home.runFolder, 'codex-api-proxy.state.json')
  await writeFile(state, 'not json')
  expect(await command('restart', '--port', '0')).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: ${state} holds no saved settings; move it away, and give the settings to \`start\` again.\n`,
  })
  await mkdir(pidFile())
  expect((await command('start', '--port', '0')).stderr).toMatch(
    new RegExp(`^codex-api-proxy: Can't use ${pidFile()}: it is a folder\\. Choose --pid-file`),
  )
})

test('a state file that can not be written is found before a server comes up', async () => {
  await mkdir(join(home.path, 'state'))
  expect(await command('start', '--port', '0', '--state-file', 'state')).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^codex-api-proxy: Can't use \S+\/state: it is a folder\. Choose --pid-file.*\n$/),
  })
  await expect(readdir(home.runFolder)).rejects.toThrow('ENOENT')
})

test('a log that can not be opened is named in one line, and nothing is left running', async () => {
  const log = join(home.runFolder, 'codex-api-proxy.log')
  await mkdir(log, { recursive: true })
  const { code, stderr } = await command('start', '--port', '0')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^codex-api-proxy: Can't use .*\.log: it is a folder\. Choose --pid-file.*\n$/)
  expect((await command('status')).code).toBe(3)
})

test('20 rapid cycles leave no process and no stale file', async () => {
  const port = String(await freePort())
  const pids: number[] = []
  for (let cycle = 0; cycle < 20; cycle++) {
    pids.push(started(await command('start', '--port', port)).pid)
    expect((await command('stop')).code).toBe(0)
  }
  expect(new Set(pids).size).toBe(20)
  expect(await Promise.all(pids.map(isThere))).not.toContain(true)
  expect((await readdir(home.runFolder)).sort()).toEqual(['codex-api-proxy.log', 'codex-api-proxy.state.json'])
}, 300_000)

/** The process that `parent` has spawned, once there is one; undefined if the parent ends before it was seen. */
async function childOf(parent: ChildProcess): Promise<number | undefined> {
  while (parent.exitCode === null) {
    const { stdout } = spawnSync('ps', ['-e', '-o', 'ppid=', '-o', 'pid='], { encoding: 'utf8' })
    const [, pid] = new RegExp(`^ *${parent.pid} +(\\d+)$`, 'm').exec(stdout) ?? []
    if (pid !== undefined) return Number(pid)
    await new Promise(setImmediate)
  }
  return undefined
}

test.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
  'the server in the background goes on after %s, which logrotate sends by habit',
  async (signal) => {
    const { url, pid } = started(await command('start', '--port', '0'))
    for (let sent = 0; sent < 3; sent++) {
      process.kill(pid, signal)
      expect((await fetch(`${url}/health`)).status).toBe(200)
    }
    expect(await command('stop')).toMatchObject({ code: 0, stdout: `Stopped process ${pid}.\n` })
    // Node says so there when it opens its debugger, which any user of the machine could use.
    expect(await readFile(join(home.runFolder, 'codex-api-proxy.log'), 'utf8')).not.toContain('Debugger')
  },
)

test.each(['SIGUSR1', 'SIGUSR2'] as const)('a server that gets %s before it listens goes on too', async (signal) => {
  const NODE_OPTIONS = signalledByPidFile(signal)
  const { url } = started(await run(['start', '--port', '0'], { home, env: { NODE_OPTIONS } }))
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect(await readFile(join(home.runFolder, 'codex-api-proxy.log'), 'utf8')).not.toContain('Debugger')
})

/** As NODE_OPTIONS: whoever writes a pid file gets the signal at once. */
function signalledByPidFile(signal: NodeJS.Signals): string {
  return preload(`
    import { promises } from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { rename } = promises
    promises.rename = async (from, to) => {
      await rename(from, to)
      if (to.endsWith('.pid')) process.kill(process.pid, '${signal}')
    }
    syncBuiltinESMExports()`)
}

test('a start that is interrupted leaves no server', async () => {
  await mkdir(home.runFolder)
  // Nobody else may write the pid file until then, so no server has reported to its `start` before, and then stays.
  const lock = await acquireLock(`${pidFile()}.lock`, { until: () => false, patienceMs: 0 })
  const child = await interruptedStart()
  lock?.release()
  while (await isThere(child)) await new Promise(setImmediate)
  expect((await command('status')).code).toBe(3)
  started(await command('start', '--port', '0'))
})

/** The process of a server whose `start` was killed; again when that had ended before its server was seen. */
async function interruptedStart(): Promise<number> {
  while (true) {
    const starting = spawn(process.execPath, [PROGRAM, 'start', '--port', '0'], { env: home.env, stdio: 'ignore' })
    const child = await childOf(starting)
    if (starting.kill('SIGKILL')) await once(starting, 'exit')
    if (child !== undefined && starting.signalCode === 'SIGKILL') return child
    await command('stop')
  }
}

test('a log may be a pipe whose reader ends when nobody has it open for writing any more', async () => {
  const pipe = join(home.path, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
  const read = text(reader.stdout)
  const start = async () => {
    const starting = spawn(process.execPath, [PROGRAM, 'start', '--port', '0', '--log-file', pipe], { env: home.env })
    // It waits for another reader until then if that one has ended.
    onTestFinished(() => void starting.kill('SIGKILL'))
    const said = [text(starting.stdout), text(starting.stderr), once(starting, 'close')] as const
    const [stdout, stderr, [code]] = await Promise.all(said)
    return { code, stdout, stderr }
  }
  let said = await start()
  // Again when that was earlier than the reader.
  while (said.stderr.includes('nobody reads that pipe')) said = await start()
  started(said)
  await command('stop')
  expect(await read).toContain('"msg":"listening"')
})
