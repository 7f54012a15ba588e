import type { IncomingHttpHeaders } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { parseLargeJson } from '../conversion/request/large-json.ts'
import { objectOf } from '../json-object.ts'
import { isJsonType, mediaTypeOf } from '../media-type.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'
import type { RouteContext } from './context.ts'
import { type MessageLog, openMessageLog } from './message-log.ts'

/**
 * The fields of a JSON body that contain prompts, and those that contain answers. Only these are logged: others may
 * contain secrets, of files or connectors. An event stream, which repeats instructions and tools, is logged completely.
 */
const PROMPTS = ['messages', 'input', 'prompt']
const ANSWERS = ['choices', 'output']

const DECODERS = new Map([
  ['gzip', gunzipSync],
  ['deflate', inflateSync],
  ['br', brotliDecompressSync],
])

/**
 * Logs the messages of forwarded requests, only at debug level. It reads copies of bodies, so that they pass unchanged;
 * for a body without messages it logs only type and size.
 */
export class BodyLog {
  readonly #log: MessageLog
  readonly #placeholder: string
  readonly #limit: number
  #answer: Buffer[] = []
  #bytes = 0
  #headers: IncomingHttpHeaders = {}

  /** Undefined unless the log level is debug. */
  static open({ logger, placeholder, config }: RouteContext, record: RequestRecord): BodyLog | undefined {
    if (!logger.isLevelEnabled('debug')) return undefined
    return new BodyLog(openMessageLog(logger, record), placeholder, config.maxDecodedBody)
  }

  private constructor(log: MessageLog, placeholder: string, limit: number) {
    this.#log = log
    this.#placeholder = placeholder
    this.#limit = limit
  }

  request(body: Buffer, headers: IncomingHttpHeaders): void {
    if (body.length === 0) return
    this.#log.input(this.#messagesIn([body], headers, PROMPTS) ?? description(headers, body.length))
  }

  answerHead(headers: IncomingHttpHeaders): void {
    this.#headers = headers
  }

  /** Files and audio may be large, and are not kept; a stream may never end. */
  answerBytes(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#isTooLong()) this.#answer = []
    else if (isJsonType(this.#headers['content-type']) || isEventStream(this.#headers)) {
      this.#answer.push(Buffer.from(bytes))
    }
  }

  answerEnd(): void {
    const messages = this.#isTooLong() ? undefined : this.#messagesIn(this.#answer, this.#headers, ANSWERS)
    this.#log.output(messages ?? description(this.#headers, this.#bytes))
    this.#answer = []
  }

  #isTooLong(): boolean {
    return this.#bytes > this.#limit
  }

  /** The text of an event stream; of JSON the first of these fields. */
  #messagesIn(pieces: readonly Buffer[], headers: IncomingHttpHeaders, fields: readonly string[]): unknown {
    try {
      const bytes = decoded(Buffer.concat(pieces), headers['content-encoding'], this.#limit)
      if (isEventStream(headers)) return bytes.toString()
      if (!isJsonType(headers['content-type'])) return undefined
      const body = objectOf(parseLargeJson(bytes, this.#placeholder).value)
      return fields.map((name) => body[name]).find((value) => value !== undefined)
    } catch {
      // Cut off, or not what its headers say: not ours to report.
      return undefined
    }
  }
}

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return mediaTypeOf(headers['content-type']) === 'text/event-stream'
}

/** The codings that clients and upstream use; throws for any other. */
function decoded(bytes: Buffer, coding = 'identity', limit: number): Buffer {
  if (coding === 'identity') return bytes
  const decoder = DECODERS.get(coding)
  if (decoder === undefined) throw new Error('This content encoding is not read here.')
  return decoder(bytes, { maxOutputLength: limit })
}

function description(headers: IncomingHttpHeaders, bytes: number): object {
  return { type: headers['content-type'], encoding: headers['content-encoding'], bytes }
}
