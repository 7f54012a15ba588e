import type { ChatPlan } from '../../src/conversion/chat-plan.ts'
import { convertChatRequest } from '../../src/conversion/request/chat/chat-request.ts'
import type { CatalogueModel, ConversionContext } from '../../src/conversion/request/conversion-context.ts'
import {
  type ConvertedResponsesRequest,
  convertResponsesRequest,
} from '../../src/conversion/request/responses/responses-request.ts'
import type { ResponsesRequest } from '../../src/conversion/request/upstream-body.ts'
import { ApiError } from '../../src/errors.ts'

const CATALOGUE: readonly CatalogueModel[] = [
  { id: 'gpt-5.5', efforts: ['low', 'medium', 'high', 'xhigh'], usesResponsesLite: false, takesSummary: true },
  {
    id: 'gpt-6.1-sol',
    efforts: ['low', 'medium', 'high', 'xhigh', 'max', 'ultra'],
    usesResponsesLite: true,
    takesSummary: true,
  },
  { id: 'gpt-6-high', efforts: ['medium', 'high'], usesResponsesLite: true, takesSummary: true },
]

export const CONTEXT: ConversionContext = {
  strict: false,
  reasoningSummary: true,
  catalogue: CATALOGUE,
  stableJson: JSON.stringify,
  recallReasoning: () => undefined,
}

type Converted = { request: ResponsesRequest; plan: ChatPlan }

/** Converts a request that says hello unless told otherwise. */
export function convertChat(fields: object, context: Partial<ConversionContext> = {}): Converted {
  const body = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }], ...fields }
  return convertChatRequest(body, { ...CONTEXT, ...context })
}

type ResponsesContext = Parameters<typeof convertResponsesRequest>[1]

/** Converts a Responses request for a proxy that remembers nothing, unless told otherwise. */
export function convertResponses(
  body: unknown,
  differences: Partial<ResponsesContext> = {},
): ConvertedResponsesRequest {
  return convertResponsesRequest(body, {
    strict: false,
    recallItem: () => undefined,
    recallConversation: () => undefined,
    stableJson: JSON.stringify,
    ...differences,
  })
}

/** The items a history becomes. */
export function itemsOf(messages: readonly object[], fields: object = {}, context: Partial<ConversionContext> = {}) {
  return convertChat({ messages, ...fields }, context).request.input
}

/** The items of a single user message with this content. */
export function partsOf(content: unknown): unknown {
  return itemsOf([{ role: 'user', content }])[0]?.content
}

/** What a client is told of a refused request. */
export function refusalOf(convert: () => unknown): Pick<ApiError, 'status' | 'code' | 'param' | 'message'> {
  try {
    convert()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { status, code, param, message } = error
    return { status, code, param, message }
  }
  throw new Error('the request was not refused')
}
