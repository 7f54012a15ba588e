import { backendPathsRoute } from './backend-paths.ts'
import { chatCompletionsRoute } from './chat/chat-completions.ts'
import type { RouteContext } from './context.ts'
import { imagesRoute } from './images.ts'
import { modelsRoute } from './models.ts'
import { otherPathsRoute } from './other-paths.ts'
import { compactRoute } from './responses/compact.ts'
import { responsesRoute } from './responses/responses.ts'

/** The routes that use upstream, in a separate module: with the converters, they are loaded after listening. */
export function apiRoutes(context: RouteContext) {
  return {
    chatCompletions: chatCompletionsRoute(context),
    responses: responsesRoute(context),
    compact: compactRoute(context),
    models: modelsRoute(context),
    images: imagesRoute(context),
    backendPaths: backendPathsRoute(context),
    otherPaths: otherPathsRoute(context),
  }
}

export type ApiRoutes = ReturnType<typeof apiRoutes>
