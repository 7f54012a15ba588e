import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DestinationStream } from 'pino'
import { bindAddress, serverUrl } from '../config/endpoint.ts'
import type { Config } from '../config/options.ts'
import { limitYoungGeneration } from '../runtime/young-generation.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createRequestLog } from '../telemetry/request-log.ts'
import { turnLines } from '../telemetry/turn-lines.ts'
import { createLazyOutbound } from '../upstream/outbound/lazy-outbound.ts'
import { packageVersion } from '../version.ts'
import { composeServer } from './compose.ts'
import { closeParts, followConnections } from './drain.ts'
import { prepareSoon } from './prepare.ts'

export type ListeningServer = {
  readonly url: string
  /** Refuses new connections and lets running answers finish, for up to the configured time. */
  drain(): Promise<void>
  /** The same, but running answers are ended at once, with an error. */
  close(): Promise<void>
  /** Resolves when the server has stopped: to the exit code, 1 if it ended by itself since it could answer nothing. */
  readonly finished: Promise<0 | 1>
}

/** Connections that wait to be accepted; Node's 511 overflows when a thousand clients come at once. */
const BACKLOG = 4096

/** Starts the server; resolves when it listens, rejects with the reason why it can't. */
export async function serve(config: Config, logTo: DestinationStream): Promise<ListeningServer> {
  const lines = turnLines(logTo)
  const logger = createLogger(config.logLevel, lines)
  const outbound = createLazyOutbound(config, logger)
  let stopping: Promise<void> | undefined
  const logs = { logger, requestLog: createRequestLog(logger, lines) }
  const { server, running, context, loadRoutes } = composeServer(config, logs, outbound, () => stopping !== undefined)
  const connections = followConnections(server, running)
  const url = await listen(server, config)

  process.once('exit', lines.flush)
  const releaseMemory = limitYoungGeneration()
  logger.info({ url, version: packageVersion() }, 'listening')
  if (config.logLevel === 'debug') logger.warn('log level debug records prompts and answers')
  lines.flush()
  let exitCode: 0 | 1 = 0
  const stopPreparing = prepareSoon({ context, outbound, loadRoutes }, () => {
    if (stopping === undefined) exitCode = 1
    void drain()
  })

  let stopped = (_code: 0 | 1) => {}
  const finished = new Promise<0 | 1>((resolve) => {
    stopped = resolve
  })
  async function stop(): Promise<void> {
    logger.info('stopping: running answers may finish')
    stopPreparing()
    await closeParts({ ...context, connections, outbound }, config.drainTimeout)
    logger.info('stopped')
    lines.flush()
    process.off('exit', lines.flush)
    releaseMemory()
    stopped(exitCode)
  }
  function drain(): Promise<void> {
    stopping ??= stop()
    return stopping
  }
  function close(): Promise<void> {
    const drained = drain()
    connections.endAnswers()
    return drained
  }
  return { url, finished, drain, close }
}

/** Resolves with the address once the server listens. */
async function listen(server: Server, config: Config): Promise<string> {
  server.listen({ port: config.port, host: bindAddress(config.host), backlog: BACKLOG })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind
  return serverUrl({ ...config, port })
}
