import { asList, asObject, isEmpty, type JsonObject, objectOf, without } from '../../../json-object.ts'
import { API_DEFAULTS } from '../api-defaults.ts'
import type { ConversionContext } from '../conversion-context.ts'
import { effortOnTheWire } from '../effort.ts'
import { acceptedChoice, responsesTool, unforcedImage } from '../hosted-tools.ts'
import { bodyPlace, type JsonPlace } from '../json-place.ts'
import { derivePromptCacheKey } from '../prompt-cache-key.ts'
import { ReportedFields, reportOtherKeys, unsupportedParameter } from '../reported-fields.ts'
import { readServiceTier } from '../service-tier.ts'
import { ENCRYPTED_REASONING, type ResponsesRequest } from '../upstream-body.ts'
import { withIdsOnce } from '../upstream-ids.ts'
import { withinDepth } from '../within-depth.ts'
import { responsesInput } from './responses-input.ts'

export type ConvertedResponsesRequest = {
  readonly request: ResponsesRequest
  readonly stream: boolean
  /** The client expects the answer to be stored. */
  readonly stores: boolean
  /** The answer that the conversation continues from. */
  readonly previousId: string | undefined
  /** What the request adds to that conversation; the same as its `input` if there is none. */
  readonly added: readonly JsonObject[]
  /** Fields that were asked for and had no effect. */
  readonly ignored: readonly string[]
  /** The body is of the Lite lane: a header goes with it. */
  readonly lite: boolean
}

/** Refused, since leaving them out would change the question. */
const REFUSED: Readonly<Record<string, string>> = {
  conversation: 'is not supported: the ChatGPT backend stores no conversations, send the whole conversation',
  prompt: 'is not supported: the ChatGPT backend has no stored prompts, send their text',
}

/** What the backend accepts (docs/upstream.md 4.5). */
const ACCEPTED = [
  'model',
  'instructions',
  'input',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning',
  'text',
  'service_tier',
  'prompt_cache_key',
  'client_metadata',
  'access_programs',
  'stream_options',
  'include',
  'stream',
] as const
/** With what is read here besides; the rest is reported. */
const KNOWN: ReadonlySet<string> = new Set([...ACCEPTED, 'previous_response_id'])

/** All that is accepted: what is not reported must not get lost either. */
type FullRequest = Record<(typeof ACCEPTED)[number], unknown> & Pick<ResponsesRequest, 'store' | 'stream'>

/** Values that ask for no more than the API's default. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map([
  ...API_DEFAULTS,
  ['truncation', 'disabled'],
  ['background', false],
])

type RequestContext = {
  readonly strict: boolean
  /** An item of an earlier answer by its id. */
  readonly recallItem: (id: string) => JsonObject | undefined
  /** The conversation up to an earlier answer, by its id. */
  readonly recallConversation: (id: string) => EarlierConversation | undefined
  readonly stableJson: ConversionContext['stableJson']
}

export type EarlierConversation = {
  readonly items: readonly unknown[]
  /** The cache key that its last request was sent with. */
  readonly promptCacheKey: string | undefined
}

/**
 * Converts a Responses request to what the ChatGPT backend accepts: known fields pass, the rest is reported or refused.
 */
export function convertResponsesRequest(body: unknown, context: RequestContext): ConvertedResponsesRequest {
  return withinDepth(() => convert(bodyPlace(body), context))
}

function convert(body: JsonPlace, context: RequestContext): ConvertedResponsesRequest {
  const reported = new ReportedFields(context.strict)
  const model = body.at('model').string()
  const stream = body.at('stream').optionalBoolean() ?? false
  for (const [name, reason] of Object.entries(REFUSED)) {
    if (!body.at(name).absent) throw unsupportedParameter(name, reason)
  }
  const additions = toolAdditions(body)
  const lite = isLite(body, additions)
  const inputContext = { namespaces: hasNamespaces(body, additions), recallItem: context.recallItem, reported }
  const added = lite ? itemsAsTheyAre(body.at('input')) : responsesInput(body.at('input'), inputContext)
  const previous = body.at('previous_response_id')
  const earlier = previous.absent ? undefined : earlierConversation(previous, context)
  const all = earlier === undefined ? added : [...responsesInput(previous.of(earlier.items), inputContext), ...added]
  const input = lite ? all : withIdsOnce(all)
  const request = lite ? liteRequest(body, model, input, reported) : fullRequest(body, model, input, reported)
  if (!lite) {
    request.prompt_cache_key ||= earlier?.promptCacheKey ?? derivePromptCacheKey(request, context.stableJson)
  }
  const stores = !lite && body.at('store').value !== false
  return { request, stream, stores, previousId: previous.optionalString(), added, ignored: reported.names, lite }
}

/** What the client does not send again, since it expects upstream to have it (case 206). */
function earlierConversation(previous: JsonPlace, { recallConversation }: RequestContext): EarlierConversation {
  const conversation = recallConversation(previous.string())
  if (conversation !== undefined) return conversation
  // Some clients send the whole conversation when they read "previous response … not found", or its code (reported).
  throw previous.fault('previous_response_not_found', 'Previous response not found: the proxy does not remember it.')
}

/** The kinds of tools that there are on the Lite lane, besides a search run by the client (docs/upstream.md 4.4). */
const LITE_TOOLS = new Set<unknown>(['function', 'custom', 'namespace'])

function isOfLite(tool: unknown): boolean {
  const { type, execution } = objectOf(tool)
  // A search that upstream runs is a hosted tool, and the default.
  return type === 'tool_search' ? execution === 'client' : LITE_TOOLS.has(type)
}

/**
 * A body with its tools among the items comes from a client that uses the Lite lane (case 189). Beside other tools such
 * an item only adds to what the model may call from then on, on any lane; so does one with a tool that the lane does not
 * have.
 */
function isLite(body: JsonPlace, additions: readonly JsonObject[]): boolean {
  const isElsewhere = asList(body.at('tools').value).length > 0
  const added = additions.flatMap(({ tools }) => asList(tools))
  return additions.length > 0 && !isElsewhere && added.every(isOfLite)
}

/** The items that bring tools. */
function toolAdditions(body: JsonPlace): JsonObject[] {
  return asList(body.at('input').value)
    .map(objectOf)
    .filter(({ type }) => type === 'additional_tools')
}

function itemsAsTheyAre(input: JsonPlace): JsonObject[] {
  return input.items().map((item) => item.object())
}

/** Unchanged, except that upstream always streams and never stores; a client that wants it stored is told. */
function liteRequest(body: JsonPlace, model: string, input: JsonObject[], reported: ReportedFields): ResponsesRequest {
  const store = body.at('store')
  if (!store.absent && store.value !== false) reported.add('store')
  return { ...without(body.object(), ['previous_response_id']), model, input, store: false, stream: true }
}

function fullRequest(body: JsonPlace, model: string, input: JsonObject[], reported: ReportedFields): ResponsesRequest {
  reportOthers(body, reported)
  const tier = readServiceTier(body.at('service_tier'), reported)
  const tools = body
    .at('tools')
    .optionalItems()
    .map((tool) => responsesTool(tool.object()))
  const parallel = body.at('parallel_tool_calls').optionalBoolean()
  // JSON leaves out what is undefined.
  return {
    model,
    instructions: body.at('instructions').optionalString() ?? '',
    input,
    tools: body.at('tools').absent ? undefined : tools,
    tool_choice: toolChoice(body.at('tool_choice'), tools, reported),
    parallel_tool_calls: tools.length > 0 ? parallel : undefined,
    reasoning: reasoningOf(body.at('reasoning')),
    text: body.at('text').optionalObject(),
    service_tier: tier,
    prompt_cache_key: body.at('prompt_cache_key').optionalString(),
    client_metadata: body.at('client_metadata').optionalObject(),
    access_programs: body.at('access_programs').optionalObject(),
    stream_options: streamOptions(body.at('stream_options'), reported),
    include: extendedInclude(body.at('include')),
    store: false,
    stream: true,
  } satisfies FullRequest
}

function reasoningOf(place: JsonPlace): JsonObject | undefined {
  const reasoning = place.optionalObject()
  if (typeof reasoning?.effort !== 'string') return reasoning
  return { ...reasoning, effort: effortOnTheWire(reasoning.effort) }
}

function reportOthers(body: JsonPlace, reported: ReportedFields): void {
  for (const name of Object.keys(body.object())) {
    const { absent, value } = body.at(name)
    if (absent || KNOWN.has(name) || isEmpty(value)) continue
    if (DEFAULTS.get(name) !== value) reported.add(name)
  }
}

/**
 * Among the tools or those that an item adds. `tool_search` counts too: it finds tools of namespaces, and gives every other
 * one a namespace of its own.
 */
function hasNamespaces(body: JsonPlace, additions: readonly JsonObject[]): boolean {
  return [body.object(), ...additions].some(({ tools }) =>
    asList(tools).some((tool) => ['namespace', 'tool_search'].includes(String(objectOf(tool).type))),
  )
}

function toolChoice(
  place: JsonPlace,
  tools: readonly JsonObject[],
  reported: ReportedFields,
): JsonObject | string | undefined {
  const object = asObject(place.value)
  if (object === undefined) return place.optionalString()
  return object.type === 'image_generation' ? unforcedImage(reported) : acceptedChoice(responsesTool(object), tools)
}

/** The one option that Codex sends is passed; padding against side channels is not supported. */
function streamOptions(options: JsonPlace, reported: ReportedFields): JsonObject | undefined {
  reportOtherKeys(options, ['include_obfuscation', 'reasoning_summary_delivery'], reported)
  if (options.at('include_obfuscation').optionalBoolean() === true) reported.add('stream_options.include_obfuscation')
  const delivery = options.at('reasoning_summary_delivery')
  return delivery.absent ? undefined : { reasoning_summary_delivery: delivery.value }
}

/** Always requests encrypted reasoning. */
function extendedInclude(include: JsonPlace): string[] {
  return [...new Set([...include.optionalItems().map((item) => item.string()), ENCRYPTED_REASONING])]
}
