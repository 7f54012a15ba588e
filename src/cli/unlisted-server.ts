import { serviceCommand } from './commands/service/service-files.ts'

// A server that no run file names: it is in the foreground, a service, or its pid file is lost.

/** How to end it. */
export function howToEnd(pid: number | undefined): string {
  const where = `Stop it ${whereStarted('stop')}`
  if (pid === undefined) return where
  const command = process.platform === 'win32' ? `taskkill /F /PID ${pid}` : `kill ${pid}`
  return `${where}; if \`start\` started it and its pid file is lost, run \`${command}\``
}

/** Where it is stopped or restarted: most often it is a service. */
export function whereStarted(verb: 'stop' | 'restart'): string {
  const command = serviceCommand(verb)
  return `where it was started${command === undefined ? '' : ` (a service: \`${command}\`)`}`
}
