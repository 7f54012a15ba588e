import type { RouteContext } from '../routes/context.ts'
import type { LazyOutbound } from '../upstream/outbound/lazy-outbound.ts'
import { baseUrlFor } from '../upstream/target.ts'
import { loadZstd } from './zstd.ts'

/**
 * What API requests need takes as long to load as everything else, so those waiting for `/health` are answered first.
 */
const PREPARE_AFTER_MS = 20

type Parts = {
  readonly context: RouteContext
  readonly outbound: LazyOutbound
  readonly loadRoutes: () => Promise<void>
}

/**
 * Prepares what the first request would otherwise wait for; calls `failed` if that is impossible. Returns a function
 * that calls it off.
 */
export function prepareSoon({ context, outbound, loadRoutes }: Parts, failed: () => void): () => void {
  let calledOff = false
  const timer = setTimeout(() => {
    load(loadRoutes).then(
      async () => {
        // Nobody would close what is opened after the server has closed, and it would keep the process alive.
        if (!calledOff) await prepareUpstream(outbound, context)
      },
      (error: unknown) => {
        context.logger.error({ err: error }, 'a part of the program could not be loaded: stopping')
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
 * Loads what the first request needs, and the first in zstd. Node never retries a module that failed to load (no file
 * descriptors left, the package replaced meanwhile), so this server could never answer any such request.
 */
async function load(loadRoutes: () => Promise<void>): Promise<void> {
  await Promise.all([loadRoutes(), import('../upstream/outbound/outbound-route.ts'), loadZstd()])
}

/**
 * Connects to upstream and fetches its models before the first request. A login that would have to be refreshed first
 * is left alone until a request needs it.
 */
async function prepareUpstream(
  outbound: LazyOutbound,
  { config, credentials, catalogue, logger }: RouteContext,
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
