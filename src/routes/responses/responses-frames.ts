import { isOfCodex, isPrelude, isTerminal, isVendorEvent } from '../../conversion/answer/event-types.ts'
import { isReadOfResponse } from '../../conversion/answer/response-fields.ts'
import { completedItems, endError, fillOutput, responseOf } from '../../conversion/answer/responses-collector.ts'
import { type ChatUsage, chatUsage } from '../../conversion/answer/usage.ts'
import { type AnswerHead, NO_HEAD } from '../../conversion/failure/upstream-error.ts'
import type { ApiError } from '../../errors.ts'
import { asList, asObject, asString, type JsonObject } from '../../json-object.ts'
import { unpooledCopy } from '../../runtime/buffers.ts'
import { BytePattern, viewOf } from '../../sse/byte-pattern.ts'
import { bytesJson, frameBeginning, frameData, frameJson, leanFrameJson } from '../../sse/event.ts'
import type { FrameOutput } from '../../sse/frame-output.ts'
import { type FrameSink, frameAt, frameEnd, MIXED_LINE_ENDS, withLineFeeds } from '../../sse/frame-reader.ts'
import { namedFrame } from '../../sse/frames.ts'
import { errorFrame, failedEvent, isAsRecorded } from './failure-frames.ts'

/** Matches the usual forms. A frame in another form (ids, comments, several lines, type not first) has to be parsed. */
const EVENT_TYPE = /^(?:event: ?([^\n]+)\n)?(?:data: ?\{"type":"([^"\\]+)")?/

/**
 * The beginnings of the frames that make up most of a stream: these are passed on without a closer look. What counts is
 * the type in the data, not the name before it (docs/upstream.md 5.1).
 */
const DELTAS = new Map(
  [
    'response.output_text.delta',
    'response.reasoning_summary_text.delta',
    'response.reasoning_text.delta',
    'response.function_call_arguments.delta',
    'response.custom_tool_call_input.delta',
  ].map((type) => [type, new BytePattern(Buffer.from(`event: ${type}\ndata: {"type":"${type}"`))]),
)

type Asked = {
  /** The model of the request, used if an answer fails because upstream ends without reporting one. */
  readonly model?: string | undefined
  readonly byCodex?: boolean
}

/**
 * Passes the frames of a Responses stream through. They stay unchanged, except that vendor events are dropped and a
 * terminal event with an incomplete `output` gets the items that were streamed (docs/upstream.md 5.1).
 */
export class ResponsesFrames implements FrameSink {
  /** The frames with whole items; parsed if the terminal event lists fewer, and for what is remembered. */
  readonly #doneFrames: string[] = []
  #doneItems: readonly JsonObject[] | undefined
  #listed: readonly unknown[] = []
  #responseId: string | undefined
  #servedModel: string | undefined
  readonly #out: FrameOutput
  /** How the last delta began: most frames after it begin alike. */
  #usual: BytePattern | undefined
  #visible = false
  #ended = false
  #usage: ChatUsage | undefined
  #error: ApiError | undefined
  /** The number of frames so far: higher than any `sequence_number` so far, since those count from zero. */
  #count = 0
  /** `response.created`, which is repeated if the answer fails later. */
  #created: Buffer | undefined
  readonly #asked: Asked
  readonly #head: AnswerHead

  constructor(out: FrameOutput, asked: Asked = {}, head = NO_HEAD) {
    this.#out = out
    this.#asked = asked
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

  /** The model that has answered, as upstream calls it. */
  get servedModel(): string | undefined {
    return this.#servedModel
  }

  /** The failure in the terminal event, when the client has got that event. */
  get error(): ApiError | undefined {
    return this.#error
  }

  /** The id of an answer that did not fail. */
  get responseId(): string | undefined {
    return this.#responseId
  }

  /** The items that the client has got, as they were streamed: encrypted parts differ in the last event. */
  get items(): readonly unknown[] {
    const told = this.#done()
    return this.#listed.length > told.length ? this.#listed : told
  }

  /** The frames that tell the client that the answer failed after everything that has arrived of it. */
  failure(error: ApiError): string {
    return errorFrame(error, this.#count) + this.#failed(this.#failedEvent(error))
  }

  /** Throws a failure that arrives before anything visible, so that it keeps its HTTP status. */
  take(memory: Buffer, ranges: readonly number[]): void {
    const view = viewOf(memory)
    this.#out.expect(memory.length)
    for (let i = 0; i + 1 < ranges.length; i += 2) this.#pass(memory, view, ranges[i] ?? 0, ranges[i + 1] ?? 0)
  }

  #pass(memory: Buffer, view: DataView, from: number, to: number): void {
    let copied = from
    let at = from
    while (at < to && !this.#ended) {
      const usual = this.#usualBeginning(view, at, to)
      const end = frameEnd(memory, at + usual)
      const frame = usual > 0 ? undefined : frameAt(memory, at, end)
      if (end === MIXED_LINE_ENDS || (usual === 0 && frame === undefined)) {
        this.#out.range(memory, copied, at)
        const lines = withLineFeeds(memory.subarray(at, to))
        this.#pass(lines, viewOf(lines), 0, lines.length)
        return
      }
      const replacement = frame && this.#look(frame)
      if (replacement !== undefined) {
        this.#out.range(memory, copied, at)
        this.#out.text(replacement)
        copied = end + 2
      }
      at = end + 2
      this.#count++
    }
    this.#out.range(memory, copied, at)
  }

  /** The length of the usual beginning, if the frame at `at` has it; else 0. */
  #usualBeginning(view: DataView, at: number, to: number): number {
    const usual = this.#usual
    return usual !== undefined && at + usual.length <= to && usual.isAt(view, at) ? usual.length : 0
  }

  /** What to send instead of a frame; undefined to leave it unchanged. */
  #look(frame: Buffer): string | undefined {
    const beginning = frameBeginning(frame)
    const [, name, dataType] = EVENT_TYPE.exec(beginning) ?? []
    if (dataType === undefined && isDone(frame)) return ''
    const type = dataType ?? asString(asObject(bytesJson(frame))?.type) ?? name
    if (type === undefined) return undefined
    if (isVendorEvent(type) || (isOfCodex(type) && this.#asked.byCodex !== true)) return ''
    if (isPrelude(type)) {
      if (type === 'response.created') this.#created = unpooledCopy([frame])
      return undefined
    }
    if (isTerminal(type)) return this.#terminal(type, frame)
    this.#visible = true
    this.#usual = DELTAS.get(type) ?? this.#usual
    if (type === 'response.output_item.done') this.#doneFrames.push(frame.toString('utf8'))
    return undefined
  }

  #terminal(type: string, frame: Buffer): string | undefined {
    const event = leanFrameJson(frame, isReadOfResponse)
    // Clients would stop there, or fail on it.
    if (event === undefined) return ''
    this.#ended = true
    this.#error = endError(event, this.#head)
    if (this.#error !== undefined && !this.#visible) throw this.#error
    this.#visible = true
    this.#usage = chatUsage(event)
    const response = responseOf(event)
    this.#servedModel = asString(response?.model)
    if (this.#error !== undefined) return this.#failing(this.#error, type, event, frame)
    this.#responseId = asString(response?.id)
    this.#listed = asList(response?.output)
    if (this.#listed.length > 0 && this.#listed.length >= this.#doneFrames.length) return undefined
    const whole = bytesJson(frame)
    const filled = this.#filled(whole)
    return filled === whole ? undefined : namedFrame(type, filled)
  }

  /**
   * The API reports a failure by an `error` event first (recorded: `resp-failed-quota-stream`), the ChatGPT backend may
   * not. The official clients throw only on that event, and programs built on them take half an answer for a whole one.
   */
  #failing(failure: ApiError, type: string, event: unknown, frame: Buffer): string {
    const isError = type === 'error'
    const error = isError && isAsRecorded(event) ? `${frame.toString('utf8')}\n\n` : errorFrame(failure, this.#count)
    const hasResponse = !isError && responseOf(event) !== undefined
    return error + this.#failed(hasResponse ? bytesJson(frame) : this.#failedEvent(failure))
  }

  #failedEvent(error: ApiError): object {
    const begun = this.#created && responseOf(bytesJson(this.#created))
    return failedEvent(error, begun, this.#asked.model)
  }

  /**
   * Codex reads a failure only from this event: without it, it takes the answer for cut off, and asks five more times
   * for what is refused (docs/upstream.md 5.2).
   */
  #failed(event: unknown): string {
    // It may have arrived as `response.completed` with a failed status, which clients would take for success.
    const failed = { ...asObject(this.#filled(event)), type: 'response.failed', sequence_number: this.#count + 1 }
    return namedFrame(failed.type, failed)
  }

  #filled(event: unknown): unknown {
    return fillOutput(event, this.#done())
  }

  /** Parsed once, when no more of them arrive. */
  #done(): readonly JsonObject[] {
    this.#doneItems ??= completedItems(this.#doneFrames.map(frameJson))
    return this.#doneItems
  }
}

/** Dropped: clients stop reading there, and would take an answer without its last event for complete (case 166). */
function isDone(frame: Buffer): boolean {
  return frameData(frame.toString('utf8')) === '[DONE]'
}
