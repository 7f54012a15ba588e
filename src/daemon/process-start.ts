import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isCode } from '../error-code.ts'

const run = promisify(execFile)
/** The system can't tell: then being there has to do. */
const UNKNOWN = 'unknown'

/**
 * When a process began, as a text that no other process with the same id will have; `undefined` when there is none
 * (any more), or only its remains wait to be collected.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!isThere(pid)) return undefined
  switch (process.platform) {
    case 'linux':
      return await linuxStart(pid)
    case 'win32':
      return await windowsStart(pid)
    default:
      return await psStart(pid)
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is there and belongs to someone else.
    return isCode(error, 'EPERM')
  }
}

/** State and start time (in ticks since the boot named by the id) of proc(5). */
async function linuxStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command's name in brackets and may hold anything: what follows the last one is safe.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, ticks] = [fields[0], fields[19]]
    if (state === 'Z' || state === 'X' || ticks === undefined) return undefined
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
    return `${ticks}@${boot.trim().slice(0, 8)}`
  } catch {
    return await psStart(pid)
  }
}

/** macOS and the BSDs; also a Linux without /proc. */
async function psStart(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], { env: psEnvironment() })
    const [state, ...date] = stdout.trim().split(/\s+/)
    if (state === undefined || state === '' || state.startsWith('Z')) return undefined
    return date.join('-')
  } catch {
    return isThere(pid) ? UNKNOWN : undefined
  }
}

function psEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
}

async function windowsStart(pid: number): Promise<string | undefined> {
  const script = `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`
  try {
    const { stdout } = await run('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script])
    return stdout.trim() || UNKNOWN
  } catch {
    return isThere(pid) ? UNKNOWN : undefined
  }
}
