import type { Config } from '../config/options.ts'
import type { CredentialSource } from '../credentials/credentials.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { UpstreamClient } from '../upstream/client.ts'
import type { ModelCatalogue } from '../upstream/models/model-catalogue.ts'
import type { RateLimits } from '../upstream/rate-limits.ts'
import type { ConversationMemory } from './memory/conversation-memory.ts'
import type { ItemMemory } from './memory/item-memory.ts'
import type { ReasoningMemory } from './memory/reasoning-memory.ts'
import type { RecentMemory } from './memory/recent-memory.ts'

/** What the routes share; created once, in `http/compose.ts`. */
export type RouteContext = {
  readonly config: Config
  readonly credentials: CredentialSource
  readonly upstream: UpstreamClient
  readonly catalogue: ModelCatalogue
  readonly rateLimits: RateLimits
  readonly reasoning: ReasoningMemory
  readonly items: ItemMemory
  readonly conversations: ConversationMemory
  /** Models that recently refused a reasoning summary, so that it is not requested each time. */
  readonly unsummarized: RecentMemory<true>
  readonly metrics: Metrics
  readonly logger: Logger
  /** Marks strings cut out of large bodies; unguessable, created at start. */
  readonly placeholder: string
  /** A number in [0, 1). */
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds, monotonic. */
  readonly monotonic: () => number
}
