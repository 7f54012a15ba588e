import { type LargeJson, parseLargeJson } from '../../conversion/request/large-json.ts'
import type { ConvertedResponsesRequest } from '../../conversion/request/responses/responses-request.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { asList, asString } from '../../json-object.ts'
import { unpooledCopy } from '../../runtime/buffers.ts'
import type { Answer, ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import type { AnsweredTurn } from '../memory/conversation-memory.ts'
import { ownerOf } from '../memory/recent-memory.ts'
import type { MessageLog } from '../message-log.ts'
import type { UpstreamCall } from '../upstream-call/upstream-call.ts'
import { collectResponse } from './collect-response.ts'
import { prepareResponses } from './prepare-responses.ts'
import { type AnswerOutcome, streamResponse } from './stream-response.ts'

/** `POST /v1/responses`, passed through as far as upstream allows. */
export async function responses(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const { call, log, isStreamed, turn } = convert(context, request, credentials, await request.jsonBody())
  const remember = (outcome: AnswerOutcome) => turn && rememberAnswer(context, turn, outcome)
  if (!isStreamed) {
    const response = await collectResponse(context, request, call, log)
    remember({ responseId: asString(response.id), items: asList(response.output) })
    return { status: 200, body: response }
  }
  await streamResponse(context, request, { call, log, remember })
  return undefined
}

/** Upstream stores nothing, and the client may refer to it in its next request. */
function rememberAnswer(context: RouteContext, turn: AnsweredTurn, { responseId, items }: AnswerOutcome): void {
  context.items.remember(turn.owner, items)
  if (responseId !== undefined) context.conversations.remember(turn, responseId, items)
}

/**
 * A separate function, so that while the answer streams only the part of the body is kept that a client may continue
 * from.
 */
function convert(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  raw: Buffer,
): { call: UpstreamCall; log: MessageLog; isStreamed: boolean; turn: AnsweredTurn | undefined } {
  const json = parseLargeJson(raw, context.placeholder)
  const { converted, written, call, log } = prepareResponses(context, request, credentials, { json })
  const turn = converted.stores ? answeredTurn(converted, ownerOf(credentials), written, json.write) : undefined
  return { call, log, isStreamed: converted.stream, turn }
}

/** In memory of its own: that of the body is freed before the answer ends. */
function answeredTurn(
  { request: { prompt_cache_key }, previousId, added }: ConvertedResponsesRequest,
  owner: string,
  written: readonly Buffer[],
  write: LargeJson['write'],
): AnsweredTurn {
  const request = previousId === undefined ? written : write({ input: added, prompt_cache_key })
  return { owner, previousId, request: unpooledCopy(request) }
}
