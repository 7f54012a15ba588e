import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync, rmSync } from 'node:fs'
import { lchown, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { acquireLock } from '../system/lock-file.ts'
import { processStart } from '../system/process-start.ts'
import {
  type Claim,
  checkPidFile,
  claimPidFile,
  findCrashed,
  findRunning,
  lockInTheWay,
  type RunningServer,
  removeStale,
  whyStillThere,
} from './pid-file.ts'

vi.mock(import('node:fs'), { spy: true })
vi.mock(import('node:fs/promises'), { spy: true })

let folder: string
let file: string
const SERVER = { url: 'http://127.0.0.1:1', logFile: '/a folder/log' }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pid-file-'))
  file = join(folder, 'run', 'proxy.pid')
})
afterEach(() => rm(folder, { recursive: true }))

function claimed(outcome: Claim | RunningServer): Claim {
  if ('pid' in outcome) throw new Error('Someone else has it.')
  return outcome
}

test('a claim names this process, in a private file whose first line is the process id alone', async () => {
  const claim = claimed(await claimPidFile(file))
  await claim.announce(SERVER)
  expect(await findRunning(file)).toEqual({ pid: process.pid, ...SERVER })
  expect((await readFile(file, 'utf8')).split('\n')[0]).toBe(String(process.pid))
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'run'))).mode & 0o777).toBe(0o700)
})

test('a note that it is stopping is seen, also when it comes before the address', async () => {
  const claim = claimed(await claimPidFile(file))
  claim.noteStopping()
  expect(await findRunning(file)).toEqual({ pid: process.pid, stopping: true })
  await claim.announce(SERVER)
  expect(await findRunning(file)).toEqual({ pid: process.pid, ...SERVER, stopping: true })
})

test('a note that it is stopping leaves the file of another process alone, and makes none', async () => {
  const claim = claimed(await claimPidFile(file))
  await writeFile(file, '1\nstarted=other\n')
  claim.noteStopping()
  expect(await readFile(file, 'utf8')).toBe('1\nstarted=other\n')
  await rm(file)
  claim.noteStopping()
  expect(await readdir(join(folder, 'run'))).toEqual([])
})

test('a second claim hands back the running server and changes nothing', async () => {
  claimed(await claimPidFile(file))
  const before = await readFile(file, 'utf8')
  expect(await claimPidFile(file)).toEqual({ pid: process.pid })
  expect(await readFile(file, 'utf8')).toBe(before)
})

test('of several claims at once exactly one wins, also where a stale file is', async () => {
  // On a busy machine the one that has the lock may be slower than the others are patient.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0)
  onTestFinished(() => clock.mockRestore())
  const stale = '1\nstarted=long-ago\n'
  for (const leftOver of [undefined, ...Array.from({ length: 15 }, () => stale)]) {
    await mkdir(join(folder, 'run'), { recursive: true })
    if (leftOver !== undefined) await writeFile(file, leftOver)
    // Few: all wait in one event loop, where each look at the lock holds up the one that has it.
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => claimPidFile(file)))
    const winners = outcomes.filter((outcome): outcome is Claim => !('pid' in outcome))
    expect(winners).toHaveLength(1)
    expect(await findRunning(file)).toEqual({ pid: process.pid })
    winners[0]?.release()
  }
})

test('a released claim leaves no file behind, not even a temporary one', async () => {
  claimed(await claimPidFile(file)).release()
  expect(await findRunning(file)).toBeUndefined()
  expect(await readdir(join(folder, 'run'))).toEqual([])
})

test.each(['EPERM', 'EBUSY'])(
  'on Windows a file that somebody has open just now ends no server in a crash, and is removed when it can be: %s',
  async (code) => {
    const claim = claimed(await claimPidFile(file))
    vi.mocked(rmSync).mockImplementationOnce(failWith(code))
    claim.release()
    await writeFile(file, `${spawnSync(process.execPath, ['-e', '']).pid}\nstarted=earlier\n`)
    vi.mocked(rm).mockImplementationOnce(async () => failWith(code)())
    await expect(removeStale(file)).rejects.toMatchObject({ code })
    playPlatform('win32')
    vi.mocked(rm).mockImplementationOnce(async () => failWith(code)())
    await removeStale(file)
    expect(await readdir(join(folder, 'run'))).toEqual([])
  },
)

test('a release leaves the file of another process alone', async () => {
  const claim = claimed(await claimPidFile(file))
  await writeFile(file, '1\nstarted=other\n')
  claim.release()
  expect(await readFile(file, 'utf8')).toBe('1\nstarted=other\n')
})

test('the note of a process that is gone is stale and taken over', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const started = await processStart(child.pid ?? 0)
  claimed(await claimPidFile(file)).release()
  await writeFile(file, `${child.pid}\nstarted=${started}\n`)
  expect(await findRunning(file)).toEqual({ pid: child.pid })

  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await findRunning(file)).toBeUndefined()
  claimed(await claimPidFile(file))
})

test('a process id that was used again is not taken for the server', async () => {
  claimed(await claimPidFile(file)).release()
  // This process lives, but did not begin when the note says.
  await writeFile(file, `${process.pid}\nstarted=long-ago\n`)
  expect(await findRunning(file)).toBeUndefined()
})

test.each(['', '\n', '\0\0\0', '-5\nstarted=x\n'])(
  'a file that holds %j names nobody and is taken over',
  async (text) => {
    claimed(await claimPidFile(file)).release()
    await writeFile(file, text)
    expect(await findRunning(file)).toBeUndefined()
    claimed(await claimPidFile(file))
  },
)

test.each(['garbage\n', '{"tokens":{}}', '5 apples\n'])(
  'a file that holds %j is no pid file, and stays',
  async (text) => {
    await mkdir(join(folder, 'run'))
    await writeFile(file, text)
    expect(await findRunning(file)).toBeUndefined()
    const refusal = `--pid-file ${file}: it is not a pid file; choose another one, or move it away.`
    for (const use of [claimPidFile, removeStale, checkPidFile]) await expect(use(file)).rejects.toThrow(refusal)
    expect(await readFile(file, 'utf8')).toBe(text)
  },
)

test('a process id alone, as other programs write it, is not trusted to be ours', async () => {
  claimed(await claimPidFile(file)).release()
  await writeFile(file, `${process.pid}\n`)
  expect(await findRunning(file)).toBeUndefined()
})

test.each([
  ['1\nstarted=long-ago\n', { pid: 1, stopping: false }],
  ['1\nstarted=long-ago\nurl=http://127.0.0.1:1\nstopping=yes\n', { pid: 1, stopping: true }],
  ['1\n', undefined],
  ['garbage\n', undefined],
])('of a file that holds %j the process that crashed is %j', async (text, crashed) => {
  await mkdir(join(folder, 'run'))
  await writeFile(file, text)
  if (crashed === undefined) expect(await findCrashed(file)).toBeUndefined()
  else expect(await findCrashed(file)).toMatchObject(crashed)
  expect((await whyStillThere(file))?.includes('is stale')).toBe(crashed && true)
})

test('nobody crashed where there is no file, or where the process is still there', async () => {
  expect(await findCrashed(file)).toBeUndefined()
  claimed(await claimPidFile(file))
  expect(await findCrashed(file)).toBeUndefined()
  expect(await whyStillThere(file)).toBeUndefined()
})

test('a file that can not be made at all fails with the reason', async () => {
  await writeFile(join(folder, 'text'), '')
  await expect(claimPidFile(join(folder, 'text', 'run', 'proxy.pid'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('removing what is stale leaves a running server its file', async () => {
  claimed(await claimPidFile(file))
  await removeStale(file)
  expect(await findRunning(file)).toEqual({ pid: process.pid })
})

test('a link to nothing in place of the pid file is stale too', async () => {
  await mkdir(join(folder, 'run'))
  await symlink('nowhere', file)
  claimed(await claimPidFile(file))
  expect(await findRunning(file)).toEqual({ pid: process.pid })
  expect(await readdir(join(folder, 'run'))).toEqual(['proxy.pid'])
})

test('no hard link is made: Android and some file systems refuse them', async () => {
  vi.mocked(link).mockImplementationOnce(async () => failWith('EACCES')())
  claimed(await claimPidFile(file))
  expect(await findRunning(file)).toEqual({ pid: process.pid })
})

const isRoot = process.getuid?.() === 0

/** A second passes with each look at the clock, so that a patience of seconds ends soon. */
function hurry(): void {
  let now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1000
    return now
  })
  onTestFinished(() => clock.mockRestore())
}

test('a lock of somebody who does not let go is not waited for without end', async () => {
  await mkdir(join(folder, 'run'))
  await writeFile(file, '1\nstarted=long-ago\n')
  expect(lockInTheWay(file)).toBeUndefined()
  const lock = await acquireLock(`${file}.lock`, { until: () => false, patienceMs: 0 })
  const held = `${file}.lock, which is held by process ${process.pid}`
  expect(lockInTheWay(file)).toBe(held)
  hurry()
  await expect(claimPidFile(file)).rejects.toThrow(
    `${file} can't be written now, because of ${held}. Delete that lock, or choose another --pid-file.`,
  )
  lock?.release()
  expect(lockInTheWay(file)).toBeUndefined()
  claimed(await claimPidFile(file)).release()
})

test('a server that is registered is found although somebody does not let go of the lock', async () => {
  claimed(await claimPidFile(file))
  const lock = await acquireLock(`${file}.lock`, { until: () => false, patienceMs: 0 })
  hurry()
  expect(await claimPidFile(file)).toEqual({ pid: process.pid })
  lock?.release()
})

test('the lock of a start that was killed before it wrote its name holds up the next one, but does not fail it', async () => {
  await mkdir(join(folder, 'run'))
  await writeFile(`${file}.lock`, '')
  claimed(await claimPidFile(file)).release()
  expect(await readdir(join(folder, 'run'))).toEqual([])
})

test.runIf(isRoot).each([
  ['the lock', (lock: string) => writeFile(lock, '{}')],
  ['a link to a file of ours as the lock', (lock: string) => symlink(file, lock)],
  ['a link to nothing as the lock', (lock: string) => symlink('nowhere', lock)],
])('%s of another user is not waited for at all', async (_name, make) => {
  await mkdir(join(folder, 'run'))
  await writeFile(file, '1\nstarted=long-ago\n')
  await make(`${file}.lock`)
  await lchown(`${file}.lock`, 12_345, 12_345)
  vi.mocked(openSync).mockClear()
  await expect(claimPidFile(file)).rejects.toThrow(`${file}.lock, which is held by another user. `)
  // Others are asked again and again for five seconds.
  const looks = vi.mocked(openSync).mock.calls.filter(([path, flags]) => path === `${file}.lock` && flags === 'wx')
  expect(looks).toHaveLength(1)
})
