import type { CatalogueModel } from '../../conversion/request/conversion-context.ts'
import { asList, asString, isObject, objectOf } from '../../json-object.ts'

/** A model as the catalogue of the ChatGPT backend describes it (docs/upstream.md 4.7); passed on unchanged. */
export type ModelEntry = { readonly [key: string]: unknown; readonly slug: string }

/** The entries of `{"models": […]}`; undefined when it isn't that. */
export function modelEntries(content: unknown): ModelEntry[] | undefined {
  const { models } = objectOf(content)
  return Array.isArray(models) ? models.filter(isEntry) : undefined
}

function isEntry(value: unknown): value is ModelEntry {
  const { slug } = objectOf(value)
  return typeof slug === 'string' && slug !== ''
}

/** The entries that clients may be shown, best first; the others are for Codex alone (case 195). */
export function shownEntries(entries: readonly ModelEntry[]): ModelEntry[] {
  return entries
    .filter(({ visibility = 'list', supported_in_api = true }) => visibility === 'list' && supported_in_api === true)
    .sort((a, b) => priorityOf(a) - priorityOf(b))
}

function priorityOf({ priority }: ModelEntry): number {
  return typeof priority === 'number' ? priority : Number.MAX_SAFE_INTEGER
}

export function catalogueModel(entry: ModelEntry): CatalogueModel {
  return {
    id: entry.slug,
    efforts: effortsOf(entry),
    usesResponsesLite: entry.use_responses_lite === true,
    takesSummary: entry.supports_reasoning_summary_parameter !== false,
  }
}

/** The form of OpenAI's list, with further keys for what clients would otherwise have to guess (case 197). */
export function openAiModel(entry: ModelEntry): Record<string, unknown> {
  const { slug, display_name, context_window, max_output_tokens, input_modalities, default_reasoning_level } = entry
  return {
    id: slug,
    object: 'model',
    // Upstream gives no date; the official clients need a number.
    created: 0,
    owned_by: 'openai',
    ...definedOnly({
      display_name,
      context_window,
      // The names of OpenRouter and vLLM, the only ones that many clients read.
      context_length: context_window,
      max_model_len: context_window,
      max_output_tokens,
      input_modalities,
      supported_reasoning_efforts: effortsOf(entry),
      default_reasoning_effort: default_reasoning_level,
    }),
  }
}

/** Only OpenAI's own keys: many clients look for `models` before `data`, and read `id` or `name` there (case 197). */
export function openAiList(entries: readonly ModelEntry[]): Record<string, unknown> {
  return { object: 'list', data: entries.map(openAiModel) }
}

/** The same with all of the backend's own entries, which is what Codex reads (case 198). */
export function codexList(shown: readonly ModelEntry[], entries: readonly ModelEntry[]): Record<string, unknown> {
  return { ...openAiList(shown), models: entries }
}

function effortsOf({ supported_reasoning_levels: levels }: ModelEntry): string[] {
  return asList(levels).flatMap((level) => asString(isObject(level) ? level.effort : level) ?? [])
}

function definedOnly(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
}
