import { rmSync } from 'node:fs'
import { withRemedy } from '../system/describe-error.ts'
import { textIn } from '../system/text-file.ts'
import { writePrivateFile } from './private-file.ts'

// Windows has no signal that a process could answer: each ends it at once, also in the midst of a token refresh, which
// would lose the login (https://nodejs.org/api/process.html#signal-events). There a file beside the pid file asks it.

const LOOK_MS = 200

function requestFileOf(pidFile: string): string {
  return `${pidFile}.stop`
}

/** Resolves when it is asked; the server sees it soon. */
export async function requestStop(pidFile: string, pid: number): Promise<void> {
  const remedy = `Make room for that file, or end process ${pid} in the Task Manager.`
  await writePrivateFile(requestFileOf(pidFile), String(pid)).catch(withRemedy(remedy))
}

/** On Windows calls `stop` at each request to this process. Returns a function that ends the looking. */
export function onStopRequest(pidFile: string, stop: () => void): () => void {
  if (process.platform !== 'win32') return () => {}
  const file = requestFileOf(pidFile)
  const timer = setInterval(() => {
    if (take(file) === String(process.pid)) stop()
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** What is asked for, also of an earlier server that was killed before it saw it; `undefined` when there is nothing. */
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
