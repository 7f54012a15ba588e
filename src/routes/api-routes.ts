import { passToBackend } from './backend-paths.ts'
import { chatCompletions } from './chat/chat-completions.ts'
import type { RouteContext } from './context.ts'
import { forwardOr } from './forward.ts'
import { makeImages } from './images.ts'
import { describeModels } from './models.ts'
import { otherPathsRoute } from './other-paths.ts'
import { compact } from './responses/compact.ts'
import { responses } from './responses/responses.ts'

/** The routes that use upstream, in a separate module: with the converters, they are loaded after listening. */
export function apiRoutes(context: RouteContext) {
  return {
    chatCompletions: forwardOr(context, chatCompletions),
    responses: forwardOr(context, responses),
    compact: forwardOr(context, compact),
    models: forwardOr(context, describeModels),
    images: forwardOr(context, makeImages),
    backendPaths: forwardOr(context, passToBackend),
    otherPaths: otherPathsRoute(context),
  }
}

export type ApiRoutes = ReturnType<typeof apiRoutes>
