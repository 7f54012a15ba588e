import type { ZSTDDecoder } from 'zstddec'
import { toApiError } from '../errors.ts'

export class TooLong extends Error {
  override readonly name = 'TooLong'
}

/** Room for input and output in the decoder, whose memory ends at 2 GB. */
const MOST_ROOM = 1024 ** 3
/** No encoder needs more blocks for what fits there; each costs time even if nothing comes out of it. */
const MOST_BLOCKS = 65_536

/**
 * Throws TooLong beyond `limit` decoded bytes, an ApiError if the decoder can't be loaded, and an Error for data that
 * is not zstd.
 *
 * Node 20 has no zstd of its own; few clients send it, so the decoder is made on demand: with 13 MB and 30 ms that is
 * what costs, not loading its module (prepare.ts does). It gets room for exactly what may come out, and keeps the memory
 * of the largest body it has seen.
 */
export async function decodeZstd(body: Buffer, limit: number): Promise<Buffer> {
  const most = mostDecoded(body)
  if (most === 0) return Buffer.alloc(0)
  const room = Math.min(most, limit)
  if (body.length + room > MOST_ROOM) throw new TooLong(`Decoding needs more than ${MOST_ROOM} bytes.`)
  const decoder = await loaded()
  const decoded = decoder.decode(body, room)
  if (decoded.length > 0) return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length)
  // The decoder does not say what failed. If it had less room than the frames may need, that is the likely reason.
  throw most > limit ? new TooLong(`More than ${limit} bytes.`) : new Error('The zstd frames are damaged.')
}

/** The module of the decoder. */
export function loadZstd() {
  return import('zstddec')
}

async function loaded(): Promise<ZSTDDecoder> {
  try {
    const { ZSTDDecoder } = await loadZstd()
    const decoder = new ZSTDDecoder()
    await decoder.init()
    return decoder
  } catch (error) {
    throw toApiError(error)
  }
}

const FRAME_MAGIC = 0xfd2fb528
/** 0x184D2A50 to 0x184D2A5F: frames without content (RFC 8878 §3.1.2). */
const SKIPPABLE_MAGIC = 0x184d2a5
const RLE_BLOCK = 1
const COMPRESSED_BLOCK = 2
const LARGEST_BLOCK = 128 * 1024

/** How many bytes can come out at most, from the headers of frames and blocks alone. Throws when they make no sense. */
function mostDecoded(body: Buffer): number {
  const sum = { bytes: 0, blocks: 0 }
  let at = 0
  while (at < body.length) {
    const magic = body.readUInt32LE(at)
    if (magic >>> 4 === SKIPPABLE_MAGIC) at += 8 + body.readUInt32LE(at + 4)
    else if (magic === FRAME_MAGIC) at = frameEnd(body, at + 4, sum)
    else throw new Error('This is not zstd.')
  }
  if (at > body.length) throw new Error('The zstd frames are cut off.')
  return sum.bytes
}

/** RFC 8878 §3.1.1. */
function frameEnd(body: Buffer, start: number, sum: { bytes: number; blocks: number }): number {
  const descriptor = body.readUInt8(start)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const windowBytes = isSingleSegment ? 0 : 1
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const checksumBytes = (descriptor & 4) === 0 ? 0 : 4

  let at = start + 1 + windowBytes + dictionaryBytes + sizeBytes
  for (let last = false; !last; ) {
    const header = body.readUIntLE(at, 3)
    const [kind, size] = [(header >> 1) & 3, header >> 3]
    at += 3 + (kind === RLE_BLOCK ? 1 : size)
    last = (header & 1) !== 0
    sum.bytes += kind === COMPRESSED_BLOCK ? LARGEST_BLOCK : size
    sum.blocks++
    if (sum.blocks > MOST_BLOCKS) throw new Error('The zstd blocks are too many.')
  }
  return at + checksumBytes
}
