import type { RouteContext } from '../routes/context.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { LazyOutbound } from '../upstream/outbound/lazy-outbound.ts'
import { baseUrlFor } from '../upstream/target.ts'

/** What API requests need takes as long to load as all the rest, so whoever waits for `/health` is answered first. */
const PREPARE_AFTER_MS = 20

type Parts = {
  readonly context: RouteContext
  readonly outbound: LazyOutbound
  readonly loadRoutes: () => Promise<void>
  readonly logger: Logger
}

/** Prepares what the first request would wait for; calls `failed` if that can't be. Returns what calls it off. */
export function prepareSoon({ context, outbound, loadRoutes, logger }: Parts, failed: () => void): () => void {
  let calledOff = false
  const timer = setTimeout(() => {
    load(loadRoutes).then(
      async () => {
        // What is opened after the server has closed would be closed by nobody and keep the process alive.
        if (!calledOff) await prepareUpstream(outbound, context, logger)
      },
      (error: unknown) => {
        logger.error({ err: error }, 'a part of the program could not be loaded: stopping')
        failed()
      },
    )
  }, PREPARE_AFTER_MS)
  return () => {
    calledOff = true
    clearTimeout(timer)
  }
}

/**
 * Loads what the first request needs. Node never tries a module again that failed to load (no file descriptor left, the
 * package replaced meanwhile), so that this server could not answer anything any more.
 */
async function load(loadRoutes: () => Promise<void>): Promise<void> {
  await Promise.all([loadRoutes(), import('../upstream/outbound/outbound-route.ts')])
}

/**
 * Connects to upstream and asks for its models ahead of the first request. A login that has to be refreshed first is
 * left alone until somebody asks.
 */
async function prepareUpstream(
  outbound: LazyOutbound,
  { config, credentials, catalogue }: RouteContext,
  logger: Logger,
): Promise<void> {
  try {
    const route = await outbound.get()
    const { kind, problem } = await credentials.status()
    // Now, so that whoever watches the log (a terminal, a container) can act before the first request fails.
    if (problem !== undefined) logger.warn({ code: problem.code }, `${problem.message} ${problem.remedy}`)
    if (kind === 'none') return
    route.keepWarm(new URL(baseUrlFor(kind, config)))
    if (credentials.ready()?.kind === 'chatgpt') catalogue.peek()
  } catch (error) {
    logger.error({ err: error }, 'connecting ahead failed')
  }
}
