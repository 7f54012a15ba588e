import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FakeUpstream } from '../fake-upstream/server.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { type HeldStream, startHeldStream } from '../support/held-stream.ts'
import { freePort, untilRefused } from '../support/loopback.ts'
import { type Home, PROGRAM, type Result, run, started, startForeground, withoutProgress } from '../support/program.ts'

// What other commands make of a server that is stopping: it lets a long answer finish.

let stage: CommandStage
let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeEach(async () => {
  stage = await startCommandStage()
  ;({ home, upstream, env } = stage)
  // The answer that a stop waits for lasts as long as a test needs.
  env.CODEX_PROXY_DRAIN_TIMEOUT = '1h'
})
afterEach(() => stage.close())

const command = (...args: string[]) => run(args, { home, env })

type Stopping = { readonly pid: number; readonly stream: HeldStream; readonly stopped: Promise<Result> }

/** A server that was asked to stop while it answers. */
async function startStopping(
  startWith: readonly string[] = ['--port', '0'],
  stopWith: readonly string[] = [],
): Promise<Stopping> {
  const { url, pid } = started(await command('start', ...startWith))
  const stream = await startHeldStream(upstream, url)
  const stopped = command('stop', ...stopWith)
  await untilRefused(url)
  return { pid, stream, stopped }
}

test('status says that it is stopping', async () => {
  const { pid, stream, stopped } = await startStopping()
  expect(await command('status')).toEqual({
    code: 0,
    stdout: `Stopping (process ${pid}); running answers may finish.\n`,
    stderr: '',
  })
  const report = JSON.parse((await command('status', '--json')).stdout)
  expect(report).toMatchObject({ running: true, pid, stopping: true, health: null })
  // Its address may be another's by now.
  expect(report).not.toHaveProperty('url')
  stream.gate.open()
  await stopped
})

test('status tells nothing of another server that has its address by now', async () => {
  const port = String(await freePort())
  const { pid, stream, stopped } = await startStopping(['--port', port])
  const other = await startForeground(['--port', port], { home, env })
  const report = JSON.parse((await command('status', '--json')).stdout)
  expect(report).toMatchObject({ mode: 'background', pid, stopping: true, health: null })
  expect(report).not.toHaveProperty('url')
  await other.stop()
  stream.gate.open()
  await stopped
})

test('doctor says that it is stopping, and looks at what the next start needs', async () => {
  const { pid, stream, stopped } = await startStopping()
  const checks = JSON.parse((await command('doctor', '--json')).stdout).checks as { name: string; message: string }[]
  const messageOf = (wanted: string) => checks.find(({ name }) => name === wanted)?.message
  expect(messageOf('Process')).toBe(
    `The background server (process ${pid}) is stopping; running answers may finish, and \`start\` waits until it has ended.`,
  )
  expect(messageOf('Run files')).toBe('Pid, log and state file can be written.')
  expect(messageOf('Port')).toBe('Any free port.')
  stream.gate.open()
  await stopped
})

test.each(['start', 'restart'])('%s waits for its end, and starts', async (name) => {
  const { pid, stream, stopped } = await startStopping()
  const starting = spawn(process.execPath, [PROGRAM, name, '--port', '0'], {
    env: { ...home.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, ended] = [text(starting.stdout), once(starting, 'close')]
  const [remark] = await Promise.race([once(starting.stderr, 'data'), ended])
  expect(String(remark)).toMatch(new RegExp(`^Waiting for process ${pid}, which is stopping\\.`))
  stream.gate.open()
  expect(await stream.rest()).toContain('[DONE]')
  expect((await stopped).stdout).toBe(`Stopped process ${pid}.\n`)
  expect((await ended)[0]).toBe(0)
  expect(await output).toMatch(/^Started: /)
  expect((await command('status')).stdout).toMatch(/^Running: /)
})

test('start starts at once when it was killed meanwhile', async () => {
  const { pid, stream, stopped } = await startStopping()
  process.kill(pid, 'SIGKILL')
  await stopped
  expect((await command('start', '--port', '0')).stdout).toMatch(/^Started: /)
  stream.gate.open()
})

test('`stop --drain-timeout` cuts answers that take longer, whatever the server was started with', async () => {
  const { pid, stream, stopped } = await startStopping(undefined, ['--drain-timeout', '100ms'])
  expect(await stream.rest()).toMatch(/one.*"code":"draining"[^\n]*\n\n$/s)
  expect(withoutProgress(await stopped)).toEqual({ code: 0, stdout: `Stopped process ${pid}.\n`, stderr: '' })
  stream.gate.open()
})

test('the pid file goes on naming it until its end', async () => {
  const { pid, stream, stopped } = await startStopping()
  const note = await readFile(join(home.runFolder, 'codex-api-proxy.pid'), 'utf8')
  expect(note.split('\n')).toEqual([
    String(pid),
    expect.stringMatching(/^started=/),
    expect.stringMatching(/^url=http:/),
    `log=${join(home.runFolder, 'codex-api-proxy.log')}`,
    'stopping=yes',
    '',
  ])
  stream.gate.open()
  await stopped
})
