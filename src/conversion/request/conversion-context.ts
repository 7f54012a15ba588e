import type { JsonObject } from '../../json-object.ts'
import type { ToolCall } from '../call-key.ts'

/** What the converter needs to know about a model from the live catalogue. */
export type CatalogueModel = {
  readonly id: string
  readonly efforts: readonly string[]
  readonly usesResponsesLite: boolean
  /** Whether a summary of its reasoning may be asked for. */
  readonly takesSummary: boolean
}

/** What conversion depends on besides the body; plain data only, so that conversion stays pure. */
export type ConversionContext = {
  /** Refuse what would be ignored. */
  readonly strict: boolean
  /** Ask for reasoning summaries (`reasoning.summary: "auto"`) and show them. */
  readonly reasoningSummary: boolean
  /** Models of the live catalogue; empty if it is not known. */
  readonly catalogue: readonly CatalogueModel[]
  /** A value of the body as JSON, the same after a restart: digests replace data that was cut out of the body. */
  readonly stableJson: (value: unknown) => string
  /** Reasoning items that preceded this tool call in an earlier answer, or undefined. */
  readonly recallReasoning: (call: ToolCall) => readonly JsonObject[] | undefined
}
