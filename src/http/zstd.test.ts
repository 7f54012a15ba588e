import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeZstd, TooLong } from './zstd.ts'

/** 480 KB, so that blocks refer to earlier ones. */
const text = Array.from({ length: 12_000 }, (_, i) => `{"role":"user","content":"line ${i % 7} of 7"}`).join(',')
/** `zstd -19 --check < text`: content size and checksum in the frame. */
const WITH_SIZE =
  'KLUv/aT/UgcAPAIA5AJ7InJvbGUiOiJ1c2VyIiwiY29udGVudCI6ImxpbmUgMCBvZiA3In0sMTIzNDU2CADl/hsrA3gPKBlQClAeUDKgFFiNKgNUAAAAAQD9/+P/uQYCRAAAAAEA/f85AAJFAAAAAQD8UjkAAjL5QgI='
/** `cat text | zstd --long=27`: a window of 128 MB. */
const LARGE_WINDOW =
  'KLUv/QCIPAIA5AJ7InJvbGUiOiJ1c2VyIiwiY29udGVudCI6ImxpbmUgMCBvZiA3In0sMTIzNDU2CADl/hsrA3gPKBlQClAeUDKgFFiNKgNMAAAAAQD9/xv5AgJMAAAAAQD9/xv5AgJNAAAAAQD8Uhv5AgI='

const LIMIT = 1024 * 1024
const fromBase64 = (given: string) => Buffer.from(given, 'base64')

type Block = { readonly kind: 'raw' | 'rle'; readonly byte: number; readonly length: number }

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** `windowLog` 10 is 1 KB, 17 is 128 KB, 23 is 8 MB. */
function frame(blocks: readonly Block[], windowLog = 17): Buffer {
  const head = Buffer.from([0, (windowLog - 10) << 3])
  return Buffer.concat([MAGIC, head, ...blocks.flatMap((block, i) => encode(block, i === blocks.length - 1))])
}

function encode({ kind, byte, length }: Block, last: boolean): Buffer[] {
  const header = Buffer.alloc(3)
  header.writeUIntLE((length << 3) | (kind === 'rle' ? 2 : 0) | (last ? 1 : 0), 0, 3)
  return [header, Buffer.alloc(kind === 'rle' ? 1 : length, byte)]
}

const content = (blocks: readonly Block[]) =>
  Buffer.concat(blocks.map(({ byte, length }) => Buffer.alloc(length, byte)))

const anyBlock = fc.record({
  kind: fc.constantFrom('raw' as const, 'rle' as const),
  byte: fc.nat(255),
  length: fc.nat(3000),
})

test('what the zstd tool makes is decoded', async () => {
  expect((await decodeZstd(fromBase64(WITH_SIZE), LIMIT)).toString()).toBe(text)
})

test('frames of any blocks, one after the other, are decoded', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyBlock, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      async (frames) => {
        const body = Buffer.concat(frames.map((blocks) => frame(blocks)))
        const expected = Buffer.concat(frames.map(content))
        expect((await decodeZstd(body, LIMIT)).equals(expected)).toBe(true)
      },
    ),
    { numRuns: 40 },
  )
})

const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

test('a skippable frame is skipped', async () => {
  const hello = frame([{ kind: 'raw', byte: 65, length: 30 }])
  expect((await decodeZstd(Buffer.concat([skippable, hello, skippable]), LIMIT)).toString()).toBe('A'.repeat(30))
})

test('a skippable frame that is cut off is not nothing', async () => {
  expect(await decodeZstd(skippable, LIMIT)).toHaveLength(0)
  await expect(decodeZstd(skippable.subarray(0, -1), LIMIT)).rejects.toThrow('cut off')
})

test('JSON that was never encoded is no zstd', async () => {
  await expect(decodeZstd(Buffer.from('{"model":"gpt-5.5","input":"hello"}'), LIMIT)).rejects.toThrow('not zstd')
})

test('an empty body stays empty', async () => {
  expect(await decodeZstd(Buffer.alloc(0), LIMIT)).toHaveLength(0)
})

test('a bomb is given up at the limit', async () => {
  const megabytes = Array.from({ length: 8000 }, () => ({ kind: 'rle', byte: 0, length: 131_072 }) as const)
  await expect(decodeZstd(frame(megabytes), LIMIT)).rejects.toThrow(TooLong)
})

test('what needs more room than the decoder has is too long, whatever the limit', async () => {
  const gigabyte = Array.from({ length: 8192 }, () => ({ kind: 'rle', byte: 0, length: 131_072 }) as const)
  await expect(decodeZstd(frame(gigabyte), 2 * 1024 ** 3)).rejects.toThrow(TooLong)
})

test('exactly the limit is not too long', async () => {
  const body = frame([{ kind: 'rle', byte: 7, length: 100_000 }])
  expect(await decodeZstd(body, 100_000)).toHaveLength(100_000)
  await expect(decodeZstd(body, 99_999)).rejects.toThrow(TooLong)
})

test('a large window costs nothing, since the output is the window', async () => {
  expect((await decodeZstd(fromBase64(LARGE_WINDOW), LIMIT)).toString()).toBe(text)
})

test('a content of 4 GB announced is refused before anything is allocated for it', async () => {
  const body = Buffer.concat([
    MAGIC,
    Buffer.from([0xa0, 0xff, 0xff, 0xff, 0xff]),
    ...encode({ kind: 'raw', byte: 1, length: 9 }, true),
  ])
  await expect(decodeZstd(body, LIMIT)).rejects.toThrow('damaged')
})

test('a body of nothing but block headers is given up', async () => {
  const empty = frame([{ kind: 'raw', byte: 0, length: 0 }], 23)
  await expect(decodeZstd(Buffer.concat(Array.from({ length: 70_000 }, () => empty)), LIMIT)).rejects.toThrow(
    'too many',
  )
})

test('a small body of matches without end is refused at once', async () => {
  // 33,000 sequences, each of which copies 131 KB within a block that may hold 128 KB: decoders that check this too
  // late copy 4 GB.
  const head = Buffer.from([1 << 3, 65, 255, 0x68, 0x01, 0b01010100, 0, 2, 52])
  const sequences = Buffer.alloc(Math.ceil((33_000 * 18 + 1) / 8), 0xff)
  const header = Buffer.alloc(3)
  header.writeUIntLE(((head.length + sequences.length) << 3) | (2 << 1) | 1, 0, 3)
  const body = Buffer.concat([MAGIC, Buffer.from([0, 7 << 3]), header, head, sequences])
  for (const limit of [LIMIT, 128 * 1024]) await expect(decodeZstd(body, limit)).rejects.toThrow('damaged')
})

test('no prefix of a frame passes for the whole', async () => {
  const whole = fromBase64(WITH_SIZE)
  for (let length = 1; length < whole.length; length++) {
    await expect(decodeZstd(whole.subarray(0, length), LIMIT), `${length} bytes`).rejects.toThrow()
  }
})

test('damaged bytes are refused by the checksum or do no harm', async () => {
  const whole = fromBase64(WITH_SIZE)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
      const damaged = Buffer.from(whole)
      damaged[at] = byte
      const outcome = await decodeZstd(damaged, LIMIT).catch((error: unknown) => error)
      expect(outcome instanceof Error || (Buffer.isBuffer(outcome) && outcome.toString() === text)).toBe(true)
    }),
    { numRuns: 300 },
  )
})
