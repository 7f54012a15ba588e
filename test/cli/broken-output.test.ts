import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { chatgptAuth } from '../support/auth-files.ts'
import { createHome, type Home, PROGRAM } from '../support/program.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
})
afterEach(() => home.remove())

/** The program with one of its outputs on a device that is always full, full(4), or in another file. */
function launch(
  args: readonly string[],
  full: 'stdout' | 'stderr',
  device: number = openSync('/dev/full', 'w'),
): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: home.path,
    env: { ...home.env, CODEX_API_PROXY_HTTPS_PROXY: 'none' },
    stdio: full === 'stdout' ? ['ignore', device, 'pipe'] : ['ignore', 'pipe', device],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const FOREGROUND = ['start', '--foreground', '--port', '0', '--log-level', 'debug']

async function addressOf(server: ChildProcess): Promise<string | undefined> {
  const [said] = await once(server.stdout ?? server, 'data')
  return /http:\/\/[^/]+/.exec(String(said))?.[0]
}

test('the server goes on when its log can not be written', async () => {
  const server = launch(FOREGROUND, 'stderr')
  const ended = once(server, 'exit')
  const url = await addressOf(server)
  for (let request = 0; request < 3; request++) {
    // An answer of any kind: each is one more line that can't be written.
    await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: 'not JSON' })).text()
    expect((await fetch(`${url}/health`)).status).toBe(200)
  }
  server.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test('a server whose log nobody reads goes on, and ends when it is told to', async () => {
  const path = join(home.path, 'pipe')
  execFileSync('mkfifo', [path])
  const pipe = openSync(path, constants.O_RDWR)
  onTestFinished(() => closeSync(pipe))
  const server = launch(FOREGROUND, 'stderr', pipe)
  const ended = once(server, 'exit')
  const url = await addressOf(server)
  // Some 100 KB of log; a pipe holds 64.
  for (let request = 0; request < 400; request++) {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: 'not JSON' })
    expect(await answer.json()).toMatchObject({ error: { code: 'unsupported_content_type' } })
  }
  server.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test.each([['status', '--json'], ['--help'], ['completion', 'bash']])(
  'a result that can not be written (%s) is one line and a failure',
  async (...args) => {
    const command = launch(args, 'stdout')
    const [said, [code]] = await Promise.all([text(command.stderr ?? Readable.from([])), once(command, 'exit')])
    expect(said).toMatch(/^codex-api-proxy: The result could not be written: ENOSPC[^\n]*\n$/)
    expect(code).toBe(args[0] === 'status' ? 3 : 1)
  },
)
