import { serverUrl } from '../../../config/endpoint.ts'
import type { Config } from '../../../config/options.ts'
import { findRunning, isAtPort } from '../../../daemon/pid-file.ts'
import { explain } from '../../explain.ts'
import { isProxy, processAt } from '../../health.ts'
import { readableKey } from '../../locate.ts'
import { howToEnd } from '../../unlisted-server.ts'

/** A failure to listen, in helpful words; any other failure unchanged. */
export async function withExplanation(error: unknown, config: Config): Promise<unknown> {
  if (!(error instanceof Error && 'code' in error)) return error
  const failure = { reason: explain(error), code: String(error.code) }
  return new Error(await explainStart(failure, config), { cause: error })
}

/** Why a server could not start. `code` is Node's, if it has one. */
export async function explainStart(failure: { reason: string; code?: string }, config: Config): Promise<string> {
  switch (failure.code) {
    case 'EADDRINUSE':
      return `Port ${config.port} is in use by ${await holderOf(config)}`
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${config.host}. Choose another --host.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name ${config.host} could not be looked up. Choose another --host.`
    case 'EACCES':
      return failure.reason.includes('listen')
        ? `Listening on ${serverUrl(config)} is not permitted; ${whyForbidden(config.port)} Choose another --port.`
        : failure.reason
    default:
      return failure.reason
  }
}

/**
 * Windows reserves ranges of ports for Hyper-V, WSL and Docker, different ones after each boot; none is shown as in
 * use.
 */
function whyForbidden(port: number): string {
  if (port < 1024) return 'ports below 1024 usually need elevated privileges.'
  return 'the system has reserved that port (on Windows, `netsh interface ipv4 show excludedportrange protocol=tcp` lists such ports).'
}

/** Who holds the port, and what to do about it; completes the sentence. */
async function holderOf(config: Config): Promise<string> {
  const running = await findRunning(config.pidFile).catch(() => undefined)
  if (running !== undefined && isAtPort(running, config.port)) {
    return `the background server (process ${running.pid}). Stop that one with \`codex-api-proxy stop\`, or choose another --port.`
  }
  const url = serverUrl(config)
  if (!(await isProxy(url))) return 'another program. Choose another --port.'
  // Only now: the client key must not be sent to just any program that may be there.
  const pid = await processAt({ url, clientKey: readableKey(config) })
  const which = pid === undefined ? '' : ` (process ${pid})`
  return `another codex-api-proxy${which}, which ${config.pidFile} does not name. ${howToEnd(pid)}, or choose another --port.`
}
