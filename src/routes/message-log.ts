import type { Logger } from '../telemetry/logger.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'

/** Prompts and answers, for `--log-level debug` only; the start-up log warns that they are recorded. */
export type MessageLog = {
  /** `instructions`: the converted system messages. */
  input(messages: unknown, instructions?: string): void
  /** Collects what a stream sends, for logging at its end. Undefined unless the log level is debug. */
  readonly sent?: (bytes: Buffer) => void
  /** Without `messages`, logs what `sent` has collected. */
  output(messages?: unknown): void
}

const SILENT: MessageLog = { input() {}, output() {} }

export function openMessageLog(logger: Logger, record: RequestRecord): MessageLog {
  if (!logger.isLevelEnabled('debug')) return SILENT
  const log = logger.child({ name: 'codex_api_proxy.messages' })
  const streamed: Buffer[] = []
  return {
    input: (messages, instructions) =>
      log.debug({ requestId: record.id, instructions, input: messages }, 'input messages'),
    sent: (bytes) => streamed.push(Buffer.from(bytes)),
    output: (messages) =>
      log.debug({ requestId: record.id, output: messages ?? Buffer.concat(streamed).toString() }, 'output messages'),
  }
}
