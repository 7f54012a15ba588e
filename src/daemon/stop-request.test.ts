import { existsSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { onStopRequest, requestStop, withdrawStop } from './stop-request.ts'

vi.mock(import('node:fs'), { spy: true })
let folder: string
let pidFile: string
const stop = vi.fn()
let endLooking = () => {}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stop-request-'))
  pidFile = join(folder, 'pid')
  playPlatform('win32')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(async () => {
  endLooking()
  vi.useRealTimers()
  vi.resetAllMocks()
  await rm(folder, { recursive: true })
})

function look(): number {
  vi.advanceTimersByTime(1000)
  return stop.mock.calls.length
}

test('a request that came too late is taken back, but not one to a later server', async () => {
  await requestStop(pidFile, 1)
  withdrawStop(pidFile, 2)
  expect(existsSync(`${pidFile}.stop`)).toBe(true)
  withdrawStop(pidFile, 1)
  expect(existsSync(`${pidFile}.stop`)).toBe(false)
})

test('each request to this process stops it once more', async () => {
  endLooking = onStopRequest(pidFile, stop)
  expect(look()).toBe(0)
  await requestStop(pidFile, process.pid)
  expect([look(), look()]).toEqual([1, 1])
  await requestStop(pidFile, process.pid)
  expect(look()).toBe(2)
  expect(existsSync(`${pidFile}.stop`)).toBe(false)
})

test('a request that a killed server left behind does not stop the next one', async () => {
  await requestStop(pidFile, process.pid + 1)
  endLooking = onStopRequest(pidFile, stop)
  expect(look()).toBe(0)
  expect(existsSync(`${pidFile}.stop`)).toBe(false)
})

test.each([readFileSync, rmSync])(
  'a request that can not be read or taken away just now counts when it can, and once',
  async (call) => {
    await requestStop(pidFile, process.pid)
    vi.mocked(call).mockImplementationOnce(failWith('EBUSY'))
    endLooking = onStopRequest(pidFile, stop)
    expect(look()).toBe(1)
  },
)

test('looking keeps no process running: not one whose start has failed', () => {
  const timers = vi.spyOn(globalThis, 'setInterval')
  endLooking = onStopRequest(pidFile, stop)
  expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([false])
  timers.mockRestore()
})

test('where it can not be asked by the file, one is told how else to end the server', async () => {
  await mkdir(`${pidFile}.stop`)
  await expect(requestStop(pidFile, 1234)).rejects.toThrow(
    `Can't use ${pidFile}.stop: it is a folder. Make room for that file, or end process 1234 in the Task Manager.`,
  )
})

test('where there are signals nothing is looked for, nor after the end', async () => {
  const endEarlier = onStopRequest(pidFile, stop)
  endEarlier()
  playPlatform('linux')
  endLooking = onStopRequest(pidFile, stop)
  await requestStop(pidFile, process.pid)
  expect(look()).toBe(0)
})
