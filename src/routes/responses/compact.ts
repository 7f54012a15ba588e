import { type LargeJson, parseLargeJson } from '../../conversion/request/large-json.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { ProxyError } from '../../errors.ts'
import { asList, asObject, asString, type JsonObject, objectOf } from '../../json-object.ts'
import type { ApiRequest, Route } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { forwardOr } from '../forward.ts'
import { collect, type Prepared, prepare } from './responses.ts'

/** What upstream compacts a conversation for, at the end of an ordinary request (docs/upstream.md 4.1). */
const TRIGGER = { type: 'compaction_trigger' }
const FEATURES = 'x-codex-beta-features'
const FEATURE = 'remote_compaction_v2'

/**
 * `POST /v1/responses/compact`, which the ChatGPT backend has no more: the Codex CLI asks for it with this feature turned
 * off, and so do the official clients (case 208). Answers what a conversation goes on from in place of all before.
 */
export function compactRoute(context: RouteContext): Route {
  return forwardOr(context, async (request, credentials) => {
    const { call, log, kept } = convert(context, request, credentials, await request.jsonBody())
    const response = await collect(context, request, call, log)
    return { status: 200, body: compacted(response, kept) }
  })
}

/** A function of its own, so that the body is not held while upstream thinks. */
function convert(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  raw: Buffer,
): Pick<Prepared, 'call' | 'log'> & { kept: readonly unknown[] } {
  const json = parseLargeJson(raw, context.placeholder)
  const asked = { ...json, value: withTrigger(json.value) }
  const { converted, call, log } = prepare(context, request, credentials, asked, { [FEATURES]: features(request) })
  return { call, log, kept: saidByUser(converted.request.input, json) }
}

/** What is of a wrong type is left for the conversion to refuse. */
function withTrigger(body: unknown): unknown {
  const fields = asObject(body)
  if (fields === undefined) return body
  const { input } = fields
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? [])
  return { ...fields, input: Array.isArray(items) ? [...items.filter((item) => !isTrigger(item)), TRIGGER] : items }
}

/** Only the last item may be one. */
function isTrigger(item: unknown): boolean {
  return asObject(item)?.type === TRIGGER.type
}

function features({ headers }: ApiRequest): string {
  const own =
    asString(headers[FEATURES])
      ?.split(',')
      .map((name) => name.trim()) ?? []
  return [...own.filter((name) => name !== FEATURE), FEATURE].join(',')
}

/** With the data that was cut out of the body, which is freed before the answer ends. */
function saidByUser(input: readonly JsonObject[], { write }: LargeJson): readonly unknown[] {
  const messages = input.filter(({ role }) => role === 'user')
  return asList(JSON.parse(Buffer.concat(write(messages)).toString('utf8')))
}

/** As the API answers: the messages of the user, then the one item that stands for all else. */
function compacted({ id, created_at, output, usage }: JsonObject, kept: readonly unknown[]): JsonObject {
  const items = asList(output).filter((item) => objectOf(item).type === 'compaction')
  if (items.length === 0) throw new ProxyError('upstream_invalid', 'Upstream answered, but did not compact.')
  return { id, object: 'response.compaction', created_at, output: [...kept, ...items], usage }
}
