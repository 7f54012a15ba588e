import { randomUUID } from 'node:crypto'
import { closeSync, lstatSync, openSync, readlinkSync, rmSync, type Stats, statSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type JsonObject, parseObject } from '../json-object.ts'
import { elapsed } from './elapsed.ts'
import { isCode, isHeldOpen } from './error-code.ts'
import { isThere, linuxStart } from './process-table.ts'
import { readText, textIn } from './text-file.ts'

const POLL_MS = 25
/**
 * How old a lock without a holder must be to count as abandoned: its maker was killed before it wrote its name. That
 * takes microseconds; and whoever waits for a lock has to wait longer than this, including the five seconds of a start.
 */
const NAMELESS_MS = 4000
/**
 * The same for a lock whose holder can't be checked: it is on another machine, the system has no start times, or only
 * another user may read the lock. Nothing done under a lock takes that long.
 */
const UNSEEN_MS = 300_000
/** How long until the removal of a released lock is tried again. */
const RETRY_MS = 1000

/**
 * The contents of locks that this process has released but could not remove (no free file descriptor, the mount became
 * read-only, or the folder was moved). Other processes respect them as long as this one runs; this one takes them over.
 */
const leftBehind = new Set<string>()

export type Lock = { release(): void }
const NO_LOCK: Lock = { release() {} }

type LockOptions = {
  /** Asked while waiting: true ends the wait without the lock. */
  readonly until: () => boolean
  readonly patienceMs: number
}

/**
 * A lock between our own processes: a file that only one of them can create, containing the holder's name. `undefined`
 * if `until` came true first, or patience ran out (then `until` is still false). Where no file can be created, the lock
 * locks nothing. In that case either the login can't be written there, on a full disk for example, and isn't refreshed.
 * Or it can only be written in place, since no files can be created in its folder: refusing would make such a login
 * useless, while two processes that refresh it at once are rare, and the second one then finds the tokens of the first.
 */
export async function acquireLock(path: string, { until, patienceMs }: LockOptions): Promise<Lock | undefined> {
  // Measured by a clock that can't be set back meanwhile.
  const deadline = performance.now() + patienceMs
  while (true) {
    const lock = tryLock(path)
    if (lock !== undefined) return lock
    if (until() || performance.now() >= deadline) return undefined
    await delay(POLL_MS)
  }
}

/** Who holds a lock, in words; `undefined` when nobody does. */
export function holderOf(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined || isAbandoned(path)) return undefined
  if (isOfAnotherUser(path)) return 'another user'
  const holder = parseObject(textIn(path) ?? '')
  if (typeof holder?.pid !== 'number') return 'a process that left no name'
  return holder.host === host() ? `process ${holder.pid}` : `process ${holder.pid} of another machine or container`
}

/** A link belongs to whoever made it, whatever it points to. */
export function isOfAnotherUser(path: string): boolean {
  const made = lstatSync(path, { throwIfNoEntry: false })
  return made !== undefined && process.geteuid !== undefined && made.uid !== process.geteuid()
}

/** `undefined` while somebody else holds it. */
function tryLock(path: string): Lock | undefined {
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid), host: host(), id: randomUUID() })
  try {
    create(path, own)
    return { release: () => release(path, own) }
  } catch (error) {
    if (isInUse(error, path)) return undefined
    if (!isCode(error, 'EEXIST')) return NO_LOCK
  }
  try {
    const text = textIn(path)
    if (text !== undefined && leftBehind.delete(text)) return { release: () => release(path, text) }
    // Taken at once: a busy machine may look so late that this is the last time.
    return isAbandoned(path) && removeAbandoned(path) ? tryLock(path) : undefined
  } catch (error) {
    return isInUse(error, path) ? undefined : NO_LOCK
  }
}

/**
 * On Windows a removed file keeps its name until its last reader has closed it, and one that a virus scanner has open
 * can't be removed at all. Both look like a folder where no files can be created, so that is tried.
 */
function isInUse(error: unknown, path: string): boolean {
  if (!isHeldOpen(error)) return false
  try {
    const trial = `${path}.${randomUUID()}`
    create(trial, '')
    rmSync(trial, { force: true })
    return true
  } catch {
    return false
  }
}

function release(path: string, own: string): void {
  try {
    if (readText(path) === own) rmSync(path)
  } catch (error) {
    leftBehind.add(own)
    // Taken over by another process; or its folder is away, and may come back with it.
    if (isCode(error, 'ENOENT')) return
    const again = () => leftBehind.delete(own) && release(path, own)
    // Otherwise it counts as abandoned as soon as this process has ended.
    setTimeout(again, RETRY_MS).unref()
  }
}

function create(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeAndClose(file, text)
  } catch (error) {
    discard(path, text)
    throw error
  }
}

function writeAndClose(file: number, text: string): void {
  try {
    if (writeSync(file, text) < text.length) throw new Error('The disk is full.')
  } finally {
    closeSync(file)
  }
}

/**
 * Removes a lock that could not be written completely. Nobody could tell whose it is, and we would wait for ourselves.
 */
function discard(path: string, text: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    leftBehind.add(text)
  }
}

function isAbandoned(path: string): boolean {
  const text = textIn(path)
  // The link itself, not its target, which may be missing or be the link.
  const made = lstatSync(path, { throwIfNoEntry: false })
  if (made === undefined) return false
  const age = ageOf(made)
  if (text === undefined) return age > UNSEEN_MS
  const holder = parseObject(text)
  if (typeof holder?.pid !== 'number') return age > NAMELESS_MS
  if (holder.host !== host()) return age > UNSEEN_MS
  return isGone(holder, holder.pid, age)
}

function ageOf({ mtimeMs }: Stats): number {
  return elapsed(mtimeMs, Date.now())
}

function isGone(holder: JsonObject, pid: number, age: number): boolean {
  if (!isThere(pid)) return true
  const started = startOf(pid)
  // Process ids are reused: a different start time means a different process.
  return started === undefined ? age > UNSEEN_MS : started !== holder.started
}

/**
 * Two processes may find the same lock abandoned; the slower one must not remove the lock that the faster one has
 * created since. So removing requires a lock file of its own, and checks again. True if the lock was removed.
 */
function removeAbandoned(path: string): boolean {
  const guard = `${path}.removal`
  try {
    closeSync(openSync(guard, 'wx', 0o600))
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    const made = statSync(guard, { throwIfNoEntry: false })
    if (made !== undefined && ageOf(made) > NAMELESS_MS) rmSync(guard, { force: true })
    return false
  }
  try {
    if (!isAbandoned(path)) return false
    rmSync(path, { force: true })
    return true
  } finally {
    rmSync(guard, { force: true })
  }
}

/** The start of a process, in the form that locks hold; `undefined` where the system can't tell. */
function startOf(pid: number): string | undefined {
  const start = linuxStart(pid)
  return typeof start === 'object' ? `${start.ticks}@${start.boot}` : start
}

/** Process ids mean something only within one machine, and on Linux within one namespace (containers). */
function host(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
