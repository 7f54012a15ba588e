import type { ChatStream } from '../../conversion/answer/chat-stream.ts'
import type { ChatPlan } from '../../conversion/chat-plan.ts'
import { convertChatRequest } from '../../conversion/request/chat/chat-request.ts'
import { hasAddition } from '../../conversion/request/chat/model-name.ts'
import type { ConversionContext } from '../../conversion/request/conversion-context.ts'
import { type LargeJson, parseLargeJson } from '../../conversion/request/large-json.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { objectOf, textOf } from '../../json-object.ts'
import type { Answer, ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { ownerOf } from '../memory/recent-memory.ts'
import type { MessageLog } from '../message-log.ts'
import { prepareCall } from '../upstream-call/prepare-call.ts'
import type { UpstreamCall } from '../upstream-call/upstream-call.ts'
import { completeChat } from './complete-chat.ts'
import { StreamedChat } from './streamed-chat.ts'

/** `POST /v1/chat/completions`, converted. */
export async function chatCompletions(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const { plan, call, log } = await convert(context, request, credentials, await request.jsonBody())
  if (plan.stream) {
    const answer = new StreamedChat(context, request, plan, log)
    await answer.run(call)
    rememberReasoning(context, credentials, answer.machines)
    log.output()
    return undefined
  }
  const { completion, machines } = await completeChat(context, request, plan, call)
  rememberReasoning(context, credentials, machines)
  log.output(completion.choices)
  return { status: 200, body: completion }
}

/** A separate function, so that nothing of the body is kept while the answer streams. */
async function convert(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  raw: Buffer,
): Promise<{ plan: ChatPlan; call: UpstreamCall; log: MessageLog }> {
  const json = parseLargeJson(raw, context.placeholder)
  if (hasAddition(textOf(objectOf(json.value).model) ?? '')) {
    // Right after the start: without the list the name would go up whole, and be refused.
    const firstList = context.catalogue.firstList()
    if (firstList !== undefined) await request.cancellation.race(firstList)
  }
  const { request: converted, plan } = convertChatRequest(json.value, conversionContext(context, credentials, json))
  request.record.model = plan.model
  request.record.stream = plan.stream
  const { call, log } = prepareCall(context, request, credentials, {
    route: 'chat',
    body: converted,
    json,
    ignored: plan.ignored,
  })
  return { plan, log, call }
}

function conversionContext(
  context: RouteContext,
  credentials: ChatGptCredentials,
  { stableJson }: LargeJson,
): ConversionContext {
  return {
    strict: context.config.strict,
    reasoningSummary: context.config.reasoningSummary === 'auto',
    catalogue: context.catalogue.peek(),
    stableJson,
    recallReasoning(call) {
      const items = context.reasoning.recall(ownerOf(credentials), call)
      context.metrics.reasoningRecalled(items !== undefined)
      return items
    },
  }
}

function rememberReasoning(
  context: RouteContext,
  credentials: ChatGptCredentials,
  machines: readonly ChatStream[],
): void {
  for (const { reasonedCalls } of machines) context.reasoning.remember(ownerOf(credentials), reasonedCalls)
}
