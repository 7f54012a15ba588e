import { ApiError } from '../../../errors.ts'
import { asList, asObject, asString, type JsonObject } from '../../../json-object.ts'
import type { ChatPlan } from '../../chat-plan.ts'
import type { ConversionContext } from '../conversion-context.ts'
import { bodyPlace, type JsonPlace } from '../json-place.ts'
import { derivePromptCacheKey } from '../prompt-cache-key.ts'
import { ReportedFields } from '../reported-fields.ts'
import { readServiceTier } from '../service-tier.ts'
import { ENCRYPTED_REASONING, type ResponsesRequest } from '../upstream-body.ts'
import { withinDepth } from '../within-depth.ts'
import { checkChatFields } from './chat-fields.ts'
import { readChoices, readReasoning, readStop, readStreaming } from './chat-parameters.ts'
import { convertMessages } from './input-items.ts'
import { readModelName } from './model-name.ts'
import { convertFormat } from './response-format.ts'
import { convertTools } from './tools.ts'

/**
 * Converts a Chat Completions request to a Responses request, and says what its answer must look like. Throws an
 * ApiError for what the API would refuse or what an answer could not honour. The same request always gives the same
 * bytes.
 */
export function convertChatRequest(
  body: unknown,
  context: ConversionContext,
): { request: ResponsesRequest; plan: ChatPlan } {
  return withinDepth(() => convert(bodyPlace(body), context))
}

function convert(body: JsonPlace, context: ConversionContext): { request: ResponsesRequest; plan: ChatPlan } {
  refuseResponsesBody(body)
  const reported = new ReportedFields(context.strict)
  checkChatFields(body, reported)
  const name = requiredModel(body.at('model'))
  const model = readModelName(name, context.catalogue)
  const tools = convertTools(body, reported)
  const { text, kind } = convertFormat(body, reported)
  const messages = convertMessages(body.at('messages'), {
    customTools: tools.customTools,
    systemStaysInInput: kind === 'json_object',
    recallReasoning: context.recallReasoning,
  })
  if (kind === 'json_object') requireWordJson(messages.input)
  const reasoning = readReasoning(body, model, context, reported)
  const tier = readServiceTier(body.at('service_tier'), reported, model.fast && 'fast')
  const streaming = readStreaming(body, reported)

  // JSON leaves out what is undefined.
  const request: ResponsesRequest = {
    model: model.id,
    instructions: messages.instructions,
    input: messages.input,
    tools: tools.tools,
    tool_choice: tools.choice,
    parallel_tool_calls: tools.parallel,
    reasoning,
    text,
    service_tier: tier,
    prompt_cache_key: body.at('prompt_cache_key').optionalString(),
    include: [ENCRYPTED_REASONING],
    store: false,
    stream: true,
  }
  request.prompt_cache_key ||= derivePromptCacheKey(request, context.stableJson)
  return {
    request,
    plan: {
      model: name,
      ...streaming,
      choices: readChoices(body.at('n')),
      stop: readStop(body.at('stop')),
      legacyFunctions: tools.legacy,
      knowsCustomCalls: tools.customTools.size > 0,
      jsonOutput: kind !== 'text',
      showReasoning: reasoning?.summary !== undefined,
      ignored: reported.names,
    },
  }
}

function refuseResponsesBody(body: JsonPlace): void {
  if (!body.at('messages').absent || body.at('input').absent) return
  const message = "Missing required parameter: 'messages'. A request with 'input' belongs to /v1/responses."
  throw body.at('messages').fault('missing_required_parameter', message)
}

function requiredModel(place: JsonPlace): string {
  const name = place.string()
  if (name === '') throw place.missing()
  return name
}

/** The API requires this too: without the word, an answer in JSON mode may never end. */
function requireWordJson(input: readonly JsonObject[]): void {
  if (input.some(({ content, output }) => textsOf(content ?? output).some((text) => /json/i.test(text)))) return
  throw new ApiError(
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    { status: 400, type: 'invalid_request_error', param: 'messages', code: null },
  )
}

/** Only the texts of a message or a tool result: base64 may contain any letters by chance, and names do not count. */
function textsOf(said: unknown): string[] {
  if (typeof said === 'string') return [said]
  return asList(said).map((part) => asString(asObject(part)?.text) ?? asString(asObject(part)?.refusal) ?? '')
}
