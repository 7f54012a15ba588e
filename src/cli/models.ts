import { asList, isObject, type JsonObject } from '../json-object.ts'

/** A model as the server's list describes it; what is absent is not known. */
export type Model = {
  readonly id: string
  readonly name: string
  /** Takes images. */
  readonly images?: boolean
  /** Thinks before it answers. */
  readonly reasoning?: boolean
  /** The reasoning efforts it supports, from low to high. */
  readonly efforts?: readonly string[]
  /** Tokens. */
  readonly contextWindow?: number
  readonly maxOutput?: number
  /** Seconds since the epoch. */
  readonly created?: number
  /** A model of a ChatGPT plan: its tokens are not billed. */
  readonly inPlan?: true
}

/** What the models of a ChatGPT plan have in common; an entry that says otherwise is the exception. */
const IN_PLAN = { images: true, reasoning: true, contextWindow: 272_000, maxOutput: 128_000, inPlan: true } as const

/** With a version, as Codex asks: only then does the list have the entries of the ChatGPT backend. */
export const MODELS_PATH = '/v1/models?client_version=0.0.0'

/**
 * The entries of `data`, with what the ChatGPT backend's own entries of `models` add (docs/upstream.md 4.7). An API key's
 * list has ids alone.
 */
export function modelsIn(body: JsonObject | undefined): Model[] {
  const details = new Map(objectsIn(body?.models).map((entry) => [entry.slug, entry]))
  return objectsIn(body?.data).flatMap(({ id, ...entry }) => {
    if (typeof id !== 'string') return []
    const detail = details.get(id)
    return [detail === undefined ? modelOf(id, entry) : { ...IN_PLAN, ...modelOf(id, { ...entry, ...detail }) }]
  })
}

function modelOf(id: string, entry: JsonObject): Model {
  const { display_name, input_modalities, supported_reasoning_levels, context_window, max_output_tokens } = entry
  const { supported_reasoning_efforts: efforts } = entry
  return {
    id,
    name: typeof display_name === 'string' ? display_name : id,
    ...(Array.isArray(input_modalities) && { images: input_modalities.includes('image') }),
    ...(Array.isArray(supported_reasoning_levels) && { reasoning: supported_reasoning_levels.length > 0 }),
    ...(Array.isArray(efforts) &&
      efforts.length > 0 && { efforts: efforts.filter((each) => typeof each === 'string') }),
    ...(typeof context_window === 'number' && { contextWindow: context_window }),
    ...(typeof max_output_tokens === 'number' && { maxOutput: max_output_tokens }),
    ...(typeof entry.created === 'number' && { created: entry.created }),
  }
}

/** OpenAI models that are not made for chats with tools, or that Chat Completions does not serve. */
const SPECIAL = /-(audio|chat|codex|embedding|image|instruct|pro|realtime|search|transcribe|tts|vision)\b/
const SMALL = /-(mini|nano)\b/

/**
 * The models to offer, the default one first. The list of a plan has the best one first. The list of an API key is
 * unordered and contains every kind: of these the usual chat models, newest first, small ones last.
 */
export function usualModels(models: readonly Model[]): readonly Model[] {
  if (models[0]?.inPlan === true) return models
  const usual = models.filter(({ id }) => id.startsWith('gpt-') && !SPECIAL.test(id))
  return usual.toSorted((a, b) => smallness(a) - smallness(b) || (b.created ?? 0) - (a.created ?? 0))
}

function smallness({ id }: Model): number {
  return SMALL.test(id) ? 1 : 0
}

function objectsIn(value: unknown): JsonObject[] {
  return asList(value).filter(isObject)
}
