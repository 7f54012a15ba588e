import type { JsonObject } from '../json-object.ts'
import type { ToolCall } from './call-key.ts'

/** How the answer to one Chat request must look: all that the answer side has to know of the request. */
export type ChatPlan = {
  /** The model as the client named it: for the log, and for an answer in which upstream names none. */
  readonly model: string
  readonly stream: boolean
  /** `stream_options.include_usage`: one last chunk with usage, and `usage: null` on all before it. */
  readonly includeUsage: boolean
  /** How many choices were asked for: that many upstream requests. */
  readonly choices: number
  /** Texts that end the answer; upstream has no such field, so they are emulated. */
  readonly stop: readonly string[]
  /** The request used `functions`: the answer uses `function_call`. */
  readonly legacyFunctions: boolean
  /** The request declared a custom tool, so its client knows the form of their calls. */
  readonly knowsCustomCalls: boolean
  /** `response_format` asked for JSON: nothing but that JSON may reach `content`. */
  readonly jsonOutput: boolean
  /** Whether reasoning summaries are shown as `reasoning_content`. */
  readonly showReasoning: boolean
  /** Fields that were asked for and had no effect; reported in `x-codex-proxy-ignored`. */
  readonly ignored: readonly string[]
}

/** What the converter may know of a model from the live catalogue. */
export type CatalogueModel = {
  readonly id: string
  readonly efforts: readonly string[]
  readonly usesResponsesLite: boolean
  /** Whether a summary of its reasoning may be asked for. */
  readonly takesSummary: boolean
}

/** What conversion depends on besides the body; all of it plain data, so that conversion stays pure. */
export type ConversionContext = {
  /** Refuse what would be ignored. */
  readonly strict: boolean
  /** Ask for reasoning summaries (`reasoning.summary: "auto"`) and show them. */
  readonly reasoningSummary: boolean
  /** Models of the live catalogue; empty when it is not known. */
  readonly catalogue: readonly CatalogueModel[]
  /** A value of the body as JSON, the same after a restart: digests stand for data that was cut out of the body. */
  readonly stableJson: (value: unknown) => string
  /** Reasoning items that preceded this tool call in an earlier answer, or undefined. */
  readonly recallReasoning: (call: ToolCall) => readonly JsonObject[] | undefined
}

/** A body for `POST /responses` of the ChatGPT backend. Key order is fixed: the prompt cache depends on the bytes. */
export type ResponsesRequest = JsonObject & {
  model: string
  instructions?: string
  input: JsonObject[]
  prompt_cache_key?: string | undefined
  store: false
  stream: true
}
