import { isAscii } from 'node:buffer'

/** Data URLs longer than this are cut out. */
const LARGE = 64 * 1024
/** The head of a data URL (media type, `base64`) is kept; it is never longer than this. */
const LONGEST_HEAD = 256
const INDEX_DIGITS = 7
const OPENING = '"data:'
const BACKSLASH = 0x5c
const COLON = 0x3a
/** The URL-safe alphabet, percent-encoding and spaces; other white space is escaped in JSON. */
const FAULTS = ['-', '_', '%', ' ']
const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d])

export type CutText = {
  readonly text: Buffer
  /** Finds placeholders; the group is the number of the payload. */
  readonly placeholders: RegExp
  /** Views of the bytes that were cut out. */
  readonly payloads: readonly Buffer[]
}

/**
 * Cuts the payload of large data URLs out of JSON text. Cuts only what looks exactly right: string values of plain
 * ASCII without escapes. In valid JSON an unescaped `"data:` always opens a string, since only `,`, `:`, a bracket or
 * white space can follow a closing quote; invalid JSON stays invalid, since only bytes between quotes are removed.
 */
export function extractLargeStrings(raw: Buffer, prefix: string): CutText {
  const marker = markerOf(prefix)
  const payloads: Buffer[] = []
  const kept: Buffer[] = []
  let from = 0
  let at = raw.indexOf(OPENING)
  while (at !== -1) {
    const end = raw.indexOf('"', at + OPENING.length)
    if (end === -1) break
    const start = payloadStart(raw, at, end)
    if (start !== undefined) {
      kept.push(raw.subarray(from, start), placeholder(marker, payloads.length))
      payloads.push(raw.subarray(start, end))
      from = end
    }
    at = raw.indexOf(OPENING, end)
  }
  kept.push(raw.subarray(from))
  return {
    text: payloads.length === 0 ? raw : Buffer.concat(kept),
    placeholders: new RegExp(`${marker}(\\d{${INDEX_DIGITS}})`, 'g'),
    payloads,
  }
}

/** Where the payload of the data URL between the quotes at `at` and `end` begins; undefined if it stays. */
function payloadStart(raw: Buffer, at: number, end: number): number | undefined {
  if (end - at <= LARGE || raw[at - 1] === BACKSLASH || isKey(raw, end)) return undefined
  const comma = raw.subarray(at, at + LONGEST_HEAD).indexOf(',')
  if (comma === -1 || !isPlain(raw.subarray(at + 1, end))) return undefined
  const start = at + comma + 1
  return isSound(raw.subarray(start, end)) ? start : undefined
}

/** Whether base64 has none of the faults that `data-url.ts` repairs (case 44); what needs repair is not cut out. */
function isSound(payload: Buffer): boolean {
  return payload.length % 4 === 0 && !FAULTS.some((character) => payload.includes(character))
}

/** Whether a colon follows the string that ends here. */
function isKey(raw: Buffer, end: number): boolean {
  let next = end + 1
  while (WHITESPACE.has(raw[next] ?? -1)) next++
  return raw[next] === COLON
}

/** Whether all bytes are ASCII without control characters and backslashes: then JSON takes them literally. */
function isPlain(bytes: Buffer): boolean {
  return isAscii(bytes) && !bytes.includes(BACKSLASH) && !hasControls(bytes)
}

/** Whether an ASCII byte is below the space; four bytes at a time, since this looks at every byte of large bodies. */
function hasControls(bytes: Buffer): boolean {
  const toAligned = (4 - (bytes.byteOffset % 4)) % 4
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + toAligned, Math.floor((bytes.length - toAligned) / 4))
  const rest = toAligned + words.length * 4
  const isControl = (byte: number) => byte < 0x20
  if (bytes.subarray(0, toAligned).some(isControl) || bytes.subarray(rest).some(isControl)) return true
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? 0
    // Subtracting the space from a smaller byte borrows, which sets the top bit that ASCII leaves clear.
    if (((word - 0x20202020) & ~word & 0x80808080) !== 0) return true
  }
  return false
}

/** Only letters and digits, a multiple of four with the index, so that a placeholder passes for sound base64. */
function markerOf(prefix: string): string {
  const marker = `${prefix.replace(/[^A-Za-z0-9]/g, '')}x`
  const length = Math.ceil((marker.length + INDEX_DIGITS) / 4) * 4 - INDEX_DIGITS
  return marker.padEnd(length, 'x')
}

function placeholder(marker: string, index: number): Buffer {
  return Buffer.from(marker + String(index).padStart(INDEX_DIGITS, '0'))
}
