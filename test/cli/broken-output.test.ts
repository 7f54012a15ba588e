import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chatgptAuth } from '../support/auth-files.ts'
import { createHome, type Home, PROGRAM } from '../support/program.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
})
afterEach(() => home.remove())

/** The program with one of its outputs on a device that is always full, full(4). */
function launch(args: readonly string[], full: 'stdout' | 'stderr'): ChildProcess {
  const device = openSync('/dev/full', 'w')
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd: home.path,
    env: { ...home.env, CODEX_API_PROXY_HTTPS_PROXY: 'none' },
    stdio: full === 'stdout' ? ['ignore', device, 'pipe'] : ['ignore', 'pipe', device],
  })
}

test('the server goes on when its log can not be written', async () => {
  const server = launch(['start', '--foreground', '--port', '0', '--log-level', 'debug'], 'stderr')
  const ended = once(server, 'exit')
  const [address] = await once(server.stdout ?? server, 'data')
  const url = /http:\/\/[^/]+/.exec(String(address))?.[0]
  for (let request = 0; request < 3; request++) {
    // An answer of any kind: each is one more line that can't be written.
    await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: 'not JSON' })).text()
    expect((await fetch(`${url}/health`)).status).toBe(200)
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
