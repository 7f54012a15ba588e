import type { Logger } from '../telemetry/logger.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'

/** Prompts and answers, for `--log-level debug` only; the start-up log warns that they are recorded. */
export type MessageLog = {
  input(messages: unknown): void
  /** Collects what a stream writes, to be logged when it has finished. */
  frames(text: string): void
  /** `undefined`: what `frames` collected. */
  output(messages?: unknown): void
}

const SILENT: MessageLog = { input() {}, frames() {}, output() {} }

export function openMessageLog(logger: Logger, record: RequestRecord): MessageLog {
  if (!logger.isLevelEnabled('debug')) return SILENT
  const log = logger.child({ name: 'codex_api_proxy.messages' })
  let streamed = ''
  return {
    input: (messages) => log.debug({ requestId: record.id, input: messages }, 'input messages'),
    frames(text) {
      streamed += text
    },
    output: (messages) =>
      log.debug(
        { requestId: record.id, output: messages ?? Buffer.from(streamed, 'latin1').toString() },
        'output messages',
      ),
  }
}
