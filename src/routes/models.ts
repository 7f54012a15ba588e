import { ProxyError } from '../errors.ts'
import type { Answer, ApiRequest, Route } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { forward } from './forward.ts'

/** `GET /v1/models` and `GET /v1/models/{id}`; ids may hold slashes. */
export function modelsRoute(context: RouteContext): Route {
  return async (request) => {
    const credentials = await context.credentials.current()
    if (credentials.kind === 'api-key') return forward(context, request, credentials)
    const id = modelId(request)
    const { models, source } = await context.catalogue.list(request.signal)
    const headers = { 'x-codex-proxy-models': source }
    if (id === '') return { status: 200, headers, body: openAiList(models) }
    return { status: 200, headers, body: modelOrNotFound(models, id) }
  }
}

function modelId(request: ApiRequest): string {
  const path = request.url.split('?', 1)[0] ?? ''
  const encoded = path.replace(/^\/v1\/models\/?/, '').replace(/\/$/, '')
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}
