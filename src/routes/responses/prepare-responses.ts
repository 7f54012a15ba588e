import type { LargeJson } from '../../conversion/request/large-json.ts'
import {
  type ConvertedResponsesRequest,
  convertResponsesRequest,
} from '../../conversion/request/responses/responses-request.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { ownerOf } from '../memory/recent-memory.ts'
import { type PreparedCall, prepareCall } from '../upstream-call/prepare-call.ts'

export type Prepared = PreparedCall & { readonly converted: ConvertedResponsesRequest }

/** The upstream call for a request, with further headers that go with it. */
export function prepareResponses(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  { json, headers = {} }: { readonly json: LargeJson; readonly headers?: Readonly<Record<string, string>> },
): Prepared {
  const owner = ownerOf(credentials)
  const converted = convertResponsesRequest(json.value, {
    strict: context.config.strict,
    recallItem: context.items.recallFor(owner, context.config.maxDecodedBody),
    recallConversation: (id) => context.conversations.recall(owner, id, context.config.maxDecodedBody),
    stableJson: json.stableJson,
  })
  const { request: body, stream, ignored, lite } = converted
  request.record.model = body.model
  request.record.stream = stream
  const prepared = prepareCall(context, request, credentials, {
    route: 'responses',
    body,
    json,
    ignored,
    lite,
    headers,
  })
  return { converted, ...prepared }
}
