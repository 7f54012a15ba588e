import { execFile } from 'node:child_process'
import { join, parse } from 'node:path'
import { promisify } from 'node:util'
import { isThere, linuxStart } from './process-table.ts'

const run = promisify(execFile)
/** For systems that have no start times: then all that counts is that the process exists. */
export const UNKNOWN_START = 'unknown'

/**
 * When a process started, as a text that no other process with the same id will have; `undefined` if it has ended, even
 * if it is still a zombie.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!isThere(pid)) return undefined
  switch (process.platform) {
    case 'linux':
      return await startOnLinux(pid)
    case 'win32':
      return await windowsStart(pid)
    default:
      return await psStart(pid)
  }
}

/**
 * Whether the process that started then is still running. If the start time is unknown, now or always, it counts as
 * running.
 */
export async function isStillThere(pid: number, started: string): Promise<boolean> {
  const found = await processStart(pid)
  if (found === undefined) return false
  return found === started || found === UNKNOWN_START || started === UNKNOWN_START
}

/** As in pid files; a part of the boot id is enough. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  const start = linuxStart(pid)
  if (start === 'gone') return undefined
  return start === undefined ? await psStart(pid) : `${start.ticks}@${start.boot.slice(0, 8)}`
}

/** macOS and the BSDs; also a Linux without /proc. */
async function psStart(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], { env: psEnvironment() })
    const [state, ...date] = stdout.trim().split(/\s+/)
    if (state === undefined || state === '' || state.startsWith('Z')) return undefined
    return date.join('-')
  } catch {
    return isThere(pid) ? UNKNOWN_START : undefined
  }
}

function psEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
}

async function windowsStart(pid: number): Promise<string | undefined> {
  const { SystemRoot } = process.env
  if (SystemRoot === undefined) return UNKNOWN_START
  // By its full path: Windows looks in the current folder first, where others may have put a program of that name.
  const powershell = join(SystemRoot, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe')
  // The start of another user's process, or of one with more rights, is not told, but its name is.
  const script = `$p = Get-Process -Id ${pid}; try { $p.StartTime.ToFileTimeUtc() } catch { $p.ProcessName }`
  try {
    const { stdout } = await run(powershell, ['-NoProfile', '-NonInteractive', '-Command', script], {
      // The variable of PowerShell 7, inherited from a terminal, leads Windows PowerShell to modules that it can't load.
      // Of names that differ only in case Node takes the first, which is the one in capitals.
      env: { ...process.env, PSMODULEPATH: undefined },
      // The background server has no console: without `windowsHide` a window would open at each start.
      windowsHide: true,
    })
    const told = stdout.trim()
    // A server may have more rights than whoever asks for it; a program of another name is none.
    if (told !== '' && told.toLowerCase() !== parse(process.execPath).name.toLowerCase()) return told
  } catch {
    // No PowerShell, or none that may run.
  }
  return isThere(pid) ? UNKNOWN_START : undefined
}
