import { spawnSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageVersion } from '../../src/version.ts'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { createHome, type Home, PROGRAM } from '../support/program.ts'

let home: Home
let upstream: FakeUpstream
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
  upstream = await startFakeUpstream()
  // As it is once the package is installed.
  const program = join(home.path, 'codex-api-proxy')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`)
  await chmod(program, 0o755)
})
afterEach(async () => {
  tmux('kill-server')
  await home.remove()
  await upstream.close()
})

/** A server of tmux for this home alone; by its name in it, since the path of a socket must be short. */
function tmux(...args: string[]): string {
  const { stdout, stderr, status, error } = spawnSync('tmux', ['-S', 'tmux', '-f', '/dev/null', ...args], {
    cwd: home.path,
    env: home.env,
    encoding: 'utf8',
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
  return stdout
}

function openTerminal(): void {
  const env = {
    ...home.env,
    PATH: `${home.path}:${home.env.PATH}`,
    PS1: '> ',
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_API_PROXY_HTTPS_PROXY: 'none',
  }
  // By env(1): tmux itself would put its own PATH there.
  const shell = [
    'env',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    'bash',
    '--norc',
    '--noprofile',
  ]
  tmux('new-session', '-d', '-x', '100', '-y', '30', '-c', home.path, ...shell)
}

/** The screen as text, once it holds what is waited for. */
async function screen(isReady: (shown: string) => boolean): Promise<string> {
  while (true) {
    const shown = tmux('capture-pane', '-p').trimEnd()
    if (isReady(shown)) return shown
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** That many lines with a prompt, of which the last is empty: the commands before are done. */
function prompts(count: number): (shown: string) => boolean {
  return (shown) => shown.endsWith('>') && (shown.match(/^>/gm) ?? []).length === count
}

const lastLine = (text: string) => (shown: string) => shown.endsWith(`\n${text}\n>`)

function type(line: string): void {
  tmux('send-keys', '-l', line)
  tmux('send-keys', 'Enter')
}

/** What differs from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST:PORT')
    .replaceAll(/process \d+/g, 'process PID')
    .replaceAll(/\d\d:\d\d:\d\d/g, 'HH:MM:SS')
    .replaceAll(home.path, 'HOME')
}

test('a session with the background server reads calmly', async () => {
  openTerminal()
  await screen(prompts(1))
  for (const [index, line] of ['start', 'start', 'status', 'logs -n 1', 'stop', 'status', 'statu'].entries()) {
    type(`codex-api-proxy ${line}`)
    await screen(prompts(index + 2))
  }
  expect(steady(tmux('capture-pane', '-p').trimEnd())).toBe(`> codex-api-proxy start
Started: http://HOST:PORT/v1 (process PID)
> codex-api-proxy start
Already running: http://HOST:PORT/v1 (process PID)
> codex-api-proxy status
Running: http://HOST:PORT/v1 (process PID)
> codex-api-proxy logs -n 1
HH:MM:SS info  listening url=http://HOST:PORT version=${packageVersion()}
> codex-api-proxy stop
Stopped process PID.
> codex-api-proxy status
Not running.
> codex-api-proxy statu
codex-api-proxy: unknown command 'statu'; did you mean status?
>`)
})

test('the foreground logs readable lines, and Ctrl-C stops it', async () => {
  openTerminal()
  await screen(prompts(1))
  type('codex-api-proxy start --foreground')
  await screen((shown) => shown.includes('listens on'))
  tmux('send-keys', 'C-c')
  const shown = steady(await screen(prompts(2)))
  expect(shown).toContain(`listens on http://HOST:PORT/v1\n`)
  expect(shown).toMatch(/^HH:MM:SS info {2}listening url=http:\/\/HOST:PORT /m)
  expect(shown).toMatch(/^\^?C?Stopping; running answers may finish\. A second signal \(Ctrl-C\) ends it at once\.$/m)
  expect(shown).toMatch(/^HH:MM:SS info {2}stopped$/m)
  expect(shown).not.toContain('{')
})

test('a terminal that is held by Ctrl-S holds up neither requests nor the end', async () => {
  openTerminal()
  await screen(prompts(1))
  type('codex-api-proxy start --foreground; echo "ended with $?" >ended')
  const [, url] = /listens on (\S+)/.exec(await screen((shown) => shown.includes('listens on'))) ?? []
  tmux('send-keys', 'C-s')
  // Some 40 KB of log; a terminal holds 4.
  let id: string | null = ''
  for (let request = 0; request < 400; request++) {
    const answer = await fetch(`${url}/models`)
    expect(answer.status).toBe(200)
    id = answer.headers.get('x-codex-proxy-request-id')
  }
  expect(tmux('capture-pane', '-pJ')).not.toContain(id)
  tmux('send-keys', 'C-c')
  const ended = () => readFile(join(home.path, 'ended'), 'utf8').catch(() => '')
  await expect.poll(ended).toBe('ended with 0\n')
})

test('a terminal that is closed stops the foreground gently', async () => {
  openTerminal()
  await screen(prompts(1))
  // A shell that outlives its terminal, to see how the program ended.
  type("(trap '' HUP; codex-api-proxy start --foreground; echo $? >code)")
  await screen((shown) => shown.includes('listens on'))
  tmux('kill-server')
  const code = () => readFile(join(home.path, 'code'), 'utf8').catch(() => '')
  while ((await code()) === '') await new Promise((resolve) => setTimeout(resolve, 50))
  openTerminal() // For the end of the test, which closes one.
  expect(await code()).toBe('0\n')
})

test('colours are for the terminal, and NO_COLOR takes them away', async () => {
  openTerminal()
  await screen(prompts(1))
  type('codex-api-proxy doctor; echo first')
  await screen(lastLine('first'))
  expect(tmux('capture-pane', '-p', '-e')).toContain('\u001b[32mok')
  type('clear; NO_COLOR=1 codex-api-proxy doctor; echo second')
  await screen(lastLine('second'))
  expect(tmux('capture-pane', '-p', '-e')).not.toContain('\u001b[32m')
})

test('whoever reads a configuration in the terminal is told where it belongs', async () => {
  openTerminal()
  await screen(prompts(1))
  type('clear; codex-api-proxy clients codex --model gpt-5.5 2>&1; echo done')
  expect(await screen(lastLine('done'))).toContain('\nCodex CLI: ~/.codex/config.toml\n\nmodel = "gpt-5.5"\n')
})
