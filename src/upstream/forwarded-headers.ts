import type { IncomingHttpHeaders } from 'node:http'

/** RFC 9110 §7.6.1 and the older ones of RFC 2616 §13.5.1; the header Connection may name further ones. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * Request headers that are not forwarded: credentials and cookies of the client; headers that reveal the client's
 * network and pages; those that upstream could take for our own; and what each connection decides for itself.
 */
const REQUEST_HEADERS_DROPPED = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'api-key',
  'x-api-key',
  'cookie',
  'cookie2',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'origin',
  'originator',
  'referer',
  'forwarded',
  'via',
  'true-client-ip',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'chatgpt-account-id',
  'x-openai-fedramp',
  'x-oai-attestation',
  // Node before 20.19.2 reads a header without a name as one; undici doesn't send it.
  '',
])
const REQUEST_PREFIXES_DROPPED = [
  'sec-',
  'cf-',
  'x-forwarded-',
  'x-openai-internal-',
  'access-control-',
  'fly-',
  'x-envoy-',
]

/**
 * Answer headers that are not passed back: cookies, those of the CDN, and instructions to browsers about upstream's
 * origin.
 */
const ANSWER_HEADERS_DROPPED = new Set([
  ...HOP_BY_HOP,
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'clear-site-data',
  'content-security-policy',
  'content-security-policy-report-only',
  'expect-ct',
  'nel',
  'public-key-pins',
  'report-to',
  'reporting-endpoints',
  'server',
  'server-timing',
  'service-worker-allowed',
  'strict-transport-security',
  'via',
  'x-powered-by',
])
/** `access-control-*`: the proxy itself decides which pages may read an answer (http/guard.ts). */
const ANSWER_PREFIXES_DROPPED = ['access-control-', 'cf-', 'x-cache', 'x-served-by', 'x-envoy-']

/** The client's own headers that may go to upstream; credentials and identity are added by upstream/target.ts. */
export function requestHeadersForUpstream(headers: IncomingHttpHeaders): Record<string, string> {
  const named = namedInConnection(headers)
  const forwarded: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || named.has(name)) continue
    if (REQUEST_HEADERS_DROPPED.has(name) || startsWithOneOf(name, REQUEST_PREFIXES_DROPPED)) continue
    forwarded[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return forwarded
}

/**
 * The headers of an upstream answer that may go to the client. Length and encoding stay: they are right for the bytes
 * as they arrive, and code that changes the bytes writes its own headers.
 */
export function answerHeadersForClient(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = namedInConnection(headers)
  const forwarded: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || named.has(name)) continue
    if (ANSWER_HEADERS_DROPPED.has(name) || startsWithOneOf(name, ANSWER_PREFIXES_DROPPED)) continue
    forwarded[name] = value
  }
  return forwarded
}

/** Headers by which the Codex CLI names the conversation and turn of a request: upstream's caches depend on them. */
const CONVERSATION_HEADER =
  /^(session-id|thread-id|x-client-request-id|x-openai-subagent|x-codex-(beta-features|parent-thread-id|turn-.*|window-.*))$/

/** With a ChatGPT login only these of the client's headers are sent upstream. */
export function conversationHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return onlyNamed(headers, CONVERSATION_HEADER)
}

/** Information that the ChatGPT backend sends besides the body: request ids, limits, the turn's state. */
const INFORMING_HEADER =
  /^(x-request-id|x-oai-request-id|x-models-etag|x-reasoning-included|(x-codex-|openai-|x-ratelimit-).*)$/

/** With a ChatGPT login only these are passed back: the others describe bytes that we have converted. */
export function informingHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return onlyNamed(headers, INFORMING_HEADER)
}

/** Runs for every request: testing one pattern is cheaper than a list of prefixes. */
export function onlyNamed(headers: IncomingHttpHeaders, names: RegExp): Record<string, string> {
  const named: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === 'string' && value !== '' && names.test(name)) named[name] = value
  }
  return named
}

const NONE: ReadonlySet<string> = new Set()

function namedInConnection({ connection }: IncomingHttpHeaders): ReadonlySet<string> {
  if (connection === undefined || /^(close|keep-alive)$/i.test(connection)) return NONE
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

function startsWithOneOf(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix))
}
