import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listenOnLoopback } from '../support/loopback.ts'
import { LIKE_MACOS, preloadProcess } from '../support/preloads.ts'
import { createHome, PROGRAM, run, startForeground } from '../support/program.ts'

/** A `systemctl` that notes how it was called and ends as told. */
async function fakeManager(folder: string, exit: string): Promise<{ path: string; calls: () => Promise<string> }> {
  await mkdir(folder, { recursive: true })
  const log = join(folder, 'calls')
  await writeFile(log, '')
  for (const name of ['systemctl', 'launchctl']) {
    await writeFile(join(folder, name), `#!/bin/sh\necho "$*" >> '${log}'\n${exit}\n`)
    await chmod(join(folder, name), 0o755)
  }
  return { path: `${folder}:${process.env.PATH}`, calls: () => readFile(log, 'utf8') }
}

/** A home of its own, with a manager in it, and the command as it is there. */
async function serviceStage(exit: string) {
  const other = await createHome()
  onTestFinished(() => other.remove())
  const manager = await fakeManager(join(other.path, 'bin'), exit)
  const env = { PATH: manager.path }
  const service = (...args: string[]) => run(['service', ...args], { home: other, env })
  return { other, manager, service }
}

const UNIT = '.config/systemd/user/codex-api-proxy.service'

test('service --print shows file and commands and changes nothing', async () => {
  const other = await createHome()
  try {
    const env = {
      CODEX_CA_CERTIFICATE: '/etc/company.pem',
      NODE_USE_SYSTEM_CA: '1',
      NODE_OPTIONS: '--max-http-header-size=20000',
    }
    const { code, stdout } = await run(['service', 'install', '--print', '--port', '9999'], { home: other, env })
    expect(code).toBe(0)
    expect(stdout).toContain(`# ${join(other.path, UNIT)}\n`)
    expect(stdout).toMatch(/^ExecStart="[^"]+" "[^"]+" start --foreground$/m)
    expect(stdout).toContain('Environment="CODEX_PROXY_PORT=9999"')
    expect(stdout).toContain(`Environment="CODEX_HOME=${other.codexHome}"`)
    expect(stdout).toContain('Environment="CODEX_CA_CERTIFICATE=/etc/company.pem"')
    expect(stdout).toContain('Environment="NODE_USE_SYSTEM_CA=1"')
    expect(stdout).toContain('Environment="NODE_OPTIONS=--max-http-header-size=20000"')
    expect(stdout).toContain('# systemctl --user enable --now codex-api-proxy.service')
    await expect(stat(join(other.path, '.config'))).rejects.toThrow('ENOENT')
  } finally {
    await other.remove()
  }
})

test('a service names node and the program by paths that outlast an upgrade', async () => {
  const { other } = await serviceStage('exit 0')
  const at = (...path: string[]) => join(other.path, ...path)
  for (const [folder, file, to] of [
    [at('Cellar', 'node', '24.1.0', 'bin'), 'node', process.execPath],
    [at('5', '.pnpm', 'us@0.2.0', 'node_modules', 'us'), 'main.js', PROGRAM],
  ] as const) {
    await mkdir(folder, { recursive: true })
    await symlink(to, join(folder, file))
  }
  await mkdir(at('opt'))
  await mkdir(at('5', 'node_modules'))
  await symlink(at('Cellar', 'node', '24.1.0'), at('opt', 'node'))
  await symlink(at('5', '.pnpm', 'us@0.2.0', 'node_modules', 'us'), at('5', 'node_modules', 'us'))
  // Node tells the real path of itself, which here is no Cellar.
  const env = { NODE_OPTIONS: preloadProcess('execPath', at('Cellar', 'node', '24.1.0', 'bin', 'node')) }
  const program = at('5', '.pnpm', 'us@0.2.0', 'node_modules', 'us', 'main.js')
  const { stdout } = await run(['service', 'install', '--print'], { home: other, env, program })
  const [node, us] = [at('opt', 'node', 'bin', 'node'), at('5', 'node_modules', 'us', 'main.js')]
  expect(stdout).toContain(`ExecStart="${node}" "${us}" start --foreground\n`)
})

test('a service that would run from the folder of npx says that it does not last, and how it would', async () => {
  const { other, service } = await serviceStage('exit 0')
  const folder = join(other.path, '_npx', '1a2b', 'node_modules', '.bin')
  await mkdir(folder, { recursive: true })
  const program = join(folder, 'codex-api-proxy')
  await symlink(PROGRAM, program)
  const { code, stdout, stderr } = await run(['service', 'install', '--print'], { home: other, program })
  expect([code, stderr]).toEqual([0, expect.stringMatching(/npx .+ does not last .+ `npm install -g codex-api-proxy`/)])
  expect(stdout).toContain(`"${program}" start --foreground\n`)
  expect((await service('install', '--print')).stderr).toBe('')
})

test('service --print leaves secrets out unless it is asked for them, and without them nothing would start', async () => {
  const { other, service } = await serviceStage('exit 0')
  const print = (...args: string[]) => service('install', '--print', '--api-key', 'a-key', ...args)
  const withLogin = ['--proxy', 'http://me:a-password@127.0.0.1:3128']
  for (const args of [withLogin, [...withLogin, '--json']]) {
    const { code, stdout, stderr } = await print(...args)
    expect([code, stderr]).toEqual([0, 'Replace FILL IN HERE with your secrets, or use --show-secrets.\n'])
    expect(stdout).not.toMatch(/a-key|a-password/)
  }
  const shown = await print(...withLogin, '--show-secrets')
  expect(shown.stderr).toBe('')
  expect(shown.stdout).toContain('"CODEX_PROXY_API_KEY=a-key"')
  expect(shown.stdout).toContain('"CODEX_API_PROXY_HTTPS_PROXY=http://me:a-password@127.0.0.1:3128"')
  expect((await print('--proxy', 'http://127.0.0.1:3128')).stdout).toContain('HTTPS_PROXY=http://127.0.0.1:3128"')

  const unfilled = [...(await print(...withLogin)).stdout.matchAll(/"(\w+)=(FILL .+)"/g)]
  expect(unfilled.map(([, name]) => name)).toEqual(['CODEX_PROXY_API_KEY', 'CODEX_API_PROXY_HTTPS_PROXY'])
  for (const [, name = '', value = ''] of unfilled) {
    const started = await run(['start', '--foreground', '--port', '0'], { home: other, env: { [name]: value } })
    expect(started, name).toMatchObject({ code: 2, stdout: '' })
  }
})

test('service --print refuses what install refuses, and to take one away it needs no setting', async () => {
  const { other, service } = await serviceStage('exit 0')
  for (const args of [
    ['--host', '0.0.0.0'],
    ['--api-key-file', 'nowhere'],
    ['--api-key', 'two words'],
  ]) {
    const refused = await service('install', ...args)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(await service('install', '--print', ...args)).toEqual(refused)
    expect(await service('uninstall', '--print', ...args)).toEqual({
      code: 0,
      stdout: `systemctl --user disable --now codex-api-proxy.service\nrm ${join(other.path, UNIT)}\nsystemctl --user daemon-reload\n`,
      stderr: '',
    })
  }
})

test('service install writes a unit and starts it, status sees both, uninstall takes both back', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  expect(await service('status')).toMatchObject({ code: 3, stdout: 'Not installed.\n' })
  expect((await service('install', '--api-key', 'hidden"%"$x')).stdout).toContain('The service is running')
  const unit = join(other.path, UNIT)
  expect(await readFile(unit, 'utf8')).toContain('Environment="CODEX_PROXY_API_KEY=hidden\\"%%\\"$x"')
  expect((await stat(unit)).mode & 0o777).toBe(0o600)
  expect(await service('status')).toMatchObject({ code: 3, stdout: `Installed (${unit}), not running.\n` })
  await writeFile(join(other.path, 'active'), '')
  expect(JSON.parse((await service('status', '--json')).stdout)).toMatchObject({ installed: true, running: true })
  expect(await service('status')).toMatchObject({ code: 0, stdout: `Installed (${unit}), running.\n` })
  expect(await service('uninstall')).toMatchObject({ code: 0, stdout: `Removed: ${unit}\n` })
  await expect(stat(unit)).rejects.toThrow('ENOENT')
  expect(await service('uninstall')).toMatchObject({ code: 0, stdout: 'Not installed.\n' })
  expect((await manager.calls()).split('\n').filter((call) => call !== '' && !call.includes('is-active'))).toEqual([
    '--user daemon-reload',
    '--user enable --now codex-api-proxy.service',
    '--user disable --now codex-api-proxy.service',
    '--user daemon-reload',
  ])
})

test('the commands that service --print shows can be pasted, also from a home with a space in its name', async () => {
  const { other: home } = await serviceStage('exit 0')
  const HOME = join(home.path, 'so me')
  const env = { HOME, NODE_OPTIONS: LIKE_MACOS }
  const { stdout } = await run(['service', 'install', '--print'], { home, env })
  const plist = join(HOME, 'Library/LaunchAgents/codex-api-proxy.plist')
  expect(stdout).toContain(`\n# launchctl bootstrap gui/${process.getuid?.()} '${plist}'\n`)
  expect((await run(['service', 'uninstall', '--print'], { home, env })).stdout).toContain(`\nrm '${plist}'\n`)
})

test('a command to run by hand, after it has failed, is quoted for the shell too', async () => {
  const { other, manager } = await serviceStage('[ "$1" = enable ] || { echo "No session." >&2; exit 1; }')
  const HOME = join(other.path, 'a home')
  await mkdir(HOME)
  const env = { PATH: manager.path, HOME, NODE_OPTIONS: LIKE_MACOS }
  const { code, stderr } = await run(['service', 'install'], { home: other, env })
  expect(code).toBe(1)
  const bootstrap = `launchctl bootstrap gui/${process.getuid?.()} '${join(HOME, 'Library/LaunchAgents/codex-api-proxy.plist')}'`
  expect(stderr).toContain(`codex-api-proxy: \`${bootstrap}\` failed: No session. The file was written, but`)
  expect(stderr).toContain(` && ${bootstrap}\` in a session`)
})

test('on macOS a service is installed anew when the old one has ended, with a private folder for its log', async () => {
  // Like launchd: `bootout` answers at once, and until the service has ended none of its name is taken.
  const { other, manager } = await serviceStage(`case $1 in
    print) [ -e running ];;
    bootout) (sleep 0.5; rm running) > /dev/null 2>&1 &;;
    bootstrap) [ ! -e running ] || { echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; };;
  esac`)
  await writeFile(join(other.path, 'running'), '')
  const env = { PATH: manager.path, NODE_OPTIONS: LIKE_MACOS }
  const plist = join(other.path, 'Library/LaunchAgents/codex-api-proxy.plist')
  const unusable = ['--log-file', join(other.path, 'bin/launchctl/folder/log')]
  expect(await run(['service', 'install', ...unusable], { home: other, env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('a part of the path is not a folder. Choose another --log-file.'),
  })
  expect(await manager.calls(), 'the old one runs on').not.toContain('bootout')
  expect(await run(['service', 'install'], { home: other, env })).toMatchObject({
    code: 0,
    stdout: `Written: ${plist}\nThe service is running, and starts with your session.\n`,
  })
  expect((await stat(other.runFolder)).mode & 0o777).toBe(0o700)
  expect((await manager.calls()).trim().split('\n').at(-1)).toBe(`bootstrap gui/${process.getuid?.()} ${plist}`)
})

test('on macOS a service that launchd holds for disabled is installed', async () => {
  const { other, manager } = await serviceStage(`case $1 in
    print) exit 113;;
    enable) rm disabled;;
    bootstrap) [ ! -e disabled ] || { echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; };;
  esac`)
  await writeFile(join(other.path, 'disabled'), '')
  const env = { PATH: manager.path, NODE_OPTIONS: LIKE_MACOS }
  expect((await run(['service', 'install'], { home: other, env })).code).toBe(0)
  expect(await manager.calls()).toContain(`enable gui/${process.getuid?.()}/codex-api-proxy\n`)
})

test('without a manager install says what it did and what to do, and uninstall takes the file away', async () => {
  const { other, service } = await serviceStage('echo "No bus." >&2; exit 1')
  const unit = join(other.path, UNIT)
  const installed = await service('install')
  expect([installed.code, installed.stdout]).toEqual([1, `Written: ${unit}\n`])
  expect(installed.stderr).toMatch(
    /^codex-api-proxy: `systemctl --user daemon-reload` failed: No bus\. The file was written, but the service is not running\. /,
  )
  expect(installed.stderr).toContain('systemctl --user enable --now codex-api-proxy.service`')
  expect(installed.stderr).toContain('`codex-api-proxy service uninstall`')

  const uninstalled = await service('uninstall')
  expect([uninstalled.code, uninstalled.stdout]).toEqual([0, `Removed: ${unit}\n`])
  expect(uninstalled.stderr).toMatch(/ failed: No bus\. .*: systemctl --user stop codex-api-proxy\.service\n$/)
  await expect(stat(unit)).rejects.toThrow('ENOENT')
})

test.each([
  ['', []],
  [" and this machine's other addresses", ['--host', '0.0.0.0', '--insecure-no-key']],
])(
  'uninstall that reaches no manager says that a server still answers at its port%s, and how to end it',
  async (others, host) => {
    const { other, service } = await serviceStage('echo "No bus." >&2; exit 1')
    const { url, pid, stop } = await startForeground(host, { home: other })
    onTestFinished(async () => void (await stop()))
    const unit = join(other.path, UNIT)
    await mkdir(dirname(unit), { recursive: true })
    await writeFile(unit, `Environment="CODEX_PROXY_PORT=${new URL(url).port}"\n`)
    const { code, stderr } = await service('uninstall', ...host)
    expect(code).toBe(0)
    expect(stderr).toBe(
      '`systemctl --user disable --now codex-api-proxy.service` failed: No bus. ' +
        `A server (process ${pid}) still answers at ${url}${others}: end it with \`kill ${pid}\`, or, if it is the service, ` +
        'in its session: systemctl --user stop codex-api-proxy.service\n',
    )
  },
)

test.each([
  ['is not there', { PATH: '/nowhere' }, 'there is no systemctl in PATH'],
  ['fails without a word', {}, 'exit code 4'],
])('a manager that %s is told in words', async (_what, more, reason) => {
  const { other, manager } = await serviceStage('exit 4')
  const env = { PATH: manager.path, ...more }
  const { code, stderr } = await run(['service', 'install'], { home: other, env })
  expect(code).toBe(1)
  expect(stderr).toContain(`\`systemctl --user daemon-reload\` failed: ${reason}. The file was written, but`)
})

test('the unit lies where XDG_CONFIG_HOME says, and how to write and remove it comes as JSON too', async () => {
  const { other } = await serviceStage('exit 0')
  const env = { XDG_CONFIG_HOME: join(other.path, 'elsewhere') }
  const printed = async (action: string) =>
    JSON.parse((await run(['service', action, '--print', '--json'], { home: other, env })).stdout)
  const path = join(other.path, 'elsewhere', 'systemd', 'user', 'codex-api-proxy.service')
  expect(await printed('install')).toEqual({
    manager: 'systemd',
    path,
    content: expect.stringMatching(/^\[Unit\]\n[\s\S]+\n\[Install\]\n/),
    commands: [
      ['systemctl', '--user', 'daemon-reload'],
      ['systemctl', '--user', 'enable', '--now', 'codex-api-proxy.service'],
    ],
  })
  expect(await printed('uninstall')).toEqual({
    manager: 'systemd',
    path,
    commands: [
      ['systemctl', '--user', 'disable', '--now', 'codex-api-proxy.service'],
      ['rm', path],
      ['systemctl', '--user', 'daemon-reload'],
    ],
  })
})

test('on a system whose manager is not known there is no service', async () => {
  const { other } = await serviceStage('exit 0')
  const env = { NODE_OPTIONS: preloadProcess('platform', 'freebsd') }
  expect(await run(['service', 'status'], { home: other, env })).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'codex-api-proxy: Services are supported on Linux (systemd) and macOS (launchd). Here, let the system run ' +
      '`codex-api-proxy start` when you log in.\n',
  })
})

test('a service that runs is not ended for one that could not listen', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  await service('install')
  await writeFile(join(other.path, 'active'), '')
  const unit = await readFile(join(other.path, UNIT), 'utf8')
  const before = await manager.calls()
  const { code, stdout, stderr } = await service('install', '--host', '192.0.2.1', '--insecure-no-key')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe('codex-api-proxy: This machine has no address 192.0.2.1. Choose another --host.\n')
  expect(await readFile(join(other.path, UNIT), 'utf8')).toBe(unit)
  expect((await manager.calls()).slice(before.length).trim().split('\n')).toEqual([
    '--user is-active --quiet codex-api-proxy.service',
  ])
})

test('a manager that does not stop the service is a failure, and its file is left for another try', async () => {
  const refuses = 'case "$2" in is-active) [ -e active ];; disable) echo "Denied." >&2; exit 1;; esac'
  const { other, service } = await serviceStage(refuses)
  await service('install')
  await writeFile(join(other.path, 'active'), '')
  expect(await service('uninstall')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'codex-api-proxy: `systemctl --user disable --now codex-api-proxy.service` failed: Denied. The service is still running, and ' +
      'nothing was removed. Stop it with `systemctl --user stop codex-api-proxy.service`, then uninstall it again.\n',
  })
  await stat(join(other.path, UNIT))
})

test('a service file that can not be written is named, with what to do', async () => {
  const { other, service } = await serviceStage('exit 3')
  await writeFile(join(other.path, '.config'), 'no folder')
  const { code, stderr } = await service('install')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^codex-api-proxy: Can't use \S+: a part of the path is not a folder\. .*--print` shows it\.\n$/,
  )
})

test('service --json says what became of it, and nothing else', async () => {
  const { other, service } = await serviceStage('exit 0')
  const told = async (name: string) => JSON.parse((await service(name, '--json')).stdout)
  expect(await told('install')).toMatchObject({ path: join(other.path, UNIT), installed: true, running: true })
  expect(await told('uninstall')).toMatchObject({ installed: false, running: false })
  expect(await told('uninstall')).toMatchObject({ installed: false, running: false })
})

test('a service is not installed beside a server in the background: its port would be taken', async () => {
  const { other, service } = await serviceStage('exit 0')
  await run(['start', '--port', '0'], { home: other })
  const { code, stderr } = await service('install')
  expect(code).toBe(1)
  expect(stderr).toContain('run `codex-api-proxy stop` first')
})

test('a service is not installed where another program has its port, but anew over itself', async () => {
  const { other, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  const holder = createServer()
  const port = String(await listenOnLoopback(holder))
  onTestFinished(() => void holder.close())
  expect(await service('install', '--port', port)).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: Port ${port} is in use by another program. Choose another --port.\n`,
  })
  await expect(stat(join(other.path, UNIT))).rejects.toThrow('ENOENT')
  await writeFile(join(other.path, 'active'), '')
  expect((await service('install', '--port', port)).code).toBe(0)
})

test('a service that runs is not moved to a port that another program has', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  const holder = createServer()
  const port = String(await listenOnLoopback(holder))
  onTestFinished(() => void holder.close())
  await service('install')
  await writeFile(join(other.path, 'active'), '')
  const unit = await readFile(join(other.path, UNIT), 'utf8')
  expect(await service('install', '--port', port)).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: Port ${port} is in use by another program. Choose another --port.\n`,
  })
  expect(await readFile(join(other.path, UNIT), 'utf8')).toBe(unit)
  expect(await manager.calls()).not.toContain('disable')
})

test('a service that could not start is not installed, and one is taken away whatever a variable says', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ]')
  const open = await service('install', '--host', '0.0.0.0')
  expect(open).toMatchObject({ code: 2, stderr: expect.stringContaining('Set a client key') })
  await expect(stat(join(other.path, UNIT))).rejects.toThrow('ENOENT')

  expect((await service('install')).code).toBe(0)
  const env = { PATH: manager.path, HTTPS_PROXY: 'foo://bar' }
  const misled = (name: string) => run(['service', name], { home: other, env })
  expect((await misled('status')).stdout).toMatch(/^Installed \(.*\), not running\.$/m)
  expect((await misled('uninstall')).stdout).toBe(`Removed: ${join(other.path, UNIT)}\n`)
  expect((await misled('install')).code).toBe(2)
})
