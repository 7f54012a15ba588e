import type { Config } from '../../config/options.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { OutboundRoute } from './outbound-route.ts'

export type LazyOutbound = {
  /** Opens it on the first call; later calls return it at once. After a failure the next call tries again. */
  get(): OutboundRoute | Promise<OutboundRoute>
  /** What is known now, without opening it: a probe must not load the upstream client. */
  describe(upstream: URL): object
  close(): Promise<void>
}

/** The route to upstream. It is opened after the server listens, since loading undici takes time. */
export function createLazyOutbound(config: Config, logger: Logger): LazyOutbound {
  let opening: Promise<OutboundRoute> | undefined
  let opened: OutboundRoute | undefined

  async function open(): Promise<OutboundRoute> {
    const { openOutboundRoute } = await import('./outbound-route.ts')
    opened = await openOutboundRoute(config, logger)
    return opened
  }

  return {
    get() {
      if (opened !== undefined) return opened
      opening ??= open().catch((error: unknown) => {
        opening = undefined
        throw error
      })
      return opening
    },
    describe: (upstream) => opened?.describe(upstream) ?? { state: 'starting' },
    async close() {
      const route = await opening?.catch(() => undefined)
      await route?.close()
    },
  }
}
