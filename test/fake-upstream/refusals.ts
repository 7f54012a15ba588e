import type { IncomingHttpHeaders } from 'node:http'
import { accountClaims, claimsOf } from '../../src/credentials/access-token.ts'
import { inputRefusal } from './input-refusals.ts'
import { isOlder, type ModelEntry } from './models.ts'
import { apiError, detail, isJson, type Json, missingParameter, objectsOf, type Refusal, tooLong } from './refusal.ts'
import { toolsRefusal } from './tool-refusals.ts'

/** What every call to the ChatGPT side must have: a Codex-like user agent (else the CDN steps in) and a good token. */
export function accessRefusal(
  headers: IncomingHttpHeaders,
  acceptToken: (token: string) => boolean,
): Refusal | undefined {
  if (isOddUserAgent(headers['user-agent'])) return CHALLENGE
  const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? []
  if (token === undefined) return detail('Unauthorized', 401)
  if (acceptToken(token)) return regionRefusal(token, headers)
  const error = {
    message: 'Provided authentication token is expired. Please try signing in again.',
    type: null,
    code: 'token_expired',
    param: null,
  }
  return { status: 401, body: { error, status: 401 } }
}

/** A workspace that is bound to a region is served only where the client names that region. */
function regionRefusal(token: string, headers: IncomingHttpHeaders): Refusal | undefined {
  const { chatgpt_compute_residency: region } = accountClaims(claimsOf(token))
  const isBound = region !== undefined && region !== 'no_constraint'
  if (!isBound || region === headers['x-openai-internal-codex-residency']) return undefined
  return { status: 401, body: { error: { message: 'Workspace is not authorized in this region.' }, status: 401 } }
}

/** The first reason why the backend would not answer this body of `POST /responses`. */
export function bodyRefusal(
  body: unknown,
  headers: IncomingHttpHeaders,
  models: readonly ModelEntry[],
): Refusal | undefined {
  if (!isJson(body)) return detail('Request body must be a JSON object')
  if (hasHalf(body)) return NO_JSON
  return (
    parameterRefusal(body) ??
    modelRefusal(body, headers, models) ??
    instructionsRefusal(body) ??
    inputRefusal(body.input) ??
    namespaceRefusal(body) ??
    textFormatRefusal(body) ??
    toolsRefusal(body, headers)
  )
}

/** Whether a text in it has half of a character, which only escapes can bring. */
function hasHalf(body: unknown): boolean {
  if (typeof body === 'string') return /\p{Surrogate}/u.test(body)
  if (typeof body !== 'object' || body === null) return false
  return Object.entries(body).some(([name, value]) => hasHalf(name) || hasHalf(value))
}

const NO_JSON: Refusal = {
  status: 400,
  body: {
    error: {
      message: 'Invalid body: failed to parse JSON value. Please check the value to ensure it is valid JSON.',
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_json',
    },
  },
}

const CHALLENGE: Refusal = {
  status: 403,
  headers: { 'content-type': 'text/html; charset=UTF-8', 'cf-mitigated': 'challenge', server: 'cloudflare' },
  body: '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body>Enable JavaScript and cookies to continue</body></html>',
}

const GENERIC_CLIENTS = /^(node|undici|node-fetch|axios|got|curl|wget|python|go-http-client|okhttp|mozilla)\b/i

/** Codex-like: `name/1.2.3 …` and not the default of some HTTP library. */
function isOddUserAgent(userAgent: string | undefined): boolean {
  return userAgent === undefined || GENERIC_CLIENTS.test(userAgent) || !/^[\w.-]+\/\d+\.\d+/.test(userAgent)
}

/** The backend keeps an allow-list; these are all it takes over HTTP. */
const PARAMETERS = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'store',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning',
  'include',
  'text',
  'prompt_cache_key',
  'client_metadata',
  'access_programs',
  'service_tier',
  'stream_options',
])

function parameterRefusal(body: Json): Refusal | undefined {
  const unsupported = Object.keys(body).find((name) => !PARAMETERS.has(name))
  if (unsupported !== undefined) return detail(`Unsupported parameter: ${unsupported}`)
  const streamOptions = isJson(body.stream_options) ? Object.keys(body.stream_options) : []
  if (streamOptions.some((name) => name !== 'reasoning_summary_delivery')) {
    return detail('Unsupported parameter: stream_options')
  }
  if (body.store !== false) return detail('Store must be set to false')
  if (body.stream !== true) return detail('Stream must be set to true')
  const tier = body.service_tier
  if (tier !== undefined && tier !== 'priority' && tier !== 'default')
    return detail(`Unsupported service_tier: ${tier}`)
  return tooLong(body.prompt_cache_key, 'prompt_cache_key')
}

function modelRefusal(body: Json, headers: IncomingHttpHeaders, models: readonly ModelEntry[]): Refusal | undefined {
  const name = body.model
  const model = models.find(({ slug }) => slug === name)
  if (model === undefined)
    return detail(`The '${name}' model is not supported when using Codex with a ChatGPT account.`)
  if (isOlder(String(headers.version ?? ''), model.minimal_client_version)) {
    return detail(
      `The '${name}' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again.`,
    )
  }
  if (name === 'gpt-5.3-codex-spark' && isJson(body.reasoning) && body.reasoning.summary !== undefined) {
    // Its catalogue entry says otherwise.
    const message = `Unsupported parameter: 'reasoning.summary' is not supported with the '${name}' model.`
    return apiError(message, 'reasoning.summary', 'unsupported_parameter')
  }
  const effort = isJson(body.reasoning) ? body.reasoning.effort : undefined
  // A mode of Codex: catalogues list it beside the efforts, but it is none.
  if (effort === 'ultra') {
    const supported = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'"
    return apiError(`Invalid value: 'ultra'. Supported values are: ${supported}.`, 'reasoning.effort', 'invalid_value')
  }
  const efforts = model.supported_reasoning_levels.map((level) => level.effort)
  // `none` is taken although catalogues don't list it, except by gpt-6-astra.
  const taken = effort === undefined || effort === null || (effort === 'none' && name !== 'gpt-6-astra')
  if (taken || efforts.includes(String(effort))) return undefined
  const supported = efforts.map((each) => `'${each}'`).join(', ')
  return apiError(
    `Unsupported value: '${effort}' is not supported with the '${name}' model. Supported values are: ${supported}.`,
    'reasoning.effort',
    'unsupported_value',
  )
}

/** Codex itself sends its prompt as the first input item instead; anyone else must send the text, empty or not. */
function instructionsRefusal(body: Json): Refusal | undefined {
  if (typeof body.instructions === 'string') return undefined
  const [first] = Array.isArray(body.input) ? body.input : []
  const ofCodex = isJson(first) && first.role === 'developer' && body.instructions === undefined
  return ofCodex ? undefined : detail('Instructions are required')
}

function textFormatRefusal(body: Json): Refusal | undefined {
  const format = isJson(body.text) ? body.text.format : undefined
  if (!isJson(format)) return undefined
  if (format.type === 'json_schema' && (typeof format.name !== 'string' || !isJson(format.schema))) {
    return missingParameter('text.format.name')
  }
  if (format.type !== 'json_object' || /json/i.test(JSON.stringify(body.input))) return undefined
  return apiError(
    "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    'input',
    null,
  )
}

/** A call of a tool in a namespace names it; where no tool is in one, nobody knows that name. */
function namespaceRefusal({ tools, input }: Json): Refusal | undefined {
  const items = objectsOf(input)
  const added = items.filter(({ type }) => type === 'additional_tools').flatMap((item) => objectsOf(item.tools))
  const declared = [...objectsOf(tools), ...added]
  const namespaces = declared.filter(({ type }) => type === 'namespace' || type === 'tool_search')
  const within = namespaces.flatMap((namespace) => objectsOf(namespace.tools))
  for (const [index, { type, name, namespace }] of items.entries()) {
    if (type !== 'function_call' && type !== 'custom_tool_call') continue
    const param = `input[${index}].namespace`
    if (namespace !== undefined && namespaces.length === 0) {
      return apiError(`Unknown parameter: '${param}'.`, param, 'unknown_parameter')
    }
    if (namespace === undefined && within.some((tool) => tool.name === name)) {
      const message = `Missing namespace for ${type} '${name}'. It does not exist in the default namespace. Round-trip the model's ${type} item with its namespace field included.`
      return apiError(message, param, null)
    }
  }
  return undefined
}
