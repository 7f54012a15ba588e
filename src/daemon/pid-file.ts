import { appendFileSync, rmSync } from 'node:fs'
import { UsageError } from '../config/usage-error.ts'
import { acquireLock, holderOf, isOfAnotherUser, type Lock } from '../system/lock-file.ts'
import { isStillThere, processStart } from '../system/process-start.ts'
import { textIn } from '../system/text-file.ts'
import { ensureFolderOf, readIfThere, removePrivateFile, writePrivateFile } from './private-file.ts'

/** The background server. */
export type RunningServer = {
  readonly pid: number
  /** Without path; absent while it starts. */
  readonly url?: string | undefined
  /** Where it logs; absent while it starts. */
  readonly logFile?: string | undefined
  /** It accepts no new requests, and ends once its running answers have ended. */
  readonly stopping?: true | undefined
}

/** Whether it is known to listen on this port. */
export function isAtPort({ url }: RunningServer, port: number): boolean {
  return url?.endsWith(`:${port}`) === true
}

export type Claim = {
  /** Adds the address and the log, once the server listens. */
  announce(server: { readonly url: string; readonly logFile: string }): Promise<void>
  /** Adds that this process is about to end, so that nobody takes it for a server that stays. */
  noteStopping(): void
  /** Removes the file, unless another process has taken it over. Synchronous, for the last moment of a process. */
  release(): void
}

/** The process named by the pid file, if it is still the one that wrote it: process ids are reused. */
export async function findRunning(file: string): Promise<RunningServer | undefined> {
  const note = parseNote((await readIfThere(file)) ?? '')
  if (note === undefined || !(await isStillThere(note.pid, note.started))) return undefined
  const { started: _, ...server } = note
  return server
}

/** A process that has ended but is still in the pid file, which happens only if it was not stopped. */
export async function findCrashed(file: string): Promise<{ pid: number; stopping: boolean } | undefined> {
  const note = parseNote((await readIfThere(file)) ?? '')
  if (note === undefined || (await isStillThere(note.pid, note.started))) return undefined
  return { pid: note.pid, stopping: note.stopping === true }
}

/**
 * Registers this process as the one server of this pid file; returns the running one if there is one. This happens
 * under a lock, since two starts that found no server would both write. (A hard link would let only one of them create
 * the file, but Android and some file systems have no hard links.)
 */
export async function claimPidFile(file: string): Promise<Claim | RunningServer> {
  const pid = process.pid
  const own = `${pid}\nstarted=${await processStart(pid)}\n`
  await ensureFolderOf(file)
  const lock = await lockFor(file)
  try {
    // Also without the lock, which many starts at once may all wait for while one of them has long become the server.
    const running = await findRunning(file)
    if (running !== undefined) return running
    if (lock === undefined) throw new Error(`${file} can't be written now, ${becauseOfLock(file)}`)
    await checkPidFile(file)
    await writePrivateFile(file, own)
  } finally {
    lock?.release()
  }
  const isOwn = () => parseNote(textIn(file) ?? '')?.pid === pid
  let stopping = false
  const noteStopping = () => {
    stopping = true
    if (isOwn()) appendIfPossible(file, 'stopping=yes\n')
  }
  return {
    async announce({ url, logFile }) {
      await writePrivateFile(file, `${own}url=${url}\nlog=${logFile}\n`)
      // It was asked to stop meanwhile, and that note has just been overwritten.
      if (stopping) noteStopping()
    },
    noteStopping,
    release() {
      if (isOwn()) removeIfPossible(file)
    },
  }
}

/** How long to wait for other processes that do the same; it takes milliseconds. */
const LOCK_PATIENCE_MS = 5000

async function lockFor(file: string): Promise<Lock | undefined> {
  const path = lockOf(file)
  // Another user's lock may stay there for ever: in a folder open to everybody, to block us.
  const until = () => isOfAnotherUser(path)
  return await acquireLock(path, { until, patienceMs: LOCK_PATIENCE_MS })
}

/** Removes the pid file of a process that has ended, unless a start is just replacing it. */
export async function removeStale(file: string): Promise<void> {
  if ((await readIfThere(file)) === undefined) return
  const lock = await lockFor(file)
  if (lock === undefined) return
  try {
    if ((await findRunning(file)) !== undefined) return
    await checkPidFile(file)
    await removePrivateFile(file)
  } finally {
    lock.release()
  }
}

/** What a start is waiting for, as part of a sentence; undefined if nothing. */
export function lockInTheWay(file: string): string | undefined {
  try {
    const holder = holderOf(lockOf(file))
    return holder && `${lockOf(file)}, which is held by ${holder}`
  } catch {
    return undefined // Where no file can be, there is no lock either; the start says what is wrong with the path.
  }
}

/** Why the pid file of an ended process is still there after `removeStale`; undefined if it is not. */
export async function whyStillThere(file: string): Promise<string | undefined> {
  return (await findCrashed(file)) && `${file} is stale and can't be removed now, ${becauseOfLock(file)}`
}

function becauseOfLock(file: string): string {
  const lock = lockInTheWay(file) ?? lockOf(file)
  return `because of ${lock}. Delete that lock, or choose another --pid-file.`
}

function lockOf(file: string): string {
  return `${file}.lock`
}

/**
 * Throws a UsageError if the file is not a pid file but was named by mistake: it would be replaced. The pid file of
 * another program is accepted too, and one that a system crash has emptied.
 */
export async function checkPidFile(file: string): Promise<void> {
  const text = await readIfThere(file)
  if (text === undefined || /^[\s\0]*$/.test(text) || /^-?\d+\s*(?:\n|$)/.test(text)) return
  throw new UsageError(`--pid-file ${file}: it is not a pid file; choose another one, or move it away.`)
}

type Note = RunningServer & { readonly started: string }

/** The process id alone in the first line, so that `kill $(cat …)` and other tools can read it, then `name=value` lines. */
function parseNote(text: string): Note | undefined {
  const [first = '', ...lines] = text.split('\n')
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1)
  const started = value('started')
  // A process id alone, as other programs write it, may be that of any process by now.
  if (!/^\d+$/.test(first.trim()) || started === undefined) return undefined
  const stopping = value('stopping') === 'yes' || undefined
  return { pid: Number(first), started, url: value('url'), logFile: value('log'), stopping }
}

/** A full disk must not keep a server from stopping. */
function appendIfPossible(file: string, text: string): void {
  try {
    appendFileSync(file, text)
  } catch {
    // Then others notice the stop only once the process is gone.
  }
}

/** A stop must not fail because someone has the file open, on Windows, or because its folder has become read-only. */
function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // Stale from now on: who finds it sees that its process is gone.
  }
}
