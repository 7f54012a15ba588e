import { appendFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { UsageError } from '../config/usage-error.ts'
import { acquireLock, holderOf, isOfAnotherUser, type Lock } from '../system/lock-file.ts'
import { isStillThere, processStart } from '../system/process-start.ts'
import { textIn } from '../system/text-file.ts'
import { ensureFolderOf, readIfThere, writePrivateFile } from './private-file.ts'

/** The server that runs in the background. */
export type RunningServer = {
  readonly pid: number
  /** Without path; absent while it starts. */
  readonly url?: string
  /** Where it logs; absent while it starts. */
  readonly logFile?: string
  /** It takes no new requests, and ends once its running answers have. */
  readonly stopping?: true
}

/** Whether it is known to listen on this port. */
export function isAtPort({ url }: RunningServer, port: number): boolean {
  return url?.endsWith(`:${port}`) === true
}

export type Claim = {
  /** Adds the address and the log, once the server listens. */
  announce(server: { readonly url: string; readonly logFile: string }): Promise<void>
  /** Adds that this process is about to end, so that nobody takes it for a server that goes on. */
  noteStopping(): void
  /** Removes the file, unless another process has taken it over. Synchronous, for the last moment of a process. */
  release(): void
}

/** The process named by the pid file, if it is still the one that wrote it: process ids are used again. */
export async function findRunning(file: string): Promise<RunningServer | undefined> {
  const note = await readIfThere(file)
  return note === undefined ? undefined : await runningIn(note)
}

/** The process that a pid file still names although it has ended, which one that was stopped does not leave behind. */
export async function findCrashed(file: string): Promise<{ pid: number; stopping: boolean } | undefined> {
  const text = (await readIfThere(file)) ?? ''
  const note = parseNote(text)
  return note?.started === undefined || (await runningIn(text)) !== undefined ? undefined : note
}

/**
 * Notes this process as the one server of this pid file; hands back the running one if there is one already. Under a
 * lock, since of two starts that found nobody both would write. (A hard link would make the file for one of them alone,
 * but Android and some file systems have none.)
 */
export async function claimPidFile(file: string): Promise<Claim | RunningServer> {
  const pid = process.pid
  const own = `${pid}\nstarted=${await processStart(pid)}\n`
  await ensureFolderOf(file)
  const lock = await lockFor(file)
  if (lock === undefined) throw new Error(`${file} can't be written now, ${becauseOfLock(file)}`)
  try {
    const running = await findRunning(file)
    if (running !== undefined) return running
    await checkPidFile(file)
    await writePrivateFile(file, own)
  } finally {
    lock.release()
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
      // It was asked to stop meanwhile, and that note has been overwritten just now.
      if (stopping) noteStopping()
    },
    noteStopping,
    release() {
      if (isOwn()) rmSync(file, { force: true })
    },
  }
}

/** How long to wait for others that do the same; it takes milliseconds. */
const LOCK_PATIENCE_MS = 5000

async function lockFor(file: string): Promise<Lock | undefined> {
  const path = lockOf(file)
  // That of another user may lie there for ever: in a folder for everybody, to hold us up.
  const until = () => isOfAnotherUser(path)
  return await acquireLock(path, { until, patienceMs: LOCK_PATIENCE_MS })
}

/** Removes the pid file of a process that is gone, unless a start is just replacing it. */
export async function removeStale(file: string): Promise<void> {
  if ((await readIfThere(file)) === undefined) return
  const lock = await lockFor(file)
  if (lock === undefined) return
  try {
    if ((await findRunning(file)) !== undefined) return
    await checkPidFile(file)
    await rm(file, { force: true })
  } finally {
    lock.release()
  }
}

/** What a start waits for just now, as a part of a sentence; undefined when it is nothing. */
export function lockInTheWay(file: string): string | undefined {
  try {
    const holder = holderOf(lockOf(file))
    return holder && `${lockOf(file)}, which is held by ${holder}`
  } catch {
    return undefined // Where no file can be, there is no lock either; the start says what is wrong with the path.
  }
}

/** Why the pid file of a process that is gone is still there after `removeStale`; undefined when it is not. */
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

/** Throws a UsageError when there is something else than a pid file, named by mistake: it would be replaced. */
export async function checkPidFile(file: string): Promise<void> {
  const note = await readIfThere(file)
  if (note !== undefined) checkIsNote(file, note)
}

/** The pid file of another program passes too, and one that a crash of the system has emptied. */
function checkIsNote(file: string, text: string): void {
  if (/^[\s\0]*$/.test(text) || /^-?\d+\s*(?:\n|$)/.test(text)) return
  throw new UsageError(`--pid-file ${file}: it is not a pid file; choose another one, or move it away.`)
}

async function runningIn(text: string): Promise<RunningServer | undefined> {
  const note = parseNote(text)
  if (note?.started === undefined || !(await isStillThere(note.pid, note.started))) return undefined
  return {
    pid: note.pid,
    ...(note.url !== undefined && { url: note.url }),
    ...(note.log !== undefined && { logFile: note.log }),
    ...(note.stopping && { stopping: true }),
  }
}

type Note = {
  pid: number
  started: string | undefined
  url: string | undefined
  log: string | undefined
  stopping: boolean
}

/** The process id alone in the first line, so that `kill $(cat …)` and other tools can read it, then `name=value` lines. */
function parseNote(text: string): Note | undefined {
  const [first = '', ...lines] = text.split('\n')
  if (!/^\d+$/.test(first.trim())) return undefined
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1)
  const stopping = value('stopping') === 'yes'
  return { pid: Number(first), started: value('started'), url: value('url'), log: value('log'), stopping }
}

/** A full disk must not keep a server from stopping. */
function appendIfPossible(file: string, text: string): void {
  try {
    appendFileSync(file, text)
  } catch {
    // Then others see that it stops when it is gone.
  }
}
