import type { Config } from '../config/options.ts'
import { describeError } from '../daemon/describe-error.ts'
import { configuredUrl, isProxy } from './ask-server.ts'

/** What happened, as one line for a person; commander puts its suggestion in a second line. */
export function explain(error: unknown): string {
  return describeError(error)
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\./, "there is no $2 '$1'.")
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    .replace(/\s*\n\s*/g, ' ')
}

/** Why a server could not start. `code` is Node's, if it has one. */
export async function explainStart(failure: { reason: string; code?: string }, config: Config): Promise<string> {
  const address = configuredUrl(config)
  switch (failure.code) {
    case 'EADDRINUSE':
      return (await isProxy(address))
        ? `Port ${config.port} is in use by another codex-api-proxy that was not started from these run files. Stop that one, or choose another --port.`
        : `Port ${config.port} is in use by another program. Choose another --port.`
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${config.host}. Choose another --host.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name ${config.host} could not be looked up. Choose another --host.`
    case 'EACCES':
      return failure.reason.includes('listen')
        ? `Listening on ${address} is not permitted; ports below 1024 usually need more rights. Choose another --port.`
        : failure.reason
    default:
      return failure.reason
  }
}
