import { isCode } from './error-code.ts'
import { textIn } from './text-file.ts'

/** Whether there is a process with this id, ours or somebody else's. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM') // It belongs to someone else.
  }
}

/** When a process began: ticks since a boot, and that boot's id. No other process with the same pid has the same. */
type LinuxStart = { readonly ticks: string; readonly boot: string }

/** `gone` for a process that has ended and is only not collected yet; `undefined` without /proc (proc(5), fields 3, 22). */
export function linuxStart(pid: number): LinuxStart | 'gone' | undefined {
  const stat = textIn(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field, the command's name in brackets, may hold anything: only what follows the last bracket is safe.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (state === 'Z' || state === 'X' || ticks === undefined) return 'gone'
  return { ticks, boot: textIn('/proc/sys/kernel/random/boot_id')?.trim() ?? '' }
}
