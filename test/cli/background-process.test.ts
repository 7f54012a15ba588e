import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { BACKGROUND_COMMAND } from '../../src/cli/context.ts'
import type { StartOrder } from '../../src/daemon/messages.ts'
import { acquireLock } from '../../src/system/lock-file.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { preload } from '../support/preloads.ts'
import { createHome, type Home, PROGRAM, run } from '../support/program.ts'

// The process that `start` makes, without the `start`: what only happens when that ends early, or when files change
// between its look at them and their use.

let home: Home
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(apiKeyAuth())
  await mkdir(home.runFolder)
})
afterEach(() => home.remove())

/** Tells its parent whenever it begins to listen for the end of that. */
const TELLING = "process.on('newListener', (name) => name === 'disconnect' && process.send(name))"

/** The process, which is sent its settings. */
async function ordered(settings: StartOrder['settings'], code = ''): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, BACKGROUND_COMMAND], {
    env: { ...home.env, NODE_OPTIONS: preload(code) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await new Promise((resolve) => child.send({ settings: { port: '0', ...settings }, origins: {} }, resolve))
  return child
}

test('a server whose `start` ends before it answers ends too', async () => {
  const pidFile = join(home.runFolder, 'codex-api-proxy.pid')
  // Nobody else may write the pid file meanwhile, so the server waits.
  const lock = await acquireLock(`${pidFile}.lock`, { until: () => false, patienceMs: 0 })
  const child = await ordered({ pidFile }, TELLING)
  // While it waits for its settings, then while it starts.
  for (let told = 0; told < 2; told++) await once(child, 'message')
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  lock?.release()
})

test('a server that can not save its settings at the last moment says so and does not stay', async () => {
  const stateFile = join(home.runFolder, 'codex-api-proxy.state.json')
  await mkdir(stateFile)
  const child = await ordered({ stateFile })
  const [[report], exit] = await Promise.all([once(child, 'message'), once(child, 'exit')])
  expect(report).toEqual({
    kind: 'failed',
    reason: expect.stringMatching(`^Can't use ${stateFile}: it is a folder\\. Choose --pid-file, .*--foreground`),
  })
  expect(exit).toEqual([1, null])
})

test('a crash is in the log also when Node writes what it says of it to a file that was rotated away', async () => {
  const logFile = join(home.runFolder, 'codex-api-proxy.log')
  const child = await ordered({ logFile }, "process.on('SIGUSR2', () => { throw new Error('made up') })")
  await once(child, 'message')
  child.kill('SIGUSR2')
  expect(await once(child, 'exit')).toEqual([1, null])
  const [, line = '', ...others] = (await readFile(logFile, 'utf8')).split('\n')
  expect(JSON.parse(line)).toEqual({
    level: 'fatal',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    msg: 'the server crashed: made up',
    stack: expect.stringMatching(/^Error: made up\n {4}at /),
  })
  expect(others).toEqual([''])
})

test('the command that `start` runs is none for a person', async () => {
  expect(await run([BACKGROUND_COMMAND], { home })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'codex-api-proxy: This is how `start` runs the server; use `start --foreground`.\n',
  })
})
