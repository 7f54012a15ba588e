import { rmSync } from 'node:fs'
import { withRemedy } from '../system/describe-error.ts'
import { textIn } from '../system/text-file.ts'
import { writePrivateFile } from './private-file.ts'

// Windows has no signal that a process can handle: each ends it at once, even during a token refresh, which would lose
// the login (https://nodejs.org/api/process.html#signal-events). So there a file beside the pid file asks it to stop.

const LOOK_MS = 200

function requestFileOf(pidFile: string): string {
  return `${pidFile}.stop`
}

/** Resolves once the request is made; the server sees it soon. */
export async function requestStop(pidFile: string, pid: number): Promise<void> {
  const remedy = `Make room for that file, or end process ${pid} in the Task Manager.`
  await writePrivateFile(requestFileOf(pidFile), String(pid)).catch(withRemedy(remedy))
}

/** Takes back a request that nobody took: the process had just ended by an earlier one. */
export function withdrawStop(pidFile: string, pid: number): void {
  const file = requestFileOf(pidFile)
  if (textIn(file) === String(pid)) take(file)
}

/** On Windows, calls `stop` at each request to this process. Returns a function that stops the polling. */
export function onStopRequest(pidFile: string, stop: () => void): () => void {
  if (process.platform !== 'win32') return () => {}
  const file = requestFileOf(pidFile)
  const timer = setInterval(() => {
    if (take(file) === String(process.pid)) stop()
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * Takes the request, even one meant for an earlier server that was killed before it saw it; `undefined` if there is
 * none.
 */
function take(file: string): string | undefined {
  const text = textIn(file)
  if (text === undefined) return undefined
  try {
    rmSync(file)
    return text
  } catch {
    return undefined // Somebody has it open; the next look takes it.
  }
}
