import type { ChatStream } from '../../conversion/answer/chat-stream.ts'
import type { LiveDelta } from '../../conversion/answer/live-delta.ts'
import { isReadOfResponse } from '../../conversion/answer/response-fields.ts'
import { closingQuote, endsObject } from '../../json-text.ts'
import { unpooledBuffer } from '../../runtime/buffers.ts'
import { BytePattern, viewOf } from '../../sse/byte-pattern.ts'
import { eventName, leanFrameJson, unescaped } from '../../sse/event.ts'
import type { FrameOutput } from '../../sse/frame-output.ts'
import { type FrameSink, frameAt, frameEnd, withLineFeeds } from '../../sse/frame-reader.ts'
import { dataFrame, LINE_ENDS } from '../../sse/frames.ts'

const DELTA = '"delta":"'
const SEQUENCE = '"sequence_number":'
/** After the first event these show a Chat client nothing; one repeats the whole request (instructions, tools). */
const SILENT = new Set(['response.in_progress', 'response.content_part.added', 'response.reasoning_summary_part.added'])

const NO_DELTA = { name: '', frame: '' }

/** How much Node reads from a socket at once, in bytes. */
const MOST_READ = 64 * 1024

/** After this many copied characters `ChatStream` is given them, so that they do not pile up. */
const MOST_COPIED = 4096

/** What every delta looks like at the position that is streaming, around its sequence number and its text. */
type DeltaShape = {
  readonly head: BytePattern
  readonly middle: BytePattern
  /** The chunk it becomes, around the text; and the bytes between the texts of two chunks. */
  readonly before: Buffer
  readonly after: Buffer
  readonly between: Buffer
  readonly kind: LiveDelta['kind']
}

/**
 * Frames of a Responses stream in, frames of a Chat stream out.
 *
 * The hot path works on bytes: a frame that equals the last delta up to its text, except for the sequence number,
 * belongs to the same part, call or reasoning; its text, still escaped, is copied between the halves of a prepared
 * chunk. Everything else is parsed and goes through `ChatStream`. A property test checks that both give the same
 * result.
 */
export class ChatFrames implements FrameSink {
  readonly #stream: ChatStream
  readonly #out: FrameOutput
  #shape: DeltaShape | undefined
  /** The delta converted last. Its shape is learnt when another one arrives, so that the first need not wait for it. */
  #last = NO_DELTA
  /** Copied text that `ChatStream` must still be given, in its escaped form. */
  #copied = ''
  /** The end of the last copied chunk, which is written together with the beginning of the next one. */
  #owed: Buffer | undefined

  constructor(stream: ChatStream, out: FrameOutput) {
    this.#stream = stream
    this.#out = out
  }

  /** Converts whole frames; those after the one that ended the answer are dropped. Throws what `ChatStream` throws. */
  take(memory: Buffer, ranges: readonly number[]): void {
    const view = viewOf(memory)
    // A chunk is a bit longer than its event. If the memory is larger than one read, it holds one long event, which
    // gives a short chunk.
    const read = Math.min(memory.length, MOST_READ)
    this.#out.expect(read + (read >> 2))
    for (let i = 0; i + 1 < ranges.length; i += 2) {
      const to = ranges[i + 1] ?? 0
      for (let at = ranges[i] ?? 0; at < to; ) {
        const next = this.#copyText(memory, view, at, to)
        at = next === -1 ? this.#plain(memory, view, at, to) : next
      }
    }
    this.#payOwed()
  }

  /** Where the next frame begins, if the one at `at` has the expected shape and its text was copied; else -1. */
  #copyText(memory: Buffer, view: DataView, at: number, to: number): number {
    const shape = this.#shape
    if (shape === undefined) return -1
    const sequence = at + shape.head.length
    if (sequence > to || !shape.head.isAt(view, at)) return -1
    const middle = afterDigits(memory, sequence)
    const start = middle + shape.middle.length
    if (start > to || !shape.middle.isAt(view, middle)) return -1
    const quote = closingQuote(memory, start)
    const end = frameEnd(memory, start)
    if (quote === -1 || quote > end || !endsObject(memory, quote + 1, end)) return -1
    const mayCopy =
      shape.kind === 'content'
        ? mayCopyContent(memory, start, quote)
        : this.#mayCopy(shape.kind, memory.toString('utf8', start, quote))
    if (!mayCopy) return -1
    this.#out.bytes(this.#owed === undefined ? shape.before : shape.between)
    this.#out.range(memory, start, quote)
    this.#owed = shape.after
    return end + 2
  }

  #payOwed(): void {
    if (this.#owed === undefined) return
    this.#out.bytes(this.#owed)
    this.#owed = undefined
  }

  #mayCopy(kind: 'arguments' | 'reasoning', text: string): boolean {
    if (text === '' || LINE_ENDS.test(text)) return false
    if (kind === 'reasoning') return !NEWLINE.test(text)
    this.#copied += text
    if (this.#copied.length > MOST_COPIED) this.#tellCopied()
    return true
  }

  /** Where the next frame begins; the one at `from` is converted. */
  #plain(memory: Buffer, view: DataView, from: number, to: number): number {
    const end = frameEnd(memory, from)
    const frame = frameAt(memory, from, end)
    if (frame === undefined) {
      const lines = withLineFeeds(memory.subarray(from, to))
      this.take(lines, [0, lines.length])
      return to
    }
    const name = eventName(frame)
    if (this.#shape === undefined && name === this.#last.name && this.#learn()) {
      const next = this.#copyText(memory, view, from, to)
      if (next !== -1) return next
    }
    this.#payOwed()
    if (this.#copied !== '') this.#tellCopied()
    if (!this.#stream.ended) this.#handle(name, frame)
    return end + 2
  }

  #tellCopied(): void {
    this.#stream.copied(unescaped(this.#copied))
    this.#copied = ''
  }

  #handle(name: string, frame: Buffer): void {
    if (SILENT.has(name) && this.#stream.headKnown && isOfType(name, frame)) return
    this.#convert(frame)
    this.#shape = undefined
    this.#last = name.endsWith('.delta') ? { name, frame: frame.toString('utf8') } : NO_DELTA
  }

  #convert(frame: Buffer): void {
    for (const chunk of this.#stream.convert(leanFrameJson(frame, isReadOfResponse))) this.#out.text(dataFrame(chunk))
  }

  /** Whether the frames after the last one may be copied. */
  #learn(): boolean {
    const { name, frame } = this.#last
    const live = this.#stream.liveDelta(name)
    if (live === undefined) return false
    const delta = frame.indexOf(DELTA)
    const prefix = frame.slice(0, delta + DELTA.length)
    // Only a prefix that names event and position distinguishes these deltas from others.
    if (delta === -1 || !prefix.includes(`"type":"${name}"`) || !prefix.includes(nameOf(live))) return false
    // A nested member may have the same name.
    if (prefix.indexOf('{') !== prefix.lastIndexOf('{')) return false

    const [head, sequence, rest] = splitAtSequence(prefix)
    const chunk = dataFrame(this.#stream.liveChunk(live))
    const quote = chunk.lastIndexOf('""') + 1
    const between = unpooledBuffer(chunk.slice(quote) + chunk.slice(0, quote))
    const border = Buffer.byteLength(chunk.slice(quote))
    this.#last = NO_DELTA
    this.#shape = {
      head: new BytePattern(Buffer.from(head + sequence)),
      middle: new BytePattern(Buffer.from(rest)),
      before: between.subarray(border),
      after: between.subarray(0, border),
      between,
      kind: live.kind,
    }
    return true
  }
}

/** Whether the frame's event has this name as its type too, since only the type counts. */
function isOfType(name: string, frame: Buffer): boolean {
  const beginning = `event: ${name}\ndata: {"type":"${name}",`
  return frame.toString('latin1', 0, beginning.length) === beginning
}

/** How frames name a position, as the API writes them. Within a text its quotes would be escaped. */
function nameOf({ outputIndex, partField, part }: LiveDelta): string {
  const item = `"output_index":${outputIndex},`
  return partField === undefined ? item : `${item}"${partField}":${part},`
}

/** The prefix before, at and after the digits of its sequence number; upstreams without one have nothing to skip. */
function splitAtSequence(prefix: string): [string, string, string] {
  const at = prefix.indexOf(SEQUENCE)
  if (at === -1) return [prefix.slice(0, -DELTA.length), '', DELTA]
  return [prefix.slice(0, at), SEQUENCE, prefix.slice(at + SEQUENCE.length).replace(/^\d+/, '')]
}

function afterDigits(memory: Buffer, at: number): number {
  let end = at
  for (let code = memory[end] ?? 0; code >= 48 && code <= 57; code = memory[end] ?? 0) end++
  return end
}

/** Text that may contain a citation marker or the end of a line must not be copied. Usually its bytes tell that. */
function mayCopyContent(memory: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = memory[at] ?? 0
    // ASCII first: most text is.
    if (byte < 0x80 ? byte === BACKSLASH : byte === FIRST_OF_MARKER || beginsLineEnd(memory, at)) {
      return !UNCOPIED.test(memory.toString('utf8', start, end))
    }
  }
  return true
}

/** Whether a character of `LINE_ENDS` begins here, in UTF-8. */
function beginsLineEnd(memory: Buffer, at: number): boolean {
  if (memory[at] === 0xc2) return memory[at + 1] === 0x85
  return memory[at] === 0xe2 && memory[at + 1] === 0x80 && (memory[at + 2] === 0xa8 || memory[at + 2] === 0xa9)
}

const FIRST_OF_MARKER = 0xee
const BACKSLASH = 0x5c
/** The first character of a marker, escaped or not. */
const MARKER = /\uE200|\\u[eE]200/
const UNCOPIED = new RegExp(`${MARKER.source}|${LINE_ENDS.source}`)

/** An escaped newline, or what only looks like one: an escaped backslash before an n. */
const NEWLINE = /\\(?:n|u000a)/i
