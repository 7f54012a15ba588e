import { type ChildProcess, spawn } from 'node:child_process'
import { constants, openSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/options.ts'
import { isObject } from '../json-object.ts'
import { closeQuietly } from '../system/close-quietly.ts'
import { isCode } from '../system/error-code.ts'
import { onceFree } from '../system/once-free.ts'
import { isStillThere, processStart, UNKNOWN_START } from '../system/process-start.ts'
import type { StartOrder, StartReport } from './messages.ts'
import { findRunning, type RunningServer, removeStale } from './pid-file.ts'
import { ensureFolderOf } from './private-file.ts'
import { checkRunFiles } from './run-files.ts'
import { requestStop, withdrawStop } from './stop-request.ts'

type StartOutcome =
  | { readonly kind: 'started'; readonly server: { readonly pid: number; readonly url: string } }
  | { readonly kind: 'running'; readonly server: RunningServer }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly code?: string
      /** Where in the log file this start began to write. */
      readonly logFrom: number
    }

/** Longer than the slowest machine needs; after it the start has failed. */
const START_LIMIT_MS = 30_000
/** How often to check whether a process has ended; on Windows each check of a running one starts PowerShell. */
const POLL_MS = process.platform === 'win32' ? 500 : 20
/** How often running answers are asked to end, until they have. */
const ASK_AGAIN_MS = 1000
/** How long the system takes to end a killed process. */
const KILL_LIMIT_MS = 5000

/**
 * Starts `node` with these arguments as the server's own process, in another folder; resolves when it answers, or with
 * the reason why it does not.
 */
export async function startProcess(
  nodeArguments: readonly string[],
  { config, given, origins }: LoadedConfig,
  env: NodeJS.ProcessEnv,
): Promise<StartOutcome> {
  const running = await findRunning(config.pidFile)
  if (running !== undefined) return { kind: 'running', server: running }

  const log = await openLog(config)
  const logFrom = statSync(config.logFile).size
  const child = spawn(process.execPath, [...process.execArgv, ...nodeArguments], {
    detached: true,
    windowsHide: true,
    // Not the folder it was started in, which could then not be unmounted or removed.
    cwd: dirname(config.stateFile),
    env,
    stdio: ['ignore', log, log, 'ipc'],
  })
  // The child has its own descriptor. A failure here would leave it waiting for settings, and us for it.
  closeQuietly(log)

  const report = await reportOf(child, { settings: given, origins })
  switch (report.kind) {
    case 'ready':
      return { kind: 'started', server: { pid: child.pid ?? 0, url: report.url } }
    case 'running':
      return report
    case 'failed':
      return { ...report, logFrom }
  }
}

/** As `a` does, but without waiting for a reader of a pipe. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

/**
 * Checks the run files, and opens the log for output of Node itself (a crash, a warning). The server opens it separately
 * for its own lines.
 */
async function openLog(config: Config): Promise<number> {
  // A pipe is held meanwhile: what reads it would end with the check, if nobody else has it open for writing.
  const held = await open(config.logFile, APPEND & ~constants.O_CREAT).catch(() => undefined)
  try {
    await checkRunFiles(config)
    for (const file of [config.pidFile, config.logFile, config.stateFile]) await ensureFolderOf(file)
    return await onceFree(() => openSync(config.logFile, APPEND, 0o600))
  } finally {
    await held?.close()
  }
}

async function reportOf(child: ChildProcess, order: StartOrder): Promise<StartReport> {
  let limit: NodeJS.Timeout | undefined
  try {
    return await new Promise<StartReport>((resolve) => {
      let told: StartReport | undefined
      const fail = (reason: string) => resolve(told ?? { kind: 'failed', reason })
      child.once('message', (message) => {
        if (!isReport(message)) fail('The server process reported something unknown.')
        // Wait for its end: until then, the next start would take it for a server because of its pid file.
        else if (message.kind === 'failed') told = message
        else resolve(message)
      })
      // Without a process there are two errors: it could not be spawned, and the order could not be sent. The second one
      // alone comes of a process that has ended at once, on a busy machine before this; its end tells why.
      child.on('error', (error) => {
        if (child.pid === undefined) fail(error.message)
      })
      child.once('exit', (code, signal) => fail(`The server process ended (${signal ?? `exit code ${code}`}).`))
      limit = setTimeout(() => {
        child.kill('SIGKILL')
        fail(`The server did not answer within ${START_LIMIT_MS / 1000} s.`)
      }, START_LIMIT_MS)
      child.send(order)
    })
  } finally {
    clearTimeout(limit)
    child.removeAllListeners()
    // It continues on its own; only a listener for a late failure stays.
    child.on('error', () => {})
    if (child.connected) child.disconnect()
    child.unref()
  }
}

function isReport(message: unknown): message is StartReport {
  return isObject(message) && 'kind' in message
}

/**
 * How long a stop may take after the running answers have ended. A token refresh in progress is waited for: it has
 * spent the refresh token, and if it were cut off before the new one is saved, the user would have to log in again. It
 * may begin just before the last answer ends, and takes up to the limit of a token request
 * (`upstream/token-request.ts`; a test compares the two); the rest is for closing.
 */
export const STOP_GRACE_MS = 65_000

type StopOutcome = { readonly kind: 'stopped' | 'killed'; readonly pid: number } | { readonly kind: 'not running' }

/**
 * Asks the server to stop, and waits until its process is gone. Running answers may take `drainTimeout` milliseconds,
 * or less if the server itself has a shorter limit; then a second request, made until it is followed, cuts them off.
 * After that a token refresh gets its time, and a process that is still there is killed, if it is surely the server.
 */
export async function stopProcess(pidFile: string, drainTimeout: number): Promise<StopOutcome> {
  const running = await findRunning(pidFile)
  if (running === undefined) {
    await removeStale(pidFile)
    return { kind: 'not running' }
  }
  const isGone = await watchEnd(running.pid)
  await askToStop(running, pidFile)
  let inTime = await isGone(drainTimeout)
  // Not just once: the system makes one signal of two that come before the process runs again, on a busy machine.
  for (let waited = 0; !inTime && waited < STOP_GRACE_MS; waited += ASK_AGAIN_MS) {
    await askToStop(running, pidFile)
    inTime = await isGone(ASK_AGAIN_MS)
  }
  if (!inTime) {
    await endByForce(running.pid)
    await isGone(KILL_LIMIT_MS)
  }
  // A killed process did not clean up, and one that had just ended did not see the second request.
  await removeStale(pidFile)
  withdrawStop(pidFile, running.pid)
  return { kind: inTime ? 'stopped' : 'killed', pid: running.pid }
}

/** Waits for the end of a server that was asked to stop by someone else, as long as `stopProcess` would. */
export async function waitForEnd({ pid }: RunningServer, drainTimeout: number): Promise<void> {
  const isGone = await watchEnd(pid)
  await isGone(drainTimeout + STOP_GRACE_MS)
}

/** Watches the process that has this id now. Process ids are reused: one with a later start is another process. */
async function watchEnd(pid: number): Promise<(limit: number) => Promise<boolean>> {
  const started = await processStart(pid)
  return async (limit) => {
    const deadline = performance.now() + limit
    while (started !== undefined && (await isStillThere(pid, started))) {
      if (performance.now() > deadline) return false
      await delay(POLL_MS)
    }
    return true
  }
}

/** A process that can't be told apart from a later one with its id may be any program: Windows soon reuses ids. */
async function endByForce(pid: number): Promise<void> {
  if ((await processStart(pid)) !== UNKNOWN_START) return signal(pid, 'SIGKILL')
  throw new Error(
    `Process ${pid} did not stop in time. Whether it is the server can't be told here, so it was left alone: end it ` +
      'yourself if it is.',
  )
}

async function askToStop({ pid }: RunningServer, pidFile: string): Promise<void> {
  if (process.platform === 'win32') await requestStop(pidFile, pid)
  else signal(pid, 'SIGTERM')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // Gone in the meantime is what was wanted.
    if (isCode(error, 'ESRCH')) return
    if (!isCode(error, 'EPERM')) throw error
    throw new Error(`Process ${pid} belongs to another user, who has to stop it.`, { cause: error })
  }
}
