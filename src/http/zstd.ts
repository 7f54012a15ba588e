import { setImmediate as nextTurn } from 'node:timers/promises'

export class TooLong extends Error {
  override readonly name = 'TooLong'
}

/** The largest window an encoder may use for HTTP (RFC 9659 §3). */
const LARGEST_WINDOW = 8 * 1024 * 1024
/** Compressed bytes between two turns of the event loop. */
const SLICE = 64 * 1024
/**
 * fzstd moves its whole window for every block. Full blocks of 128 KiB with the largest window need 64 bytes moved per
 * decoded byte; far more means a body made of tiny blocks in order to keep us busy.
 */
const MOVED_PER_BYTE = 64
const MOVED_FREE = 1024 ** 3

/** Throws TooLong beyond `limit` decoded bytes, and an Error for anything that is not zstd. */
export async function decodeZstd(body: Buffer, limit: number): Promise<Buffer> {
  // Node 20 has no zstd of its own; few clients send it, so it is loaded when one does.
  const { Decompress } = await import('fzstd')
  const window = largestWindow(body)
  const pieces: Uint8Array[] = []
  let length = 0
  let moved = 0
  const decoder = new Decompress((piece) => {
    length += piece.length
    moved += window
    if (length > limit) throw new TooLong(`More than ${limit} bytes.`)
    if (moved > MOVED_FREE + MOVED_PER_BYTE * length) throw new Error('The zstd blocks are too small.')
    if (piece.length > 0) pieces.push(piece)
  })
  for (let at = 0; at < body.length; at += SLICE) {
    if (at > 0) await nextTurn()
    decoder.push(body.subarray(at, at + SLICE), at + SLICE >= body.length)
  }
  return Buffer.concat(pieces, length)
}

const FRAME_MAGIC = 0xfd2fb528
/** 0x184D2A50 to 0x184D2A5F: frames without content (RFC 8878 §3.1.2). */
const SKIPPABLE_MAGIC = 0x184d2a5
const RLE_BLOCK = 1

/**
 * The largest window any frame of the body asks for. fzstd would allocate up to 2 GB for one, so a larger one than
 * RFC 9659 allows is refused before it sees the body. Reads no more than the frame and block headers.
 */
function largestWindow(body: Buffer): number {
  let largest = 0
  let at = 0
  // Every frame has at least 8 bytes before the first length that is followed.
  while (at < body.length) {
    const magic = body.readUInt32LE(at)
    if (magic >>> 4 === SKIPPABLE_MAGIC) {
      at += 8 + body.readUInt32LE(at + 4)
      continue
    }
    if (magic !== FRAME_MAGIC) throw new Error('This is not zstd.')
    const header = frameHeader(body, at + 4)
    if (header.window > LARGEST_WINDOW) throw new Error('The zstd window is larger than 8 MB (RFC 9659).')
    largest = Math.max(largest, header.window)
    at = blocksEnd(body, header.end) + header.checksumBytes
  }
  return largest
}

/** RFC 8878 §3.1.1.1. */
function frameHeader(body: Buffer, at: number): { window: number; end: number; checksumBytes: number } {
  const descriptor = body.readUInt8(at)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const sizeAt = at + 1 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const window = isSingleSegment ? contentSize(body, sizeAt, sizeBytes) : windowSize(body.readUInt8(at + 1))
  return { window, end: sizeAt + sizeBytes, checksumBytes: (descriptor & 4) !== 0 ? 4 : 0 }
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

function contentSize(body: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(body.readBigUInt64LE(at))
  return body.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

/** Where the block after the last one would begin (RFC 8878 §3.1.1.2). */
function blocksEnd(body: Buffer, start: number): number {
  let at = start
  for (let last = false; !last; ) {
    const header = body.readUIntLE(at, 3)
    const isRle = ((header >> 1) & 3) === RLE_BLOCK
    at += 3 + (isRle ? 1 : header >> 3)
    last = (header & 1) !== 0
  }
  return at
}
