import { compactedResponse } from '../../conversion/answer/compacted-response.ts'
import { type LargeJson, parseLargeJson } from '../../conversion/request/large-json.ts'
import { withTrigger } from '../../conversion/request/responses/compaction-request.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { asList, asString, type JsonObject } from '../../json-object.ts'
import type { Answer, ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { collectResponse } from './collect-response.ts'
import { type Prepared, prepareResponses } from './prepare-responses.ts'

/** Where Codex names its features: this is compaction by an ordinary request (docs/upstream.md 4.1). */
const FEATURES = 'x-codex-beta-features'
const FEATURE = 'remote_compaction_v2'

/**
 * `POST /v1/responses/compact`, which the ChatGPT backend no longer has: the Codex CLI calls it with this feature
 * turned off, and so do the official clients (case 208). Its answer replaces the conversation so far.
 */
export async function compact(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer> {
  const { call, log, kept } = convert(context, request, credentials, await request.jsonBody())
  const response = await collectResponse(context, request, call, log)
  return { status: 200, body: compactedResponse(response, kept) }
}

/** A separate function, so that the body is not kept while upstream thinks. */
function convert(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  raw: Buffer,
): Pick<Prepared, 'call' | 'log'> & { kept: readonly unknown[] } {
  const json = parseLargeJson(raw, context.placeholder)
  const { converted, call, log } = prepareResponses(context, request, credentials, {
    json: { ...json, value: withTrigger(json.value) },
    headers: { [FEATURES]: features(request) },
  })
  return { call, log, kept: saidByUser(converted.request.input, json) }
}

function features({ headers }: ApiRequest): string {
  const own = (asString(headers[FEATURES]) ?? '').split(',').map((name) => name.trim())
  return [...own.filter((name) => name !== '' && name !== FEATURE), FEATURE].join(',')
}

/** Includes the data that was cut out of the body, which is freed before the answer ends. */
function saidByUser(input: readonly JsonObject[], { write }: LargeJson): readonly unknown[] {
  const messages = input.filter(({ role }) => role === 'user')
  return asList(JSON.parse(Buffer.concat(write(messages)).toString('utf8')))
}
