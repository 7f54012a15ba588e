import type { Random } from '../support/random.ts'

/**
 * A request that was valid, changed in a few places: latin1 text, a character per byte. Half of them are sound HTTP, so
 * that they get as far as what reads bodies; the other half keeps the parser and the first checks busy.
 */
export function mutatedRequest(random: Random): string {
  if (random() < 0.5) return soundRequest(random)
  let request = buildRequest(pick(BODIES, random), random)
  const times = Math.floor(random() * 3)
  for (let i = 0; i < times; i++) request = pick(MUTATIONS, random)(request, random)
  return request
}

function soundRequest(random: Random): string {
  const path = pick(['/v1/chat/completions', '/v1/responses'], random)
  let body = pick(BODIES, random)
  const times = Math.floor(random() * 4)
  for (let i = 0; i < times; i++) body = mutateJson(body, random)
  if (random() < 0.1) body = pick(MUTATIONS, random)(body, random)
  const headers = 'Host: localhost\r\nConnection: close\r\nContent-Type: application/json'
  return `POST ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const BODIES = [
  '{"model":"gpt-5.5","messages":[{"role":"user","content":"Hello"}]}',
  '{"model":"gpt-5.5","stream":true,"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":[{"type":"text","text":"Hi"}]}],"stream_options":{"include_usage":true}}',
  '{"model":"gpt-5.5","messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}',
  '{"model":"gpt-5.5","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}},"n":2,"stop":["a"]}',
  '{"model":"gpt-5.5","input":"Hello"}',
  '{"model":"gpt-5.5","stream":true,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}],"tools":[]}',
  '',
]
const PATHS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/models',
  '/v1/models/gpt-5.5',
  '/v1/embeddings',
  '/health',
  '/ready',
  '/metrics',
  '/',
  '/v1/responses/resp_1/cancel?x=%20',
  '/v1/v1/chat/completions',
  'http://localhost/v1/models',
  '*',
  '/%',
  '/v1/%ff%fe',
  '/v1/../../x',
  '//',
]
const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'GET',
  'PUT',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PROPFIND',
]
const HEADERS = [
  'Content-Type: application/json',
  'Content-Type: text/plain',
  'Content-Encoding: gzip',
  'Content-Encoding: zstd, br',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Expect: 100-continue',
  'Expect: something',
  'Upgrade: websocket',
  'Connection: Upgrade, host',
  'Origin: null',
  'Origin: http://localhost:1',
  'Sec-Fetch-Site: cross-site',
  'Host: evil.example',
  'Host: [::1]:x',
  'Accept: text/event-stream',
  'Authorization: Bearer \x00',
  'Cookie: a=b',
  'Range: bytes=0-1',
  'X-Long: '.padEnd(9000, 'a'),
  ' folded: line',
  ': nameless',
]

function buildRequest(body: string, random: Random): string {
  const lines = [`${pick(METHODS, random)} ${pick(PATHS, random)} HTTP/1.1`, 'Host: localhost', 'Connection: close']
  if (random() < 0.8) lines.push('Content-Type: application/json')
  while (random() < 0.3) lines.push(pick(HEADERS, random))
  if (random() < 0.2) {
    const size = body.length.toString(16)
    return [...lines, 'Transfer-Encoding: chunked', '', size, body, '0', '', ''].join('\r\n')
  }
  return [...lines, `Content-Length: ${body.length}`, '', body].join('\r\n')
}

type Mutation = (text: string, random: Random) => string

const MUTATIONS: readonly Mutation[] = [
  // A byte changed, removed, or put in.
  (text, random) => splice(text, random, 1, byte(random)),
  (text, random) => splice(text, random, 1, ''),
  (text, random) => splice(text, random, 0, byte(random)),
  // A stretch removed, doubled, or replaced by noise.
  (text, random) => splice(text, random, Math.floor(random() * 40), ''),
  (text, random) => splice(text, random, 0, text.slice(Math.floor(random() * text.length)).slice(0, 60)),
  (text, random) => splice(text, random, 4, Array.from({ length: 12 }, () => byte(random)).join('')),
  // Ends that no client writes, and the end missing.
  (text) => text.replaceAll('\r\n', '\n'),
  (text, random) => splice(text, random, 0, pick(['\r', '\n', '\r\n', '\r\n\r\n', '\0'], random)),
  (text, random) => text.slice(0, Math.floor(random() * text.length)),
  // A header more, at any line.
  (text, random) => text.replace('\r\n', `\r\n${pick(HEADERS, random)}\r\n`),
  // Two requests in one go.
  (text, random) => text + buildRequest(pick(BODIES, random), random),
]

const JSON_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  '',
  'auto',
  'user',
  'tool',
  '\ud800',
  'x'.repeat(5000),
  [],
  {},
  [null],
  { type: 'text', text: 'x' },
  { type: 'message', role: 'user', content: 'x' },
  [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,' } }] }],
]
const JSON_NOISE = [
  '1e999',
  '{"__proto__":{"x":1}}',
  '"\\ud800"',
  '9'.repeat(400),
  '['.repeat(20_000),
  '{"a":',
  '\0',
  'NaN',
]

/** Another value somewhere, a field less or more; sometimes something that is hardly JSON. */
function mutateJson(json: string, random: Random): string {
  if (json === '' || random() < 0.1) return splice(json, random, 3, pick(JSON_NOISE, random))
  let root: unknown
  try {
    root = JSON.parse(json)
  } catch {
    return json
  }
  const holders = objectsIn(root)
  if (holders.length === 0) return json
  const holder = pick(holders, random)
  const keys = Object.keys(holder)
  const key = keys.length === 0 || random() < 0.1 ? 'something_else' : pick(keys, random)
  if (random() < 0.15) Reflect.deleteProperty(holder, key)
  else Reflect.set(holder, key, pick(JSON_VALUES, random))
  // One byte a character, as the rest of the request.
  return Buffer.from(JSON.stringify(root)).toString('latin1')
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(objectsIn)]
}

function splice(text: string, random: Random, remove: number, insert: string): string {
  const at = Math.floor(random() * text.length)
  return text.slice(0, at) + insert + text.slice(at + remove)
}

function byte(random: Random): string {
  return String.fromCharCode(Math.floor(random() * 256))
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('Nothing to pick from.')
  return item
}
