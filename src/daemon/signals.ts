import type { EventEmitter } from 'node:events'
import { closeQuietly } from '../system/close-quietly.ts'

type Stoppable = {
  /** Refuses new connections and lets running answers finish, up to a limit. */
  drain(): Promise<void>
  /** The same, but ends running answers at once. */
  close(): Promise<void>
}

/**
 * SIGBREAK exists only on Windows: Ctrl-Break, and how programs there end a process that they started in a group of its
 * own.
 */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const

/**
 * By convention these tell a server to reopen its log, which ours does by itself. Without a listener Node opens its
 * debugger at the first one, where every user of this machine could run code with the login, and dies of the second.
 */
const HABITUAL = ['SIGUSR1', 'SIGUSR2'] as const

/** For a server, before it can be found by its pid file. */
export function ignoreHabitualSignals(source: EventEmitter): void {
  for (const signal of HABITUAL) source.on(signal, ignore)
}

/**
 * What SIGHUP does. Node can't tell whether it was started with SIGHUP ignored, as nohup does: it resets every signal
 * before the program runs. So it depends on how the server was started:
 * - `stop` in the foreground: the terminal it belonged to is gone. To keep a server running there is the background.
 * - `ignore` in the background: that server never had a terminal, so the signal comes from a convention such as
 *   logrotate's, for programs that then reread their settings or reopen their log. Nobody wants it to end.
 */
type OnHangup = 'stop' | 'ignore'

/**
 * Any of SIGNALS drains, a second one ends at once. `source` is the process. Returns a function that removes the
 * listeners.
 */
export function stopOnSignals(
  source: EventEmitter,
  server: Stoppable,
  report: { draining(): void; failed(error: unknown): void },
  hangup: OnHangup,
): () => void {
  let received = 0
  const onSignal = () => {
    received++
    const work = received === 1 ? server.drain() : server.close()
    work.catch(report.failed)
    // Only now: readers of this may rely on new connections being refused.
    if (received === 1) report.draining()
  }
  const onHangup = () => {
    // A closing terminal often sends it twice, from itself and from its shell: the second one is not impatience.
    if (hangup === 'ignore' || received > 0) return
    source.once('exit', letGoOfTerminal)
    onSignal()
  }
  for (const signal of SIGNALS) source.on(signal, onSignal)
  source.on('SIGHUP', onHangup)
  return () => {
    for (const signal of SIGNALS) source.off(signal, onSignal)
    source.off('SIGHUP', onHangup)
  }
}

function ignore(): void {}

type Process = Pick<NodeJS.Process, 'on' | 'off' | 'kill' | 'pid'>

/**
 * For a short command: a signal ends the process as if there were no listener, but only after `end`, which may have to
 * wait for a token refresh. Returns a function that removes the listeners.
 */
export function endOnSignals(source: Process, end: () => Promise<void>): () => void {
  let ending = false
  const signals = [...SIGNALS, 'SIGHUP'] as const
  const onSignal = (signal: NodeJS.Signals) => {
    if (ending) return
    ending = true
    const giveIn = () => {
      release()
      // On Windows nobody can send SIGHUP or SIGBREAK.
      source.kill(source.pid, process.platform === 'win32' ? 'SIGTERM' : signal)
    }
    end().then(giveIn, giveIn)
  }
  const release = () => {
    for (const signal of signals) source.off(signal, onSignal)
  }
  for (const signal of signals) source.on(signal, onSignal)
  return release
}

/**
 * At its very end Node restores the terminal's settings, and aborts with a core dump if that fails, as it does once the
 * terminal is gone. It skips files that are closed.
 */
function letGoOfTerminal(): void {
  for (const file of [0, 1, 2]) closeQuietly(file)
}
