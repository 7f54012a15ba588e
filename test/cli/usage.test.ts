import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { createHome, type Home, run } from '../support/program.ts'

let home: Home
beforeAll(async () => {
  home = await createHome()
})
afterAll(() => home.remove())

test.each([
  ['a mistyped flag', ['start', '--prot', '1'], {}, "codex-api-proxy: unknown option '--prot'; did you mean --port?"],
  ['a mistyped command', ['strat'], {}, "codex-api-proxy: unknown command 'strat'; did you mean start?"],
  [
    'help of a mistyped command',
    ['help', 'strat'],
    {},
    "codex-api-proxy: unknown command 'strat'; did you mean start?",
  ],
  [
    '--help of a command there is not',
    ['nonsense', '--help'],
    {},
    "codex-api-proxy: unknown command 'nonsense'. See `codex-api-proxy --help`.",
  ],
  ['a flag there is not', ['-v'], {}, "codex-api-proxy: unknown option '-v'. See `codex-api-proxy --help`."],
  [
    'a flag that only other commands have',
    ['stop', '--port', '1'],
    {},
    "codex-api-proxy: unknown option '--port'. See `codex-api-proxy stop --help`.",
  ],
  [
    'a word too many',
    ['start', '8765'],
    {},
    "codex-api-proxy: too many arguments for 'start'. Expected 0 arguments but got 1. See `codex-api-proxy start --help`.",
  ],
  [
    'a shell there is not',
    ['completion', 'csh'],
    {},
    "codex-api-proxy: there is no shell 'csh'. Allowed choices are bash, zsh, fish.",
  ],
  [
    'a bad port',
    ['start', '--port', 'abc'],
    {},
    'codex-api-proxy: --port "abc": A port is a whole number from 0 to 65535.',
  ],
  [
    'a bad port for `doctor`',
    ['doctor', '--port', 'abc'],
    {},
    'codex-api-proxy: --port "abc": A port is a whole number from 0 to 65535.',
  ],
  ['a path that is none', ['start', '--log-file', ''], {}, 'codex-api-proxy: --log-file "": It must not be empty.'],
  [
    'a bad port in a variable',
    ['start', '--foreground'],
    { CODEX_PROXY_PORT: '70000' },
    'codex-api-proxy: CODEX_PROXY_PORT "70000": A port is a whole number from 0 to 65535.',
  ],
  [
    'an upstream that would get credentials in clear text',
    ['start', '--foreground', '--port', '0'],
    { CODEX_API_PROXY_CHATGPT_BASE_URL: 'http://example.com/v1' },
    'codex-api-proxy: CODEX_API_PROXY_CHATGPT_BASE_URL "http://example.com/v1": Use an https URL, or an http one on loopback, without user, query or fragment.',
  ],
  [
    'an outbound proxy that is none',
    ['start', '--proxy', 'ftp://user:hidden@host'],
    {},
    'codex-api-proxy: --proxy: Use a URL such as http://127.0.0.1:8118, https://… or socks5://…, or `none`.',
  ],
  [
    'a missing argument',
    ['service'],
    {},
    "codex-api-proxy: missing required argument 'action'. Allowed choices are install, uninstall, status.",
  ],
  [
    'a missing argument behind the end of flags',
    ['--', 'completion'],
    {},
    "codex-api-proxy: missing required argument 'shell'. Allowed choices are bash, zsh, fish.",
  ],
  ['a missing value', ['start', '--port'], {}, "codex-api-proxy: option '--port <number>' argument missing"],
  [
    'a level there is not',
    ['start', '--log-level', 'loud'],
    {},
    'codex-api-proxy: --log-level "loud": Allowed choices are debug, info, warning, error.',
  ],
  [
    'an address with a zone',
    ['start', '--host', '::1%lo', '--api-key', 'k'],
    {},
    'codex-api-proxy: --host "::1%lo": Use an IP address without a zone (the part after %).',
  ],
  [
    'a version with a line break',
    ['start', '--client-version', '0.169.0\nx'],
    {},
    'codex-api-proxy: --client-version "0.169.0\\nx": Use a version of Codex such as 0.169.0.',
  ],
  ['a number of lines that is none', ['logs', '-n', 'all'], {}, 'codex-api-proxy: --lines "all": Use a whole number.'],
])('%s is one line on stderr and exit code 2', async (_name, args, env, line) => {
  const result = await run(args, { home, env })
  expect(result).toEqual({ code: 2, stdout: '', stderr: `${line}\n` })
})

test('an address that others can reach is refused without a client key, before anything is started', async () => {
  for (const args of [['start'], ['start', '--foreground']]) {
    const { code, stdout, stderr } = await run([...args, '--host', '0.0.0.0', '--port', '0'], { home })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^codex-api-proxy: .*Others can reach 0\.0\.0\.0.*--insecure-no-key\.\n$/)
  }
  expect((await run(['status'], { home })).code).toBe(3)
})

test.each([[[]], [['--help']], [['-h']], [['help']], [['--help', 'start']]])('%j lists the commands', async (args) => {
  const { code, stdout, stderr } = await run(args, { home })
  expect([code, stderr]).toEqual([0, ''])
  for (const { name, hidden } of COMMANDS) expect(stdout.includes(`\n  ${name} `), name).toBe(!hidden)
})

test('each command explains itself', async () => {
  for (const { name, help } of COMMANDS) {
    const { code, stdout } = await run([name, '--help'], { home })
    expect(code).toBe(0)
    expect(stdout).toContain(help)
    // The parser's own words: for what a flag means without a value, and for this flag.
    expect(stdout).not.toMatch(/preset|display help/)
  }
  const { stdout } = await run(['start', '--help'], { home })
  expect(stdout).toMatch(/--port <number> +Port to listen on.*\n.*default: 8765; env: CODEX_PROXY_PORT/)
})

test('the help of a command begins with what only that command has', async () => {
  for (const { name } of COMMANDS.filter(({ flags }) => flags !== undefined)) {
    const { stdout } = await run([name, '--help'], { home })
    const titles = [...stdout.matchAll(/^(\w[\w ]*):$/gm)].map(([, title]) => title)
    expect(titles.filter((title) => title !== 'Arguments')[0], name).toBe('Options')
    expect(titles.at(-1), name).toBe('Files')
  }
})

test('--version is that of the package', async () => {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await run(['--version'], { home })).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

/** The files that a run of the program loads; V8 lists them for its coverage. */
async function loadedBy(args: string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'coverage-'))
  try {
    await run(args, { home, env: { NODE_V8_COVERAGE: folder } })
    const reports = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
    return reports.flatMap((report) => JSON.parse(report).result.map(({ url }: { url: string }) => url))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('help, version, status and stop do not load the server, help not even the parser of flags', async () => {
  const server = /fastify|undici|pino|\/http\/serve|\/routes\//
  for (const args of [['--help'], ['--version'], ['start', '--help'], ['status'], ['stop']]) {
    const loaded = await loadedBy(args)
    expect(loaded.some((url) => url.endsWith('/main.js'))).toBe(true)
    expect(
      loaded.filter((url) => server.test(url)),
      args.join(' '),
    ).toEqual([])
  }
  expect((await loadedBy(['--help'])).filter((url) => url.includes('commander'))).toEqual([])
})

test('a home folder that can not be written to is named, with what to do', async () => {
  const { code, stdout, stderr } = await run(['start', '--port', '0'], {
    home,
    env: { HOME: '/dev/null', USERPROFILE: '/dev/null' },
  })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(
    /^codex-api-proxy: Can't use \/dev\/null\/\.codex-api-proxy: a part of the path is not a folder\. .*--pid-file.*--foreground.*\n$/,
  )
})

test.each([
  ['start', '--foreground'],
  ['service', 'install', '--print'],
])('no server is made its own upstream: %s', async (...args) => {
  const env = { CODEX_API_PROXY_OPENAI_BASE_URL: 'http://localhost:8799/v1' }
  const { code, stdout, stderr } = await run([...args, '--port', '8799'], { home, env })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('CODEX_API_PROXY_OPENAI_BASE_URL: It points to this server itself')
})
