import { asNumber, asObject, type JsonObject, objectOf } from '../../json-object.ts'

/** Token counts in the form and order of Chat Completions. */
export type ChatUsage = {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  prompt_tokens_details: { cached_tokens: number; audio_tokens: number; cache_write_tokens?: number }
  completion_tokens_details: {
    reasoning_tokens: number
    audio_tokens: number
    accepted_prediction_tokens: number
    rejected_prediction_tokens: number
  }
}

/** The usage in a terminal event; undefined if it has none. */
export function chatUsage(terminalEvent: unknown): ChatUsage | undefined {
  const usage = asObject(asObject(asObject(terminalEvent)?.response)?.usage)
  return usage && usageOf(usage)
}

/** Upstream's counts. Missing details are 0, never estimated (case 150). */
function usageOf(usage: JsonObject): ChatUsage {
  const input = count(usage, 'input_tokens')
  const output = count(usage, 'output_tokens')
  const inputDetails = objectOf(usage.input_tokens_details)
  const outputDetails = objectOf(usage.output_tokens_details)
  const cacheWrites = asNumber(inputDetails.cache_write_tokens)
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: asNumber(usage.total_tokens) ?? input + output,
    prompt_tokens_details: {
      cached_tokens: count(inputDetails, 'cached_tokens'),
      audio_tokens: 0,
      ...(cacheWrites !== undefined && { cache_write_tokens: cacheWrites }),
    },
    completion_tokens_details: {
      reasoning_tokens: count(outputDetails, 'reasoning_tokens'),
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

/** The usage of an answer with several choices, each its own upstream request; all zero if there is none. */
export function sumUsage(usages: Iterable<ChatUsage | undefined>): ChatUsage {
  const sum = usageOf({})
  for (const usage of usages) {
    if (usage === undefined) continue
    sum.prompt_tokens += usage.prompt_tokens
    sum.completion_tokens += usage.completion_tokens
    sum.total_tokens += usage.total_tokens
    sum.completion_tokens_details.reasoning_tokens += usage.completion_tokens_details.reasoning_tokens
    addPromptDetails(sum.prompt_tokens_details, usage.prompt_tokens_details)
  }
  return sum
}

/**
 * The few counts that the log keeps (telemetry's `TokenUsage`), of all choices; undefined if upstream reported none.
 */
export function tokenUsage(
  usages: readonly (ChatUsage | undefined)[],
): { input: number; cached: number; output: number; reasoning: number } | undefined {
  if (usages.every((each) => each === undefined)) return undefined
  const usage = sumUsage(usages)
  return {
    input: usage.prompt_tokens,
    cached: usage.prompt_tokens_details.cached_tokens,
    output: usage.completion_tokens,
    reasoning: usage.completion_tokens_details.reasoning_tokens,
  }
}

function addPromptDetails(sum: ChatUsage['prompt_tokens_details'], details: ChatUsage['prompt_tokens_details']): void {
  sum.cached_tokens += details.cached_tokens
  if (details.cache_write_tokens === undefined) return
  sum.cache_write_tokens = (sum.cache_write_tokens ?? 0) + details.cache_write_tokens
}

function count(counts: JsonObject, name: string): number {
  return asNumber(counts[name]) ?? 0
}
