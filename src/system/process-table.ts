import { isCode } from './error-code.ts'
import { textIn } from './text-file.ts'

/** Whether a process with this id exists, ours or someone else's. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM') // It belongs to someone else.
  }
}

/** When a process started: ticks since boot, and the boot id. No other process with the same pid has the same. */
type LinuxStart = { readonly ticks: string; readonly boot: string }

/** `gone` for a zombie; `undefined` without /proc (proc(5), fields 3, 22). */
export function linuxStart(pid: number): LinuxStart | 'gone' | undefined {
  const stat = textIn(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field, the command's name in brackets, may hold anything: only what follows the last bracket is safe.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (state === 'Z' || state === 'X' || ticks === undefined) return 'gone'
  return { ticks, boot: textIn('/proc/sys/kernel/random/boot_id')?.trim() ?? '' }
}
