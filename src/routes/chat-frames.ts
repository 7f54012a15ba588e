import type { ChatStream } from '../conversion/chat-stream.ts'
import type { LiveDelta } from '../conversion/live-delta.ts'
import { READ_OF_RESPONSE } from '../conversion/response-fields.ts'
import { eventName, leanFrameJson, unescaped } from '../sse/event.ts'
import type { FrameSink } from '../sse/frame-reader.ts'
import { dataFrame } from '../sse/frames.ts'
import { closingQuote } from '../sse/json-text.ts'

const DELTA = '"delta":"'
const SEQUENCE = '"sequence_number":'
/** They repeat the text of a part that came in deltas: a long answer is not parsed once more for them. */
const REPEATING = new Set(['response.output_text.done', 'response.content_part.done', 'response.output_item.done'])
/** They say nothing that Chat shows, and the first repeats the whole request (instructions, tools) a second time. */
const SILENT = new Set(['response.in_progress', 'response.content_part.added', 'response.reasoning_summary_part.added'])

const NO_DELTA = { name: '', frame: '' }

/** What was copied is told after so many characters: cut out of its reads it holds all of them in memory. */
const MOST_COPIED = 4096

/** What every delta looks like at the place that is streaming, around its sequence number and its text. */
type DeltaShape = {
  readonly head: string
  readonly middle: string
  /** The chunk it becomes, around the text; and what stands between the texts of two of them. */
  readonly before: string
  readonly after: string
  readonly between: string
  readonly kind: LiveDelta['kind']
}

/**
 * Frames of a Responses stream in, frames of a Chat stream out; both latin1 text.
 *
 * The hot path: a frame that equals the last delta up to its text, but for the sequence number, belongs to the same
 * part, call or reasoning; its text, still escaped, is copied between the halves of a chunk made ready. Everything else
 * is parsed and goes through `ChatStream`. A property test holds the two equal.
 */
export class ChatFrames implements FrameSink {
  readonly #stream: ChatStream
  /** The last frame passed over of each part, for what it repeats; parsed once a citation needs the texts. */
  readonly #repeated = new Map<string, string>()
  #cited = false
  #shape: DeltaShape | undefined
  /** The delta converted last. What it looks like is learnt when another comes: the first is not kept waiting. */
  #last = NO_DELTA
  /** What was copied and `ChatStream` has to know, still escaped. */
  #copied = ''
  #out = ''
  /** The end of the last copied chunk. Held back, it is joined with the beginning of the next: a third of the joining. */
  #owed = ''

  constructor(stream: ChatStream) {
    this.#stream = stream
  }

  /** What has been converted since the last call. */
  drain(): string {
    this.#payOwed()
    const out = this.#out
    this.#out = ''
    return out
  }

  /** Converts whole frames; those after the one that ended the answer are left out. Throws what `ChatStream` throws. */
  take(text: string, from: number, to: number): void {
    let at = from
    while (at < to) {
      const next = this.#copyText(text, at)
      at = next === -1 ? this.#plain(text, at) : next
    }
  }

  /** Where the next frame begins, if the one at `at` has the expected shape and its text is copied; else -1. */
  #copyText(text: string, at: number): number {
    const shape = this.#shape
    if (shape === undefined) return -1
    const sequence = at + shape.head.length
    // Not `startsWith`, which compares character by character and takes five to ten times as long (docs/performance.md).
    if (text.substring(at, sequence) !== shape.head) return -1
    const middle = afterDigits(text, sequence)
    const start = middle + shape.middle.length
    if (text.substring(middle, start) !== shape.middle) return -1
    const quote = closingQuote(text, start)
    const end = text.indexOf('\n\n', start)
    if (quote === -1 || quote > end) return -1
    const copied = text.substring(start, quote)
    if (shape.kind !== 'content' && !this.#mayCopy(shape.kind, copied)) return -1
    this.#out += (this.#owed === '' ? shape.before : shape.between) + copied
    this.#owed = shape.after
    return end + 2
  }

  #payOwed(): void {
    if (this.#owed === '') return
    this.#out += this.#owed
    this.#owed = ''
  }

  #mayCopy(kind: 'arguments' | 'reasoning', text: string): boolean {
    if (text === '') return false
    if (kind === 'reasoning') return !NEWLINE.test(text)
    this.#copied += text
    if (this.#copied.length > MOST_COPIED) this.#tellCopied()
    return true
  }

  /** Where the next frame begins; the one at `from` is converted. */
  #plain(text: string, from: number): number {
    const name = eventName(text, from)
    if (this.#shape === undefined && name === this.#last.name && this.#learn()) {
      const next = this.#copyText(text, from)
      if (next !== -1) return next
    }
    const end = text.indexOf('\n\n', from)
    if (this.#copied !== '') this.#tellCopied()
    if (!this.#stream.ended) this.#handle(name, text.substring(from, end))
    return end + 2
  }

  #tellCopied(): void {
    this.#stream.copied(unescaped(this.#copied))
    this.#copied = ''
  }

  #handle(name: string, frame: string): void {
    if (SILENT.has(name)) return
    if (!this.#cited && frame.includes('"url_citation"')) this.#makeUpForRepeated()
    const part = this.#cited || !REPEATING.has(name) ? undefined : this.#partRepeatedBy(frame)
    if (part !== undefined) {
      this.#repeated.set(part, frame)
      return
    }
    this.#convert(frame)
    this.#shape = undefined
    // Others would keep their read in memory (`ownCopy`), for as long as a model thinks.
    this.#last = name.endsWith('.delta') ? { name, frame } : NO_DELTA
  }

  /** Where a citation stands is counted in the texts before it. */
  #makeUpForRepeated(): void {
    this.#cited = true
    for (const frame of this.#repeated.values()) this.#convert(frame)
    this.#repeated.clear()
  }

  #convert(frame: string): void {
    this.#payOwed()
    const event = leanFrameJson(frame, READ_OF_RESPONSE)
    if (event === undefined) return
    for (const chunk of this.#stream.convert(event)) this.#out += dataFrame(chunk)
  }

  /** The name of a part that has come in deltas, if this is the whole of it or the item of that one part. */
  #partRepeatedBy(frame: string): string | undefined {
    const live = this.#stream.liveText
    if (live === undefined) return undefined
    const part = nameOf(live)
    if (frame.includes(part)) return part
    return live.part === 0 && frame.includes(itemOf(live)) && hasOnePart(frame) ? part : undefined
  }

  /** Whether the frames after the last one may be copied. */
  #learn(): boolean {
    const { name, frame } = this.#last
    const live = this.#stream.liveDelta(name)
    if (live === undefined) return false
    const delta = frame.indexOf(DELTA)
    const prefix = frame.slice(0, delta + DELTA.length)
    // Only a prefix that names event and place tells these deltas from others.
    if (delta === -1 || !prefix.includes(`"type":"${name}"`) || !prefix.includes(nameOf(live))) return false

    const [head, sequence, middle] = splitAtSequence(prefix)
    const chunk = dataFrame(this.#stream.liveChunk(live))
    const quote = chunk.lastIndexOf('""') + 1
    const between = ownCopy(chunk.slice(quote) + chunk.slice(0, quote))
    const border = chunk.length - quote
    this.#last = NO_DELTA
    this.#shape = {
      head: ownCopy(head + sequence),
      middle: ownCopy(middle),
      before: between.slice(border),
      after: between.slice(0, border),
      between,
      kind: live.kind,
    }
    return true
  }
}

/** Latin1 text in memory of its own: what is cut out of a read keeps all of it in memory, for as long as the stream lasts. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** How frames name a place, as the API writes them. Within a text its quotes would be escaped. */
function nameOf({ outputIndex, partField, part }: LiveDelta): string {
  const item = `"output_index":${outputIndex},`
  return partField === undefined ? item : `${item}"${partField}":${part},`
}

/** How the whole item of a part is told. */
function itemOf({ outputIndex }: LiveDelta): string {
  return `"output_index":${outputIndex},"item":{`
}

/** Three things in it have a type: the event, the item and the part. */
function hasOnePart(itemFrame: string): boolean {
  return itemFrame.split('"type":').length === 4
}

/** The prefix before, at and after the digits of its sequence number; upstreams without one have nothing to skip. */
function splitAtSequence(prefix: string): [string, string, string] {
  const at = prefix.indexOf(SEQUENCE)
  if (at === -1) return [prefix.slice(0, -DELTA.length), '', DELTA]
  return [prefix.slice(0, at), SEQUENCE, prefix.slice(afterDigits(prefix, at + SEQUENCE.length))]
}

function afterDigits(text: string, at: number): number {
  let end = at
  for (let code = text.charCodeAt(end); code >= 48 && code <= 57; code = text.charCodeAt(end)) end++
  return end
}

/** Escaped as in JSON; also what only looks like it, an escaped backslash before an n. */
const NEWLINE = /\\(?:n|u000a)/i
