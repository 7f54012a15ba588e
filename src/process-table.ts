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

/** When a process began, in ticks since the boot of this id: what no other process with the same id will have. */
export type LinuxStart = { readonly ticks: string; readonly boot: string }

/** `gone` when only its remains wait to be collected; `undefined` where /proc doesn't tell (proc(5), fields 3 and 22). */
export function linuxStart(pid: number): LinuxStart | 'gone' | undefined {
  const stat = textIn(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field is the command's name in brackets and may hold anything: what follows the last one is safe.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (state === 'Z' || state === 'X' || ticks === undefined) return 'gone'
  return { ticks, boot: textIn('/proc/sys/kernel/random/boot_id')?.trim() ?? '' }
}
