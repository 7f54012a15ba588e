import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DestinationStream } from 'pino'
import type { Config } from '../config/options.ts'
import type { RouteContext } from '../routes/context.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createLazyOutbound, type LazyOutbound } from '../upstream/lazy-outbound.ts'
import { packageVersion } from '../version.ts'
import { composeServer } from './compose.ts'
import { followConnections } from './drain.ts'

export type RunningServer = {
  readonly url: string
  /** Refuses new connections, lets running answers finish up to the limit of the settings. */
  drain(): Promise<void>
  /** Ends everything at once. */
  close(): Promise<void>
  /** Resolves when the server has stopped. */
  readonly finished: Promise<void>
}

/** What API requests need takes longer to load than all before it: whoever waits for `/health` is answered first. */
const PREPARE_AFTER_MS = 20

/** Connections that wait to be accepted; Node's 511 overflows when a thousand clients come at once. */
const BACKLOG = 4096

/** Starts the server; resolves when it listens, rejects with the reason why it can't. */
export async function serve(config: Config, logTo: DestinationStream): Promise<RunningServer> {
  const logger = createLogger(config.logLevel, logTo)
  const outbound = createLazyOutbound(config, logger)
  let stopping: Promise<void> | undefined
  const { server, context, loadRoutes } = composeServer(config, logger, outbound, () => stopping !== undefined)
  const drain = followConnections(server)
  server.listen({ port: config.port, host: config.host, backlog: BACKLOG })
  await once(server, 'listening')

  const url = urlOf(server, config)
  logger.info({ url, version: packageVersion() }, 'listening')
  if (config.logLevel === 'debug') logger.warn('log level debug records prompts and answers')
  const preparing = setTimeout(() => {
    prepare(loadRoutes, outbound, context).catch((error: unknown) =>
      logger.error({ err: error }, 'preparing for the first request failed'),
    )
  }, PREPARE_AFTER_MS)

  let stopped = () => {}
  const finished = new Promise<void>((resolve) => {
    stopped = resolve
  })
  async function stop(): Promise<void> {
    logger.info('stopping: running answers may finish')
    clearTimeout(preparing)
    await drain(config.drainTimeout, logger)
    // A refresh in flight has spent its token: what it brings must be saved.
    await context.credentials.close()
    await outbound.close()
    logger.info('stopped')
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
      server.closeAllConnections()
      return stop
    },
  }
}

/** The first request finds everything loaded, and a connection to its upstream made. */
async function prepare(
  loadRoutes: () => Promise<void>,
  outbound: LazyOutbound,
  { config, credentials }: RouteContext,
): Promise<void> {
  await loadRoutes()
  const route = await outbound.get()
  const { kind } = await credentials.status()
  if (kind !== 'none') route.keepWarm(new URL(kind === 'api-key' ? config.openaiBaseUrl : config.chatgptBaseUrl))
}

function urlOf(server: Server, { host, tlsCert }: Config): string {
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind
  return `${tlsCert === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
