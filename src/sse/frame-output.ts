import { BufferPool } from './buffer-pool.ts'

/** Room before and after the frames, for the framing of an HTTP chunk. */
const ROOM_BEFORE = 16
const ROOM_AFTER = 16
/** The smallest piece of memory: enough for one event, which is what most writes hold. */
const LEAST_ROOM = 1024
/** Up to this length a loop copies faster than a call that leaves JavaScript. */
const SHORT = 48

const NOTHING: Buffer = Buffer.alloc(0)

/** Larger memory comes in reused pieces of one size, which holds the events of a whole socket read. */
const SMALL = 4096
const PIECE = 96 * 1024
const pieces = new BufferPool(8)

function room(bytes: number): Buffer {
  if (bytes <= SMALL) return Buffer.allocUnsafe(Math.max(bytes, LEAST_ROOM))
  return bytes > PIECE ? Buffer.allocUnsafeSlow(bytes) : pieces.take(PIECE)
}

/** Nobody reads these taken bytes any more: their memory may be reused. */
export function reuse({ buffer }: Buffer): void {
  if (buffer.byteLength === PIECE) pieces.release(Buffer.from(buffer))
}

/**
 * Frames for a client, assembled as bytes in one piece of memory that is written directly. As strings they would be
 * joined, flattened and encoded: three times the memory and garbage collection (docs/performance.md).
 */
export class FrameOutput {
  #memory: Buffer = NOTHING
  #end = ROOM_BEFORE

  /** How many bytes have been put in since the last `take`. */
  get length(): number {
    return this.#end - ROOM_BEFORE
  }

  /** Makes room for so many bytes at once. What holds something at least doubles, so that all of it is rarely copied. */
  expect(bytes: number): void {
    const needed = this.#end + bytes + ROOM_AFTER
    if (needed <= this.#memory.length) return
    this.#moveTo(room(this.length === 0 ? needed : Math.max(needed, 2 * this.#memory.length)))
  }

  /** Releases unused room, since it may be long until the next `take`. */
  settle(): void {
    if (this.length === 0) this.#moveTo(NOTHING)
    else if (this.#memory.length > 2 * this.#end) this.#moveTo(Buffer.allocUnsafeSlow(this.#end + ROOM_AFTER))
  }

  text(text: string): void {
    this.expect(Buffer.byteLength(text))
    this.#end += this.#memory.write(text, this.#end)
  }

  bytes(bytes: Uint8Array): void {
    this.expect(bytes.length)
    this.#memory.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** The bytes of `memory` from `start` to `end`. */
  range(memory: Buffer, start: number, end: number): void {
    this.expect(end - start)
    const into = this.#memory
    if (end - start > SHORT) memory.copy(into, this.#end, start, end)
    else for (let at = start, to = this.#end; at < end; at++, to++) into[to] = memory[at] ?? 0
    this.#end += end - start
  }

  /** Forgets what has been put in. */
  clear(): void {
    this.#end = ROOM_BEFORE
  }

  /** Everything put in so far, with these short ASCII texts before and after it; empties the output. */
  take(before = '', after = ''): Buffer {
    const start = ROOM_BEFORE - before.length
    this.expect(0)
    this.#memory.write(before, start)
    this.#memory.write(after, this.#end)
    const taken = this.#memory.subarray(start, this.#end + after.length)
    this.#memory = NOTHING
    this.clear()
    return taken
  }

  #moveTo(memory: Buffer): void {
    if (this.length > 0) this.#memory.copy(memory, ROOM_BEFORE, ROOM_BEFORE, this.#end)
    reuse(this.#memory)
    this.#memory = memory
  }
}
