import { isEmpty, isObject } from '../../../json-object.ts'
import { API_DEFAULTS } from '../api-defaults.ts'
import type { JsonPlace } from '../json-place.ts'
import { type ReportedFields, unsupportedParameter } from '../reported-fields.ts'

/** How a field is handled: it has an equivalent upstream, is sent unchanged, is done by the proxy, or can't be honoured. */
export type Handling = 'converted' | 'passed' | 'emulated' | 'ignored' | 'refused'

type FieldType = 'number' | 'integer' | 'boolean' | 'string' | 'list' | 'object'

export type ChatField = {
  readonly handling: Handling
  /** For `docs/conversion.md`. */
  readonly note: string
  /** The type, if nothing else reads the field: a wrong one is a 400, as in the API. */
  readonly type?: FieldType
  /**
   * Whether a value asks for no more than the API's default, besides `API_DEFAULTS` and null: such a value is neither
   * reported nor refused.
   */
  readonly asksNothing?: (value: unknown) => boolean
}

const isFalse = (value: unknown) => value === false
const isTextOnly = (value: unknown) => Array.isArray(value) && value.every((mode) => mode === 'text')

/** Every field of `POST /v1/chat/completions`, and the few of Responses that Chat clients send. */
export const CHAT_FIELDS = {
  model: {
    handling: 'converted',
    note: 'Passed. If the live catalogue has only a part of the name, a provider prefix (`openai/`, `codex/`) is removed, and a suffix (`-low`, `:high`, `(xhigh)`, `-fast`) becomes the effort or the tier.',
  },
  messages: {
    handling: 'converted',
    note: 'Leading system and developer texts become `instructions`, later ones developer messages; user, assistant and tool messages become input items. `name` and unknown keys of messages are not sent. Audio is refused.',
  },
  tools: {
    handling: 'converted',
    note: 'Functions and custom tools are flattened, `strict` is sent explicitly, schemas are never rewritten; tools in Responses form are passed. `file_search`, `code_interpreter`, `computer_use` and `computer_use_preview` are refused, and so are those for whose calls Chat has no form: `computer`, `apply_patch`, `shell` outside a container, `tool_search` by the client, and `mcp` unless `require_approval` is `never` or says for which tools. Unknown keys of a function or custom tool are ignored.',
  },
  tool_choice: {
    handling: 'converted',
    note: 'Strings are passed; a function, a custom tool and `allowed_tools` are flattened.',
  },
  parallel_tool_calls: {
    handling: 'passed',
    note: 'Not sent without tools; always false with `functions`, whose answer has room for only one call.',
    type: 'boolean',
  },
  functions: { handling: 'converted', note: 'The legacy form of `tools`; answered with `function_call`.' },
  function_call: { handling: 'converted', note: 'The legacy form of `tool_choice`.' },
  web_search_options: {
    handling: 'converted',
    note: 'The hosted `web_search` tool; citations come back as `annotations`.',
  },
  response_format: {
    handling: 'converted',
    note: '`text.format`, with `strict` sent explicitly. Unknown keys are ignored.',
  },
  verbosity: { handling: 'converted', note: '`text.verbosity`.' },
  text: { handling: 'converted', note: 'Not a Chat field: `format` and `verbosity` as in Responses.' },
  reasoning_effort: {
    handling: 'converted',
    note: '`reasoning.effort`, with `reasoning.summary: "auto"` unless the model has no summaries; a summary that upstream refuses is left out and reported. A level that the live catalogue does not list for the model becomes the nearest listed one, and is reported.',
  },
  reasoning: { handling: 'converted', note: 'Not a Chat field: `effort` and `summary` as in Responses.' },
  service_tier: {
    handling: 'converted',
    note: '`priority` and `fast` become `priority`; `auto` and `default` are not sent; others are ignored.',
  },
  prompt_cache_key: {
    handling: 'passed',
    note: 'If absent, derived from model, instructions, tools and first user message. Also sent as session headers.',
  },
  stream: {
    handling: 'emulated',
    note: 'Upstream always streams; without `stream` the proxy assembles the answer.',
  },
  stream_options: {
    handling: 'emulated',
    note: '`include_usage` is honoured exactly; `include_obfuscation: true` is ignored.',
  },
  n: { handling: 'emulated', note: '1 to 8: sent as that many parallel requests.' },
  stop: { handling: 'emulated', note: 'The answer is cut before the first match.' },
  max_tokens: { handling: 'ignored', note: 'Upstream has no limit to set.', type: 'integer' },
  max_completion_tokens: { handling: 'ignored', note: 'Upstream has no limit to set.', type: 'integer' },
  temperature: { handling: 'ignored', note: 'Default 1.', type: 'number' },
  top_p: { handling: 'ignored', note: 'Default 1.', type: 'number' },
  frequency_penalty: { handling: 'ignored', note: 'Default 0.', type: 'number' },
  presence_penalty: { handling: 'ignored', note: 'Default 0.', type: 'number' },
  seed: { handling: 'ignored', note: 'Upstream has no seed.', type: 'integer' },
  logit_bias: { handling: 'ignored', note: 'Default: an empty object.', type: 'object', asksNothing: isEmpty },
  metadata: { handling: 'ignored', note: 'Default: an empty object.', type: 'object', asksNothing: isEmpty },
  store: { handling: 'ignored', note: 'Nothing is stored. Default false.', type: 'boolean' },
  user: { handling: 'ignored', note: 'Upstream knows the account.', type: 'string' },
  safety_identifier: { handling: 'ignored', note: 'Upstream knows the account.', type: 'string' },
  prediction: { handling: 'ignored', note: 'Only a hint for speed.', type: 'object' },
  moderation: { handling: 'ignored', note: 'Upstream has its own moderation.', type: 'object', asksNothing: isEmpty },
  prompt_cache_retention: { handling: 'ignored', note: 'Upstream decides how long it caches.', type: 'string' },
  prompt_cache_options: {
    handling: 'ignored',
    note: 'Default: an empty object.',
    type: 'object',
    asksNothing: isEmpty,
  },
  logprobs: {
    handling: 'refused',
    note: 'Without them the answer would be wrong. Default false.',
    type: 'boolean',
    asksNothing: isFalse,
  },
  top_logprobs: { handling: 'refused', note: 'As `logprobs`. Default 0.', type: 'integer' },
  modalities: {
    handling: 'refused',
    note: 'Anything but `["text"]`: upstream has no audio.',
    type: 'list',
    asksNothing: isTextOnly,
  },
  audio: { handling: 'refused', note: 'Upstream has no audio.', type: 'object' },
} as const satisfies Readonly<Record<string, ChatField>>

const FIELDS: ReadonlyMap<string, ChatField> = new Map(Object.entries(CHAT_FIELDS))

/**
 * Refuses and reports fields according to the table; fields to convert are read elsewhere. Unknown fields are ignored.
 */
export function checkChatFields(body: JsonPlace, reported: ReportedFields): void {
  const fields = body.object()
  for (const name of Object.keys(fields)) {
    const value = fields[name] ?? undefined
    if (value === undefined) continue
    const field = FIELDS.get(name)
    if (field?.type !== undefined && !TYPES[field.type].is(value)) {
      throw body.at(name).wrongType(TYPES[field.type].expected)
    }
    if (API_DEFAULTS.get(name) === value || field?.asksNothing?.(value) === true) continue
    if (field === undefined) reported.add(name, 'is not known')
    else if (field.handling === 'ignored') reported.add(name)
    else if (field.handling === 'refused') throw unsupportedParameter(name)
  }
}

const TYPES: Readonly<Record<FieldType, { expected: string; is: (value: unknown) => boolean }>> = {
  number: { expected: 'a number', is: (value) => typeof value === 'number' },
  integer: { expected: 'an integer', is: (value) => Number.isInteger(value) },
  boolean: { expected: 'a boolean', is: (value) => typeof value === 'boolean' },
  string: { expected: 'a string', is: (value) => typeof value === 'string' },
  list: { expected: 'an array', is: (value) => Array.isArray(value) },
  object: { expected: 'an object', is: isObject },
}
