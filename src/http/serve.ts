import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DestinationStream } from 'pino'
import type { Config } from '../config/options.ts'
import type { RouteContext } from '../routes/context.ts'
import { createLogger, type Logger } from '../telemetry/logger.ts'
import { createLazyOutbound, type LazyOutbound } from '../upstream/lazy-outbound.ts'
import { packageVersion } from '../version.ts'
import { composeServer } from './compose.ts'

type ServeOptions = {
  readonly logTo: DestinationStream
  readonly onReady: (address: { url: string; host: string; port: number }) => void
}

export type RunningServer = {
  readonly url: string
  /** Refuses new connections, lets running answers finish up to the limit of the settings. */
  drain(): Promise<void>
  /** Ends everything at once. */
  close(): Promise<void>
  /** Resolves when the server has stopped. */
  readonly finished: Promise<void>
}

/** How often connections that became idle are closed while draining: `close` alone waits for keep-alive. */
const SWEEP_MS = 50

/** What API requests need takes longer to load than all before it: whoever waits for `/health` is answered first. */
const PREPARE_AFTER_MS = 20

/** Starts the server; resolves when it listens, rejects with the reason why it can't. */
export async function serve(config: Config, { logTo, onReady }: ServeOptions): Promise<RunningServer> {
  const logger = createLogger(config.logLevel, logTo)
  const outbound = createLazyOutbound(config, logger)
  let draining = false
  const { server, context, loadRoutes } = composeServer(config, logger, outbound, () => draining)
  server.listen(config.port, config.host)
  await once(server, 'listening')

  const { url, port } = addressOf(server, config)
  logger.info({ url, version: packageVersion() }, 'listening')
  if (config.logLevel === 'debug') logger.warn('log level debug records prompts and answers')
  onReady({ url, host: config.host, port })
  const preparing = setTimeout(() => {
    prepare(loadRoutes, outbound, context).catch((error: unknown) =>
      logger.error({ err: error }, 'preparing for the first request failed'),
    )
  }, PREPARE_AFTER_MS)

  let stopped = () => {}
  const finished = new Promise<void>((resolve) => {
    stopped = resolve
  })
  async function end(): Promise<void> {
    clearTimeout(preparing)
    const closed = once(server, 'close')
    server.close()
    await closed
    await outbound.close()
    logger.info('stopped')
    stopped()
  }
  return {
    url,
    finished,
    async drain() {
      draining = true
      logger.info('stopping: running answers may finish')
      await withDeadline(server, config.drainTimeout, logger, end())
    },
    async close() {
      draining = true
      server.closeAllConnections()
      await finished
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

/** Sweeps connections that have become idle; after `deadline` milliseconds all are closed. */
async function withDeadline(server: Server, deadline: number, logger: Logger, ended: Promise<void>): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
  const cut = setTimeout(() => {
    logger.warn({ deadlineMs: deadline }, 'answers still running were cut')
    server.closeAllConnections()
  }, deadline)
  try {
    await ended
  } finally {
    clearInterval(sweep)
    clearTimeout(cut)
  }
}

function addressOf(server: Server, config: Config): { url: string; port: number } {
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return { url: `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}`, port }
}
