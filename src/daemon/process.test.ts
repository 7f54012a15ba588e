import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { loadConfig } from '../config/load.ts'
import { processStart } from '../system/process-start.ts'
import { claimPidFile } from './pid-file.ts'
import { startProcess, stopProcess } from './process.ts'

vi.mock(import('node:fs'), { spy: true })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'process-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

test('a server of another user is left to that user', async () => {
  const file = join(folder, 'pid')
  await claimPidFile(file)
  vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
    if (signal === 0) return true
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
  })
  await expect(stopProcess(file, 100)).rejects.toThrow(
    `Process ${process.pid} belongs to another user, who has to stop it.`,
  )
})

/** A process that does not mind a SIGTERM, or only so many. */
async function startDeaf(minded = Number.POSITIVE_INFINITY): Promise<{ pid: number; ended: Promise<unknown[]> }> {
  const script = `let left = ${minded}
    process.on('SIGTERM', () => --left || process.exit())
    setInterval(() => {}, 1000)
    console.log('deaf')`
  const deaf = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void deaf.kill('SIGKILL'))
  await once(deaf.stdout, 'data')
  return { pid: deaf.pid ?? 0, ended: once(deaf, 'exit') }
}

/** A clock that makes a minute of waiting short, until a process is killed. */
function hurry() {
  let [now, step] = [0, 10_000]
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += step
    return now
  })
  const kill = process.kill.bind(process)
  return vi.spyOn(process, 'kill').mockImplementation((target, signal) => {
    if (signal === 'SIGKILL') step = 1
    return kill(target, signal)
  })
}

test('a server that does not stop in time is ended by force, and its pid file is taken away', async () => {
  const file = join(folder, 'pid')
  const { pid, ended } = await startDeaf()
  await writeFile(file, `${pid}\nstarted=${await processStart(pid)}\n`)
  hurry()
  expect(await stopProcess(file, 100)).toEqual({ kind: 'killed', pid })
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(existsSync(file)).toBe(false)
})

test('a second request to stop is made until it is followed: the system makes one signal of two that come together', async () => {
  const file = join(folder, 'pid')
  const { pid, ended } = await startDeaf(3)
  await writeFile(file, `${pid}\nstarted=${await processStart(pid)}\n`)
  expect(await stopProcess(file, 0)).toEqual({ kind: 'stopped', pid })
  expect(await ended).toEqual([0, null])
})

test('a process that may be another one than the server is not ended by force', async () => {
  const file = join(folder, 'pid')
  const { pid } = await startDeaf()
  await writeFile(file, `${pid}\nstarted=134000000000000000\n`)
  // As on Windows without PowerShell.
  playPlatform('win32')
  vi.stubEnv('SystemRoot', undefined)
  const kill = hurry()
  await expect(stopProcess(file, 100)).rejects.toThrow(`Process ${pid} did not stop in time. Whether it is the server`)
  expect(kill).not.toHaveBeenCalledWith(pid, 'SIGKILL')
  expect(existsSync(file)).toBe(true)
})

test.each([
  ['process.exit(3)', 'The server process ended (exit code 3).'],
  ["process.kill(process.pid, 'SIGKILL')", 'The server process ended (SIGKILL).'],
  ["process.send('hello')", 'The server process reported something unknown.'],
])('a start of which nothing comes fails with the reason: %s', async (script, reason) => {
  const bases = { home: folder, cwd: folder }
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases })
  expect(await startProcess(['-e', script], loaded, { PATH: process.env.PATH })).toEqual({
    kind: 'failed',
    reason,
    logFrom: 0,
  })
})

test('a process that is gone before it is told what to do is known by its own end', async () => {
  const gone = join(folder, 'gone')
  const script = `process.once('disconnect', () => {
    require('fs').writeFileSync(${JSON.stringify(gone)}, '')
    process.exit(3)
  })
  process.disconnect()`
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases: { home: folder, cwd: folder } })
  // The log is closed between the start of the process and the order to it.
  vi.mocked(openSync).mockClear()
  vi.mocked(closeSync).mockImplementation((file) => {
    const opened = vi.mocked(openSync).mock
    const isLog = opened.calls.some(
      ([path], at) => path === loaded.config.logFile && opened.results[at]?.value === file,
    )
    while (isLog && !existsSync(gone));
  })
  const outcome = await startProcess(['-e', script], loaded, { PATH: process.env.PATH })
  expect(outcome).toEqual({ kind: 'failed', reason: 'The server process ended (exit code 3).', logFrom: 0 })
})

test('a start that fails is over only when its process is: the next one would take that for a server', async () => {
  const gone = join(folder, 'gone')
  const script = `process.once('message', () => {
    process.send({ kind: 'failed', reason: 'No.' }, () => process.disconnect())
    setTimeout(() => require('fs').writeFileSync(${JSON.stringify(gone)}, ''), 300)
  })`
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases: { home: folder, cwd: folder } })
  const outcome = await startProcess(['-e', script], loaded, { PATH: process.env.PATH })
  expect([outcome, existsSync(gone)]).toEqual([{ kind: 'failed', reason: 'No.', logFrom: 0 }, true])
})

test('a start for which no process can be made fails with the reason', async () => {
  const { execPath } = process
  onTestFinished(() => {
    process.execPath = execPath
  })
  process.execPath = join(folder, 'gone')
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases: { home: folder, cwd: folder } })
  expect(await startProcess(['-e', ''], loaded, {})).toEqual({
    kind: 'failed',
    reason: `spawn ${process.execPath} ENOENT`,
    logFrom: 0,
  })
})

test('on Windows a log that somebody has for himself alone is waited for', async () => {
  playPlatform('win32')
  vi.mocked(openSync).mockImplementationOnce(failWith('EBUSY'))
  const script = "process.once('message', () => process.send({ kind: 'ready', url: 'http://127.0.0.1:1' }))"
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases: { home: folder, cwd: folder } })
  expect(await startProcess(['-e', script], loaded, { PATH: process.env.PATH })).toMatchObject({ kind: 'started' })
})

test('a log that can not be closed after it was handed on does not keep the server from starting', async () => {
  vi.mocked(closeSync).mockImplementationOnce(failWith('EIO'))
  const script = "process.once('message', () => process.send({ kind: 'ready', url: 'http://127.0.0.1:1' }))"
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases: { home: folder, cwd: folder } })
  expect(await startProcess(['-e', script], loaded, { PATH: process.env.PATH })).toMatchObject({ kind: 'started' })
})
