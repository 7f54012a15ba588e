import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { isCode } from '../../../system/error-code.ts'
import { shellList } from '../../shell.ts'
import type { ServiceFile } from './service-files.ts'

const POLL_MS = 100

export function isRunning({ check }: ServiceFile): boolean {
  const [program = '', ...words] = check
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0
}

/** Runs the manager's commands one after the other. Throws the reason of the first that fails. */
export function runAll(commands: readonly (readonly string[])[]): void {
  for (const command of commands) run(command)
}

/**
 * Unloads the service and waits for its end. systemd itself does; launchd returns earlier, and until the end it accepts no
 * other service of that name.
 */
export async function unload(file: ServiceFile, patienceMs: number): Promise<void> {
  runAll(file.uninstall)
  if (file.manager === 'systemd') return
  const deadline = performance.now() + patienceMs
  while (isRunning(file) && performance.now() < deadline) await delay(POLL_MS)
}

function run(command: readonly string[]): void {
  const [program = '', ...words] = command
  const { status, error, stderr } = spawnSync(program, words, { encoding: 'utf8' })
  if (status === 0) return
  const reason =
    error === undefined ? stderr.trim().split('\n').at(-1) || `exit code ${status}` : whyNotRun(error, program)
  throw new Error(`\`${shellList(command)}\` failed: ${reason.replace(/\.$/, '')}`)
}

function whyNotRun(error: Error, program: string): string {
  return isCode(error, 'ENOENT') ? `there is no ${program} in PATH` : error.message
}
