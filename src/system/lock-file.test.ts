import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdtempSync,
  openSync,
  type PathLike,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { acquireLock, holderOf, type Lock } from './lock-file.ts'
import { linuxStart } from './process-table.ts'

vi.mock(import('node:fs'), { spy: true })
vi.mock(import('./process-table.ts'), { spy: true })
// Reading bytes, Node opens and closes by the very calls that are spied on here; reading text it does not.
vi.mock(import('./text-file.ts'), () => {
  const readText = (file: PathLike) => readFileSync(file, 'utf8')
  const textIn = (file: string) => {
    try {
      return readText(file)
    } catch {
      return undefined
    }
  }
  return { readText, textIn }
})
const real = await vi.importActual<typeof import('node:fs')>('node:fs')

let home: string
let path: string
const AN_HOUR_AGO = Date.now() / 1000 - 3600

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'codex-api-proxy-lock-'))
  path = join(home, 'lock')
})
afterEach(() => {
  rmSync(home, { recursive: true })
})

const acquire = (patienceMs = 30_000, until = () => false) => acquireLock(path, { until, patienceMs })
const taken = async (patienceMs?: number): Promise<Lock> => {
  const lock = await acquire(patienceMs)
  if (lock === undefined) throw new Error('not taken')
  return lock
}
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid
/** A lock file as this process would write it, with changes. */
const writeHolder = async (changes: object) => {
  const lock = await taken()
  const own = JSON.parse(readFileSync(path, 'utf8'))
  lock.release()
  writeFileSync(path, JSON.stringify({ ...own, ...changes }))
}

test('one holder at a time, and everybody gets their turn', async () => {
  // All look in one event loop: on a slow disk the last one would run out of patience.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0)
  onTestFinished(() => clock.mockRestore())
  let inside = 0
  let most = 0
  let turns = 0
  const work = async () => {
    const lock = await taken()
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
    turns += 1
    lock.release()
  }
  await Promise.all(Array.from({ length: 20 }, work))
  expect([most, turns]).toEqual([1, 20])
  expect(existsSync(path)).toBe(false)
})

test('patience has an end', async () => {
  await taken()
  expect(await acquire(30)).toBeUndefined()
})

test('patience has an end also when the clock is set back meanwhile', async () => {
  await taken()
  let now = Date.now()
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
    now -= 3 * 3600_000
    return now
  })
  onTestFinished(() => clock.mockRestore())
  expect(await acquire(30)).toBeUndefined()
})

test('waiting ends when there is nothing to do any more', async () => {
  await taken()
  expect(await acquire(30_000, () => true)).toBeUndefined()
})

test('the lock of a dead process is taken over', async () => {
  await writeHolder({ pid: deadPid() })
  await taken()
  expect(existsSync(`${path}.removal`)).toBe(false)
})

test('an abandoned lock is taken at the last look too, which on a busy machine is the first one that finds it', async () => {
  await writeHolder({ pid: deadPid() })
  await taken(0)
})

test('the lock of a process whose id is used again is taken over', async () => {
  await writeHolder({ started: '1@another-boot' })
  await taken()
})

test('the lock of a living process is not, however old', async () => {
  await taken()
  utimesSync(path, AN_HOUR_AGO, AN_HOUR_AGO)
  expect(await acquire(30)).toBeUndefined()
})

test('the lock of another machine is taken over only after a long time', async () => {
  await writeHolder({ pid: deadPid(), host: 'elsewhere' })
  expect(await acquire(30)).toBeUndefined()
  utimesSync(path, AN_HOUR_AGO, AN_HOUR_AGO)
  await taken()
})

test('a lock says who holds it, as long as somebody does', async () => {
  expect(holderOf(path)).toBeUndefined()
  await writeHolder({ host: 'elsewhere' })
  expect(holderOf(path)).toBe(`process ${process.pid} of another machine or container`)
  rmSync(path)
  await writeHolder({ pid: deadPid() })
  expect(holderOf(path)).toBeUndefined()
  writeFileSync(path, '')
  expect(holderOf(path)).toBe('a process that left no name')
})

test('a lock without a name in it is taken over after a while', async () => {
  writeFileSync(path, '')
  expect(await acquire(30)).toBeUndefined()
  utimesSync(path, AN_HOUR_AGO, AN_HOUR_AGO)
  await taken()
})

test('a lock or removal that seems to be made in the future, by a clock that was set back, is taken over', async () => {
  const ahead = Date.now() / 1000 + 3600
  const isMadeAhead = (file: string) => utimesSync(file, ahead, ahead)
  writeFileSync(path, '')
  writeFileSync(`${path}.removal`, '')
  isMadeAhead(path)
  isMadeAhead(`${path}.removal`)
  const lock = await taken(1000)
  lock.release()
  await writeHolder({ host: 'elsewhere' })
  isMadeAhead(path)
  await taken(1000)
})

test('a lock that only another user may read is taken over after a long time', async () => {
  await writeHolder({})
  vi.mocked(readFileSync).mockImplementation(((...asked: Parameters<typeof readFileSync>) =>
    asked[0] === path ? failWith('EACCES')() : real.readFileSync(...asked)) as typeof readFileSync)
  onTestFinished(() => void vi.mocked(readFileSync).mockReset())
  expect(await acquire(30)).toBeUndefined()
  utimesSync(path, AN_HOUR_AGO, AN_HOUR_AGO)
  await taken(30)
})

test('a removal that was cut off does not block for ever', async () => {
  await writeHolder({ pid: deadPid() })
  writeFileSync(`${path}.removal`, '')
  expect(await acquire(30)).toBeUndefined()
  utimesSync(`${path}.removal`, AN_HOUR_AGO, AN_HOUR_AGO)
  await taken()
})

test('a lock that was taken over is not released by its former holder', async () => {
  const former = await taken()
  rmSync(path)
  writeFileSync(path, '{"pid":1}')
  former.release()
  expect(readFileSync(path, 'utf8')).toBe('{"pid":1}')
})

function beforeTheNextLook(work: () => void): void {
  vi.mocked(lstatSync).mockImplementationOnce(((...asked: Parameters<typeof lstatSync>) => {
    work()
    return real.lstatSync(...asked)
  }) as typeof lstatSync)
}

test('where nobody can tell when a process was started a lock is taken over only after a long time', async () => {
  vi.mocked(linuxStart).mockReturnValue(undefined)
  try {
    await taken()
    expect(await acquire(30)).toBeUndefined()
    utimesSync(path, AN_HOUR_AGO, AN_HOUR_AGO)
    await taken(30)
  } finally {
    vi.mocked(linuxStart).mockRestore()
  }
})

test('a removal that ends while it is looked at is waited for no longer', async () => {
  await writeHolder({ pid: deadPid() })
  const removal = `${path}.removal`
  writeFileSync(removal, '')
  beforeTheNextLook(() => beforeTheNextLook(() => rmSync(removal)))
  await taken()
  expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid)
})

test('an abandoned lock that another process takes over first is that process’s', async () => {
  await writeHolder({})
  const theirs = readFileSync(path, 'utf8')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(theirs), pid: deadPid() }))
  vi.mocked(openSync)
    .mockImplementationOnce(real.openSync)
    .mockImplementationOnce((...asked) => {
      writeFileSync(path, theirs)
      return real.openSync(...asked)
    })
  expect(await acquire(30)).toBeUndefined()
  expect(readFileSync(path, 'utf8')).toBe(theirs)
})

test.runIf(process.platform === 'linux')(
  'a lock names the namespace in which its process id means something',
  async () => {
    await taken()
    expect(JSON.parse(readFileSync(path, 'utf8')).host).toContain(readlinkSync('/proc/self/ns/pid'))
  },
)

test('where an abandoned lock can not be removed there is none, and no waiting', async () => {
  await writeHolder({ pid: deadPid() })
  vi.mocked(openSync).mockImplementationOnce(real.openSync).mockImplementationOnce(failWith('EROFS'))
  await taken(0)
})

test.each(['EPERM', 'EACCES', 'EBUSY'])(
  'on Windows a lock that can not be made just now is somebody’s, and waited for: %s',
  async (code) => {
    playPlatform('win32')
    // It was removed, and another process has not closed it yet.
    vi.mocked(openSync).mockImplementationOnce(failWith(code))
    expect(await acquire(0)).toBeUndefined()
    expect(readdirSync(home)).toEqual([])

    await writeHolder({ pid: deadPid() })
    vi.mocked(rmSync).mockImplementationOnce(failWith(code))
    expect(await acquire(0)).toBeUndefined()
    await taken()
    expect(await acquire(0)).toBeUndefined()
  },
)

test('on Windows an abandoned lock is taken over', async () => {
  await writeHolder({ pid: deadPid() })
  playPlatform('win32')
  await taken(500)
})

test('elsewhere one that can not be removed holds nobody up, though its folder takes files', async () => {
  await writeHolder({ pid: deadPid() })
  vi.mocked(rmSync).mockImplementationOnce(failWith('EPERM'))
  await taken(0)
})

test('where no file can be made there is no lock, and no waiting, on Windows too', async () => {
  for (const name of [process.platform, 'win32'] as const) {
    playPlatform(name)
    vi.mocked(openSync).mockImplementationOnce(failWith('EPERM')).mockImplementationOnce(failWith('EPERM'))
    await taken(0)
    expect(readdirSync(home)).toEqual([])
    vi.mocked(openSync).mockReset()
  }
})

test('a lock whose file is gone is not looked for again', async () => {
  vi.useFakeTimers()
  try {
    const lock = await taken()
    rmSync(path)
    lock.release()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('a lock that is let go of while it is looked at is taken at the next look', async () => {
  const former = await taken()
  beforeTheNextLook(() => former.release())
  await taken()
  expect(existsSync(path)).toBe(true)
})

test.each(['lock', 'nowhere'])(
  'a link to %s in place of the lock is held by nobody known, and is removed when it is old',
  async (target) => {
    symlinkSync(target, path)
    expect(holderOf(path)).toBe('a process that left no name')
    expect(await acquire(0)).toBeUndefined()
    lutimesSync(path, AN_HOUR_AGO, AN_HOUR_AGO)
    expect(holderOf(path)).toBeUndefined()
    await taken()
    expect(lstatSync(path).isFile()).toBe(true)
  },
)

test('a lock takes no file descriptor while it is held, and none afterwards', async () => {
  vi.mocked(openSync).mockClear()
  vi.mocked(closeSync).mockClear()
  await writeHolder({ pid: deadPid() })
  await taken()
  const opened = vi.mocked(openSync).mock.results.filter(({ type }) => type === 'return')
  // The lock that is abandoned, what removes it, and the one after it.
  expect([opened.length, vi.mocked(closeSync).mock.calls.length]).toEqual([3, 3])
})

test('a lock that could not be removed is this process’s own again at its next turn', async () => {
  vi.mocked(rmSync).mockImplementationOnce(failWith('EROFS'))
  const former = await taken()
  former.release()
  expect(existsSync(path)).toBe(true)
  const lock = await taken(0)
  expect(await acquire(30)).toBeUndefined()
  lock.release()
  expect(existsSync(path)).toBe(false)
})

test('a lock whose folder was away when it was released is this process’s own again', async () => {
  const former = await taken()
  renameSync(home, `${home}-away`)
  former.release()
  renameSync(`${home}-away`, home)
  const lock = await taken(0)
  lock.release()
  expect(existsSync(path)).toBe(false)
})

test('a lock that could not be removed is removed later, for others to go on', async () => {
  vi.useFakeTimers()
  try {
    const lock = await taken()
    vi.mocked(readFileSync).mockImplementationOnce(failWith('EMFILE'))
    lock.release()
    expect(existsSync(path)).toBe(true)
    vi.advanceTimersByTime(1000)
    expect(existsSync(path)).toBe(false)
  } finally {
    vi.useRealTimers()
  }
})

test.each([
  ['', () => {}],
  [', also when it was deleted by hand before', () => rmSync(path)],
])('a lock left behind and taken again is not removed in the midst of its next turn%s', async (_, meanwhile) => {
  vi.useFakeTimers()
  try {
    vi.mocked(rmSync).mockImplementationOnce(failWith('EROFS'))
    const former = await taken()
    former.release()
    meanwhile()
    await taken(0)
    vi.advanceTimersByTime(5000)
    expect(existsSync(path)).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

test('where no file can be made there is no lock, and no waiting', async () => {
  const lock = await acquireLock(join(home, 'nowhere', 'lock'), { until: () => false, patienceMs: 0 })
  expect(lock).toBeDefined()
})

test('on a full disk there is no lock, and none is left that nobody could tell the holder of', async () => {
  vi.mocked(writeSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  })
  await taken(0)
  expect(existsSync(path)).toBe(false)
  // A part of the name still found room.
  vi.mocked(writeSync).mockReturnValueOnce(3)
  await taken(0)
  expect(existsSync(path)).toBe(false)
})

test('a lock whose file can not be closed is none, and none is left: it would hold up its own maker', async () => {
  const failing = (file: number) => {
    real.closeSync(file)
    failWith('EIO')()
  }
  vi.mocked(closeSync).mockImplementationOnce(failing)
  await taken(0)
  expect(existsSync(path)).toBe(false)

  // Nor can it be removed.
  vi.mocked(closeSync).mockImplementationOnce(failing)
  vi.mocked(rmSync).mockImplementationOnce(failWith('EIO'))
  await taken(0)
  expect(existsSync(path)).toBe(true)
  const lock = await taken(0)
  lock.release()
  expect(existsSync(path)).toBe(false)
})
