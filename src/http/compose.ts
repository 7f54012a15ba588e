import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { Cancellation } from '../cancellation.ts'
import type { Config } from '../config/options.ts'
import { createCredentialSource } from '../credentials/credential-source.ts'
import type { CredentialSource } from '../credentials/credentials.ts'
import { onceATurn } from '../credentials/once-a-turn.ts'
import type { PostToken } from '../credentials/refresh.ts'
import type { RouteContext } from '../routes/context.ts'
import { ConversationMemory } from '../routes/memory/conversation-memory.ts'
import { ItemMemory } from '../routes/memory/item-memory.ts'
import { ReasoningMemory } from '../routes/memory/reasoning-memory.ts'
import { RecentMemory } from '../routes/memory/recent-memory.ts'
import type { Logger } from '../telemetry/logger.ts'
import { Metrics } from '../telemetry/metrics.ts'
import type { RequestLog } from '../telemetry/request-log.ts'
import { createUpstreamClient } from '../upstream/client.ts'
import { createClientVersion } from '../upstream/models/client-version.ts'
import { codexModelsCache } from '../upstream/models/codex-models-cache.ts'
import { ModelCatalogue } from '../upstream/models/model-catalogue.ts'
import type { LazyOutbound } from '../upstream/outbound/lazy-outbound.ts'
import { RateLimits } from '../upstream/rate-limits.ts'
import { compressesRequests, withCompression } from '../upstream/request-compression.ts'
import { createTargets } from '../upstream/target.ts'
import { createTokenRequest } from '../upstream/token-request.ts'
import { createAdmission } from './admission.ts'
import { createGuard } from './guard.ts'
import { createRouteTable } from './route-table.ts'
import { createServer } from './server.ts'
import { checkStartable } from './startable.ts'

/** Holds names of models, of which there are few. */
const MAX_MODEL_BYTES = 16 * 1024

type Composed = {
  readonly server: Server
  /** Cancels running requests. */
  readonly running: Cancellation
  readonly context: RouteContext
  /** Loads what the first API request needs. */
  readonly loadRoutes: () => Promise<void>
}

/** The composition root: every part is made once, here. */
export function composeServer(
  config: Config,
  { logger, requestLog }: { readonly logger: Logger; readonly requestLog: RequestLog },
  outbound: LazyOutbound,
  isDraining: () => boolean,
): Composed {
  const { clientKey, tls } = checkStartable(config, (risk) => logger.warn(risk))
  const context = createContext(config, logger, outbound)
  const running = new Cancellation()
  const routes = createRouteTable(context, outbound.describe)
  const server = createServer({
    config,
    logger,
    routes: routes.entries,
    guard: createGuard({
      hosts: [config.host, ...config.allowHost],
      origins: config.allowOrigin,
      clientKey,
    }),
    admission: createAdmission(config),
    metrics: context.metrics,
    requestLog,
    tls,
    running,
    newRequestId: requestIds(),
    now: context.monotonic,
    isDraining,
  })
  return { server, running, context, loadRoutes: routes.load }
}

function createContext(config: Config, logger: Logger, outbound: LazyOutbound): RouteContext {
  const now = () => Date.now()
  const monotonic = () => performance.now()
  const codexCache = codexModelsCache(config.codexHome)
  const clientVersion = createClientVersion(config.clientVersion, codexCache, monotonic)
  const credentials = createCredentials(config, logger, createTokenRequest(outbound.get), now)
  const client = createUpstreamClient({
    credentials,
    targetFor: createTargets(config, clientVersion),
    outbound: outbound.get,
    idleTimeout: config.idleTimeout,
    random: Math.random,
  })
  const upstream = compressesRequests(config)
    ? withCompression(client, (message) => logger.warn(message), monotonic)
    : client
  return {
    config,
    credentials,
    upstream,
    catalogue: new ModelCatalogue({
      send: upstream.send,
      credentials: async () => credentials.current(),
      clientVersion,
      codexCache,
      now: monotonic,
    }),
    rateLimits: new RateLimits(),
    reasoning: new ReasoningMemory(monotonic),
    items: new ItemMemory(monotonic),
    conversations: new ConversationMemory(monotonic),
    unsummarized: new RecentMemory(monotonic, MAX_MODEL_BYTES),
    metrics: new Metrics(monotonic),
    logger,
    placeholder: randomBytes(12).toString('hex'),
    random: Math.random,
    now,
    monotonic,
  }
}

function createCredentials(config: Config, logger: Logger, postToken: PostToken, now: () => number): CredentialSource {
  const source = createCredentialSource({
    codexHome: config.codexHome,
    mode: config.credentials,
    postToken,
    overrides: { refreshUrl: config.refreshTokenUrl, clientId: config.loginClientId },
    now,
    warn: (fields, message) => logger.warn(fields, message),
  })
  return onceATurn(source)
}

/** Ids in the form of the API's own: random digits for this process, then a count. */
function requestIds(): () => string {
  const prefix = `req_${randomBytes(8).toString('hex')}`
  let count = 0
  return () => `${prefix}${(++count).toString(16).padStart(16, '0')}`
}
