import type { JsonObject } from '../../../json-object.ts'
import type { ChatPlan } from '../../chat-plan.ts'
import type { ConversionContext } from '../conversion-context.ts'
import { readEffort } from '../effort.ts'
import type { JsonPlace } from '../json-place.ts'
import { type ReportedFields, reportOtherKeys } from '../reported-fields.ts'
import type { NamedModel } from './model-name.ts'

const MOST_CHOICES = 8
const MOST_STOPS = 4
const REASONING_FIELDS = ['reasoning', 'reasoning_effort'] as const
const SUMMARIES = ['auto', 'concise', 'detailed'] as const

/** `reasoning` of the upstream body; a summary comes only if asked for (case 104). */
export function readReasoning(
  body: JsonPlace,
  model: NamedModel,
  context: ConversionContext,
  reported: ReportedFields,
): JsonObject | undefined {
  const listed = context.catalogue.find(({ id }) => id === model.id)
  const standard = context.reasoningSummary && listed?.takesSummary !== false ? 'auto' : undefined
  if (model.effort === undefined && !body.hasAny(REASONING_FIELDS)) return reasoningOf(undefined, standard)
  const reasoning = body.at('reasoning')
  reportOtherKeys(reasoning, ['effort', 'summary'], reported)
  const ofChat = body.at('reasoning_effort')
  const ofResponses = reasoning.at('effort')
  const given = ofChat.absent ? ofResponses : ofChat
  const overruled = ofResponses.optionalString()
  if (overruled !== undefined && overruled !== given.value) {
    reported.add('reasoning.effort', "is not supported together with 'reasoning_effort'")
  }
  const effort = readEffort(given, model, listed?.efforts ?? [], reported)
  const summary = reasoning.at('summary').optionalWord(SUMMARIES) ?? (effort === 'none' ? undefined : standard)
  return reasoningOf(effort, summary)
}

function reasoningOf(effort: string | undefined, summary: string | undefined): JsonObject | undefined {
  if (effort === undefined && summary === undefined) return undefined
  // JSON leaves out what is undefined.
  return { effort, summary }
}

export function readStreaming(body: JsonPlace, reported: ReportedFields): Pick<ChatPlan, 'stream' | 'includeUsage'> {
  const stream = body.at('stream').optionalBoolean() ?? false
  const options = body.at('stream_options')
  reportOtherKeys(options, ['include_usage', 'include_obfuscation'], reported)
  const includeUsage = options.at('include_usage').optionalBoolean() ?? false
  if (options.at('include_obfuscation').optionalBoolean() === true) reported.add('stream_options.include_obfuscation')
  return { stream, includeUsage }
}

export function readChoices(n: JsonPlace): number {
  if (n.absent) return 1
  const { value } = n
  if (typeof value !== 'number' || !Number.isInteger(value)) throw n.wrongType('an integer')
  if (value < 1) throw outOfRange(n, 'integer_below_min_value', `below minimum value. Expected a value >= 1`)
  if (value > MOST_CHOICES) {
    throw outOfRange(n, 'integer_above_max_value', `above maximum value. Expected a value <= ${MOST_CHOICES}`)
  }
  return value
}

function outOfRange(n: JsonPlace, code: 'integer_below_min_value' | 'integer_above_max_value', fault: string) {
  return n.fault(code, `Invalid '${n.path}': integer ${fault}, but got ${n.value} instead.`)
}

/** An empty text ends nothing. */
export function readStop(stop: JsonPlace): string[] {
  if (stop.absent) return []
  const items = () => stop.items('one of a string or array of strings').map((item) => item.string())
  const texts = typeof stop.value === 'string' ? [stop.value] : items()
  if (texts.length > MOST_STOPS) {
    const expected = `Expected an array with maximum length ${MOST_STOPS}, but got an array with length ${texts.length} instead.`
    throw stop.fault('array_above_max_length', `Invalid '${stop.path}': array too long. ${expected}`)
  }
  return texts.filter((text) => text !== '')
}
