import { ProxyError } from '../errors.ts'
import { codexList, type ModelEntry, openAiList, openAiModel } from '../upstream/models/model-entry.ts'
import { type Answer, type ApiRequest, pathOf, withoutSlash } from './api-request.ts'
import type { RouteContext } from './context.ts'

/** `GET /v1/models` and `GET /v1/models/{id}`, and HEAD of both; ids may hold slashes. */
export async function describeModels({ catalogue }: RouteContext, request: ApiRequest): Promise<Answer> {
  const id = modelId(request)
  const { models, entries, source, etag } = await request.cancellation.race(catalogue.list())
  const headers = { 'x-codex-proxy-models': source }
  if (id !== '') return { status: 200, headers, body: modelOrNotFound(models, id) }
  const body = isForCodex(request) ? codexList(models, entries) : openAiList(models)
  return { status: 200, headers: { ...headers, ...(etag !== undefined && { etag }) }, body }
}

/** Codex sends its version, and our own commands do the same. */
function isForCodex({ url }: ApiRequest): boolean {
  return new URLSearchParams(url.slice(pathOf(url).length)).has('client_version')
}

function modelId({ url }: ApiRequest): string {
  const encoded = withoutSlash(pathOf(url).replace(/^\/v1\/models\/?/, ''))
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

function modelOrNotFound(models: readonly ModelEntry[], id: string): object {
  const found = models.find(({ slug }) => slug === id)
  if (found === undefined) throw new ProxyError('model_not_found', `This account has no model "${id}".`)
  return openAiModel(found)
}
