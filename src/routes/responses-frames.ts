import { isPrelude, isTerminal } from '../conversion/event-types.ts'
import { asObject, asString } from '../conversion/json.ts'
import { READ_OF_RESPONSE } from '../conversion/response-fields.ts'
import { fillOutput, hasOutput } from '../conversion/responses-collector.ts'
import { type AnswerHead, eventError, NO_HEAD } from '../conversion/upstream-error.ts'
import { type ChatUsage, chatUsage } from '../conversion/usage.ts'
import type { ApiError } from '../errors.ts'
import { frameJson, leanFrameJson } from '../sse/event.ts'
import type { FrameSink } from '../sse/frame-reader.ts'
import { namedFrame } from '../sse/frames.ts'

/** The usual forms; a frame of another form (ids, comments, several lines of data) is parsed to be known. */
const EVENT_TYPE = /^(?:event: ?([^\n]+)\n)?(?:data: ?\{"type":"([^"]+)")?/

/**
 * Frames of a Responses stream on their way through, latin1 text. They stay as they are, but that vendor events are
 * left out and a terminal event with an empty `output` gets the items that were streamed (docs/upstream.md 5.1).
 */
export class ResponsesFrames implements FrameSink {
  /** Parsed only if the terminal event leaves its output to them. */
  readonly #doneFrames: string[] = []
  #out = ''
  #visible = false
  #ended = false
  #usage: ChatUsage | undefined
  #error: ApiError | undefined
  readonly #head: AnswerHead

  constructor(head = NO_HEAD) {
    this.#head = head
  }

  /** Something a client can see has come: the 200 may be sent. */
  get visible(): boolean {
    return this.#visible
  }

  get ended(): boolean {
    return this.#ended
  }

  get usage(): ChatUsage | undefined {
    return this.#usage
  }

  /** The failure that a late terminal event told; the client has got that event. */
  get error(): ApiError | undefined {
    return this.#error
  }

  /** What there is to pass on since the last call. */
  drain(): string {
    const out = this.#out
    this.#out = ''
    return out
  }

  /** Throws the failure itself while nothing was visible, so that it keeps its HTTP status. */
  take(text: string, from: number, to: number): void {
    let copied = from
    let at = from
    while (at < to && !this.#ended) {
      const end = text.indexOf('\n\n', at) + 2
      const replacement = this.#look(text, at, end - 2)
      if (replacement !== undefined) {
        this.#out += text.slice(copied, at) + replacement
        copied = end
      }
      at = end
    }
    this.#out += text.slice(copied, at)
  }

  /** What to send in place of a frame; undefined to leave it as it is. */
  #look(text: string, from: number, to: number): string | undefined {
    if (isNamedDelta(text, from)) {
      this.#visible = true
      return undefined
    }
    const frame = text.slice(from, to)
    const [, name, dataType] = EVENT_TYPE.exec(frame) ?? []
    const type = name ?? dataType ?? asString(asObject(frameJson(frame))?.type)
    if (type === undefined) return undefined
    if (type.startsWith('codex.')) return ''
    if (isPrelude(type)) return undefined
    if (isTerminal(type)) return this.#terminal(type, frame)
    this.#visible = true
    if (type === 'response.output_item.done') this.#doneFrames.push(frame)
    return undefined
  }

  #terminal(type: string, frame: string): string | undefined {
    const event = leanFrameJson(frame, READ_OF_RESPONSE)
    this.#ended = true
    this.#error = eventError(event, 'responses', this.#head)
    if (this.#error !== undefined && !this.#visible) throw this.#error
    this.#visible = true
    this.#usage = chatUsage(event)
    if (hasOutput(event)) return undefined
    const whole = frameJson(frame)
    const filled = fillOutput(whole, () => this.#doneFrames.map(frameJson))
    return filled === whole ? undefined : namedFrame(type, filled)
  }
}

/** `event: response.….delta`: the bulk of every stream, passed on after a look at its name alone. */
function isNamedDelta(text: string, at: number): boolean {
  const lineEnd = text.indexOf('\n', at)
  // Substrings, not `startsWith`: see `chat-frames.ts`.
  return text.substring(lineEnd - 6, lineEnd) === '.delta' && text.substring(at, at + 12) === 'event: respo'
}
