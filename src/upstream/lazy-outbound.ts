import type { Config } from '../config/options.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { OutboundRoute } from './outbound-proxy.ts'

export type LazyOutbound = {
  /** Opened at the first call, and from then on at hand; a failure to open is tried again at the next. */
  get(): OutboundRoute | Promise<OutboundRoute>
  /** What is known now, without waiting: a probe must not load the upstream client. */
  describe(upstream: URL): object
  close(): Promise<void>
}

/** Loading undici takes time that whoever waits for the server need not wait for: it comes after listening. */
export function createLazyOutbound(config: Config, logger: Logger): LazyOutbound {
  let opening: Promise<OutboundRoute> | undefined
  let opened: OutboundRoute | undefined

  async function open(): Promise<OutboundRoute> {
    const { openOutboundRoute } = await import('./outbound-proxy.ts')
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
