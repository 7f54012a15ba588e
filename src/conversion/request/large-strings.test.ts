import { expect, test } from 'vitest'
import { extractLargeStrings } from './large-strings.ts'

const PAYLOAD = 'Ab+/'.repeat(20_000)

/** The body with one byte of its large data URL changed; how it begins decides where the machine's words begin. */
function changed(byte: number, at: number, spaces: number): Buffer {
  const raw = Buffer.from(`${' '.repeat(spaces)}["data:image/png;base64,${PAYLOAD}"]`)
  raw[at < 0 ? raw.length - 2 + at : raw.indexOf(PAYLOAD) + at] = byte
  return raw
}

const payloads = (raw: Buffer) => extractLargeStrings(raw, 'prefix').payloads

test('a large data URL of sound base64 is cut out', () => {
  expect(payloads(changed(0x41, 0, 0)).map(String)).toEqual([PAYLOAD])
})

test.each([
  ['a null byte', 0x00],
  ['a line break', 0x0a],
  ['the last control character', 0x1f],
  ['a backslash', 0x5c],
  ['a byte beyond ASCII', 0xc3],
])('%s anywhere in the data leaves it to the parser, which knows whether it is valid', (_name, byte) => {
  for (const spaces of [0, 1, 2, 3]) {
    for (const at of [0, 1, 2, 3, 4, 40_001, -4, -3, -2, -1]) {
      expect(payloads(changed(byte, at, spaces)), `${spaces} spaces, at ${at}`).toEqual([])
    }
  }
})

test('data that is not whole base64 stays where it is mended, and a key where its name is needed', () => {
  expect(payloads(Buffer.from(`["data:image/png;base64,${PAYLOAD}A"]`))).toEqual([])
  for (const space of ['', ' ', '\n\t\r ']) {
    expect(payloads(Buffer.from(`{"data:image/png;base64,${PAYLOAD}"${space}:1}`))).toEqual([])
  }
})

test('only large data is cut out, and only behind the head of its URL', () => {
  const url = (length: number, head: string) => Buffer.from(`["data:${head},${'A'.repeat(length)}"]`)
  expect(payloads(url(60_000, 'image/png;base64'))).toEqual([])
  expect(payloads(url(80_000, 'x'.repeat(300)))).toEqual([])
  expect(payloads(url(80_000, 'x'))).toHaveLength(1)
  const late = `["${'x'.repeat(80_000)}","data:x,AAAA"]`
  expect(payloads(Buffer.from(late))).toEqual([])
})

test('what begins behind an escaped quote is a part of a text, and stays', () => {
  expect(payloads(Buffer.from(`["say \\"data:x,${PAYLOAD}"]`))).toEqual([])
})

test('placeholders look like sound base64, whatever the prefix is', () => {
  for (const prefix of ['', 'a', 'ab', 'abc', 'abcd', 'a-b_c.d']) {
    const { text, placeholders } = extractLargeStrings(changed(0x41, 0, 0), prefix)
    const [found = ''] = String(text).match(placeholders) ?? []
    expect(found).toMatch(/^(?:[A-Za-z0-9]{4})+$/)
    expect(String(text)).toBe(`["data:image/png;base64,${found}"]`)
  }
})
