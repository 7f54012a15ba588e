import type { RouteContext } from '../routes/context.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { LazyOutbound } from '../upstream/lazy-outbound.ts'

/** What API requests need takes as long to load as all before it: whoever waits for `/health` is answered first. */
const PREPARE_AFTER_MS = 20

type Parts = {
  readonly context: RouteContext
  readonly outbound: LazyOutbound
  readonly loadRoutes: () => Promise<void>
  readonly logger: Logger
}

/** Soon, what the first request would have to wait for; `failed` when that can't be. Returns what calls it off. */
export function prepareSoon({ context, outbound, loadRoutes, logger }: Parts, failed: () => void): () => void {
  let calledOff = false
  const timer = setTimeout(() => {
    load(loadRoutes).then(
      async () => {
        // Nobody closes what is opened once the server has closed: an unreachable upstream would hold the program.
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
