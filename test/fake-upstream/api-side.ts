import type { Answer } from './answer.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { apiError, isJson, type Refusal } from './refusal.ts'
import type { OutgoingHeaders } from './replay.ts'

/** What api.openai.com and the CDN before it put on answers; a proxy on loopback must not hand all of it on. */
export const API_HEADERS: OutgoingHeaders = {
  'openai-organization': 'org-fake',
  'openai-processing-ms': '187',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-request-id': 'req_fake0001',
  'set-cookie': ['__cf_bm=fake; path=/; HttpOnly; Secure', '_cfuvid=fake; path=/; HttpOnly; Secure'],
  'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
  'alt-svc': 'h3=":443"; ma=86400',
  'cf-cache-status': 'DYNAMIC',
  'cf-ray': '9a0000000000fake-FRA',
  server: 'cloudflare',
}

/** The API wants a key, which starts with `sk-`; the token of a ChatGPT login is none. */
export function keyRefusal({ headers }: RecordedRequest): Refusal | undefined {
  const [, key] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? []
  if (key === undefined) return apiError("You didn't provide an API key.", null, null, 401)
  if (key.startsWith('eyJ')) {
    return apiError(
      'You have insufficient permissions for this operation. Missing scopes: api.responses.write.',
      null,
      null,
      401,
    )
  }
  if (key.startsWith('sk-')) return undefined
  return apiError('Incorrect API key provided: sk-…fake.', null, 'invalid_api_key', 401)
}

/** Recorded answers for chat and responses, a list of models, and an echo for everything else. */
export function apiAnswer(request: RecordedRequest): Answer {
  const { method, path, json } = request
  const [route = ''] = path.split('?')
  const stream = isJson(json) && json.stream === true
  if (method === 'POST' && route === '/v1/chat/completions') {
    return { fixture: stream ? 'chat-text-usage-stream' : 'chat-text-json' }
  }
  if (method === 'POST' && route === '/v1/responses') {
    return { fixture: stream ? 'resp-text-no-obfuscation-stream' : 'resp-text-json' }
  }
  if (method === 'GET' && route === '/v1/models') {
    return { status: 200, body: { object: 'list', data: API_MODELS.map(apiModel) } }
  }
  if (method === 'GET' && route.startsWith('/v1/models/')) return modelAnswer(route.slice('/v1/models/'.length))
  return echo(request)
}

const API_MODELS = ['gpt-5.5', 'gpt-4o-mini', 'ft:gpt-4o-mini:acme::1', 'acme/team/tuned-1']

const apiModel = (id: string) => ({ id, object: 'model', created: 1_715_367_049, owned_by: 'system' })

function modelAnswer(encoded: string): Answer {
  const id = decodeURIComponent(encoded)
  if (API_MODELS.includes(id)) return { status: 200, body: apiModel(id) }
  const message = `The model '${id}' does not exist`
  return {
    status: 404,
    body: { error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
  }
}

/** Tells what arrived, so that a test can compare it with what it sent. */
function echo({ method, path, headers, body }: RecordedRequest): Answer {
  return {
    status: 200,
    headers: { 'x-echo': 'yes' },
    body: { method, path, headers, body_bytes: body.length, body_base64: body.toString('base64') },
  }
}
