import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { ProxyError } from '../../errors.ts'
import { hasTooManyValues, MOST_VALUES } from '../../json-text.ts'
import { freeMemory, unpooledBuffer } from '../../runtime/buffers.ts'
import { type CutText, extractLargeStrings } from './large-strings.ts'
import { withinDepth } from './within-depth.ts'

/** Bodies up to this size are simply parsed. */
const SMALL = 64 * 1024
/** How much of the beginning and end of cut-out data identifies it: hashing ten megabytes would take 6 ms. */
const SAMPLE = 64 * 1024
/** Pieces are no larger than this, so that the transport may copy one. */
const LARGEST_PIECE = 256 * 1024

const BYTE_ORDER_MARK = '\ufeff'

export type LargeJson = {
  /** The parsed body; large data URLs have a placeholder after their comma. */
  readonly value: unknown
  /** The JSON of a value made from it, with the data in place of the placeholders. The bytes are not copied. */
  readonly write: (value: unknown) => Buffer[]
  /** The JSON of a value made from it, with digests in place of placeholders: the same after a restart. */
  readonly stableJson: (value: unknown) => string
  /** The memory that all written pieces are views of; it grows with each call of `write`. */
  readonly memory: readonly Buffer[]
}

/**
 * Parses a body without decoding the large data URLs in it: they are only passed on, and as JavaScript strings they
 * would cost several times their size. `placeholder` marks the cut places; no client can guess it. The body is taken over:
 * nobody else may look at it any more.
 */
export function parseLargeJson(raw: Buffer, placeholder: string): LargeJson {
  const cut = raw.length <= SMALL ? undefined : extractLargeStrings(raw, placeholder)
  const value = parse(cut?.text ?? raw, raw)
  const memory: Buffer[] = []
  const own = (text: string) => {
    const bytes = unpooledBuffer(text)
    memory.push(bytes)
    return bytes
  }
  if (cut !== undefined && cut.payloads.length > 0) {
    memory.push(raw)
    return {
      value,
      write: (changed) => restore(stringify(changed), cut, own),
      stableJson: (changed) => withDigests(stringify(changed), cut),
      memory,
    }
  }
  freeMemory(raw)
  return { value, write: (changed) => [own(stringify(changed))], stableJson: stringify, memory }
}

/** `json` is the `body` that the client sent, or what is left of it when large data are cut out. */
function parse(json: Buffer, body: Buffer): unknown {
  if (json.length === 0) throw new ProxyError('invalid_json', 'The body is empty.')
  if (!isUtf8(json)) throw new ProxyError('invalid_json', 'The body is not valid UTF-8.')
  refuseTooManyValues(json)
  // Windows PowerShell begins files with it. RFC 8259 §8.1 lets it be ignored.
  const text = json.toString('utf8')
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
  } catch (error) {
    // The place of the fault has to be the one in the body.
    if (json !== body) return parse(body, body)
    // A copy of the body, which is private, may be in the parser's message: that stays in the cause.
    throw new ProxyError('invalid_json', `The body is not valid JSON${faultIn(error)}.`, { cause: error })
  }
}

/** The parser's messages that quote nothing of the text; only those tell a position. */
const FAULT = /^[\w ',:\]}-]+ JSON (?:at position \d+(?: \(line \d+ column \d+\))?|input)$/

function faultIn(error: unknown): string {
  const fault = error instanceof Error ? FAULT.exec(error.message)?.[0] : undefined
  return fault === undefined ? '' : `: ${fault}`
}

/** Throws `too_many_values`. */
export function refuseTooManyValues(raw: Buffer): void {
  if (!hasTooManyValues(raw)) return
  throw new ProxyError('too_many_values', `The body has more than ${MOST_VALUES} JSON values.`)
}

/**
 * Half a character, as at the end of a text that a client has cut within an emoji. Whole ones are written literally, so
 * each such escape is a half; a backslash before it may be part of the text.
 */
const HALVES = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

/** Puts U+FFFD in place of half characters, for which upstream refuses the whole body (docs/upstream.md 4.5). */
function stringify(value: unknown): string {
  const json = withinDepth(() => JSON.stringify(value))
  return json.includes('\\ud') ? json.replace(HALVES, '$1\\ufffd') : json
}

function restore(json: string, cut: CutText, own: (text: string) => Buffer): Buffer[] {
  const pieces: Buffer[] = []
  let from = 0
  for (const { 0: found, 1: number, index } of json.matchAll(cut.placeholders)) {
    const payload = cut.payloads[Number(number)]
    if (payload === undefined) continue
    pieces.push(own(json.slice(from, index)), ...sliced(payload))
    from = index + found.length
  }
  pieces.push(own(json.slice(from)))
  return pieces
}

function withDigests(json: string, { placeholders, payloads }: CutText): string {
  return json.replace(placeholders, (found, number: string) => {
    const payload = payloads[Number(number)]
    return payload === undefined ? found : digestOf(payload)
  })
}

function digestOf(payload: Buffer): string {
  const ends = createHash('sha256').update(payload.subarray(0, SAMPLE)).update(payload.subarray(-SAMPLE))
  return `${payload.length}:${ends.digest('hex')}`
}

function sliced(payload: Buffer): Buffer[] {
  const count = Math.ceil(payload.length / LARGEST_PIECE)
  return Array.from({ length: count }, (_, index) =>
    payload.subarray(index * LARGEST_PIECE, (index + 1) * LARGEST_PIECE),
  )
}
