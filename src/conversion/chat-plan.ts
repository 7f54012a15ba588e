/**
 * What the answer to one Chat request must look like: everything that the answer side needs to know about the request.
 */
export type ChatPlan = {
  /** The model as the client named it: for the log, and for an answer in which upstream names none. */
  readonly model: string
  readonly stream: boolean
  /** `stream_options.include_usage`: one last chunk with usage, and `usage: null` on all before it. */
  readonly includeUsage: boolean
  /** The number of choices requested, each its own upstream request. */
  readonly choices: number
  /** Texts that end the answer; upstream has no such field, so they are emulated. */
  readonly stop: readonly string[]
  /** The request used `functions`: the answer uses `function_call`. */
  readonly legacyFunctions: boolean
  /** The request declared a custom tool, so its client knows what custom calls look like. */
  readonly knowsCustomCalls: boolean
  /** `response_format` asked for JSON: nothing but that JSON may reach `content`. */
  readonly jsonOutput: boolean
  /** Whether reasoning summaries are shown as `reasoning_content`. */
  readonly showReasoning: boolean
  /** Fields that were asked for and had no effect; reported in `x-codex-proxy-ignored`. */
  readonly ignored: readonly string[]
}
