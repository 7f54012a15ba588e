import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DestinationStream } from 'pino'
import { serverUrl } from '../config/endpoint.ts'
import type { Config } from '../config/options.ts'
import type { RouteContext } from '../routes/context.ts'
import { createLogger, type Logger } from '../telemetry/logger.ts'
import { createRequestLog } from '../telemetry/request-log.ts'
import { turnLines } from '../telemetry/turn-lines.ts'
import { createLazyOutbound, type LazyOutbound } from '../upstream/lazy-outbound.ts'
import { packageVersion } from '../version.ts'
import { limitYoungGeneration } from '../young-generation.ts'
import { composeServer } from './compose.ts'
import { followConnections } from './drain.ts'

export type RunningServer = {
  readonly url: string
  /** Refuses new connections, lets running answers finish up to the limit of the settings. */
  drain(): Promise<void>
  /** The same, but running answers are ended at once, with an error. */
  close(): Promise<void>
  /** Resolves when the server has stopped. */
  readonly finished: Promise<void>
}

/** What API requests need takes as long to load as all before it: whoever waits for `/health` is answered first. */
const PREPARE_AFTER_MS = 20

/** Connections that wait to be accepted; Node's 511 overflows when a thousand clients come at once. */
const BACKLOG = 4096

/** Starts the server; resolves when it listens, rejects with the reason why it can't. */
export async function serve(config: Config, logTo: DestinationStream): Promise<RunningServer> {
  const lines = turnLines(logTo)
  const logger = createLogger(config.logLevel, lines)
  const outbound = createLazyOutbound(config, logger)
  let stopping: Promise<void> | undefined
  const logs = { logger, requestLog: createRequestLog(logger, lines) }
  const { server, running, context, loadRoutes } = composeServer(config, logs, outbound, () => stopping !== undefined)
  const drain = followConnections(server, running)
  server.listen({ port: config.port, host: config.host, backlog: BACKLOG })
  await once(server, 'listening')

  process.once('exit', lines.flush)
  const releaseMemory = limitYoungGeneration()
  const url = urlOf(server, config)
  logger.info({ url, version: packageVersion() }, 'listening')
  if (config.logLevel === 'debug') logger.warn('log level debug records prompts and answers')
  lines.flush()
  const preparing = setTimeout(() => {
    load(loadRoutes).then(
      () => prepareUpstream(outbound, context, logger),
      (error: unknown) => {
        logger.error({ err: error }, 'a part of the program could not be loaded: stopping')
        return drainOnce()
      },
    )
  }, PREPARE_AFTER_MS)

  let stopped = () => {}
  const finished = new Promise<void>((resolve) => {
    stopped = resolve
  })
  async function stop(): Promise<void> {
    logger.info('stopping: running answers may finish')
    clearTimeout(preparing)
    await drain.gently(config.drainTimeout, logger)
    context.catalogue.close()
    // A refresh in flight has spent its token: what it brings must be saved.
    await context.credentials.close()
    await outbound.close()
    logger.info('stopped')
    lines.flush()
    process.off('exit', lines.flush)
    releaseMemory()
    stopped()
  }
  const drainOnce = () => {
    stopping ??= stop()
    return stopping
  }
  return {
    url,
    finished,
    drain: drainOnce,
    close() {
      const stop = drainOnce()
      drain.endAnswers()
      return stop
    },
  }
}

/**
 * Loads what the first request needs. Node remembers a module that failed to load (no file descriptor left, the package
 * replaced meanwhile) and never tries it again: the server would answer nothing any more.
 */
async function load(loadRoutes: () => Promise<void>): Promise<void> {
  await Promise.all([loadRoutes(), import('../upstream/outbound-proxy.ts')])
}

/**
 * The first request finds a connection to its upstream made, and the models known that it may be converted for. A login
 * that has to be refreshed first is left alone until somebody asks.
 */
async function prepareUpstream(
  outbound: LazyOutbound,
  { config, credentials, catalogue }: RouteContext,
  logger: Logger,
): Promise<void> {
  try {
    const route = await outbound.get()
    const { kind, problem } = await credentials.status()
    // Before the first request fails: who looks on (a terminal, a container's log) can mend it right away.
    if (problem !== undefined) logger.warn({ code: problem.code }, `${problem.message} ${problem.remedy}`)
    if (kind === 'none') return
    route.keepWarm(new URL(kind === 'api-key' ? config.openaiBaseUrl : config.chatgptBaseUrl))
    if (credentials.ready()?.kind === 'chatgpt') catalogue.peek()
  } catch (error) {
    logger.error({ err: error }, 'connecting ahead failed')
  }
}

function urlOf(server: Server, config: Config): string {
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind
  return serverUrl({ ...config, port })
}
