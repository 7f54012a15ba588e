import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { convertChat, refusalOf } from '../../../test/support/converted-requests.ts'
import { isLegible } from '../../../test/support/legible-names.ts'
import { ProxyError } from '../../errors.ts'
import { parseLargeJson } from './large-json.ts'

const PREFIX = '0123456789abcdef01234567'
const PAYLOAD = 'Ab+/'.repeat(20_000)
const LARGE_URL = `data:image/png;base64,${PAYLOAD}`

function parsed(json: string | Buffer) {
  return parseLargeJson(Buffer.from(json), PREFIX)
}

function rewritten(value: object): object {
  return written(JSON.stringify(value)) as object
}

function written(json: string | Buffer, change: (value: unknown) => unknown = (value) => value): unknown {
  const { value, write } = parsed(json)
  return JSON.parse(Buffer.concat(write(change(value))).toString())
}

test('a small body is parsed as it is', () => {
  const { value, write } = parsed('{"url":"data:text/plain,hi"}')
  expect(value).toEqual({ url: 'data:text/plain,hi' })
  expect(write({ a: 'ü' })).toEqual([Buffer.from('{"a":"ü"}')])
})

test.each(['hi', PAYLOAD])('a byte order mark before the body is left out, and only there', (content) => {
  const value = { '\ufeff': `\ufeff data:text/plain,${content}`, url: `data:text/plain,${content}` }
  expect(written(`\ufeff${JSON.stringify(value)}`)).toEqual(value)
})

test('half of a character, where a client has cut an emoji, is written as U+FFFD; all else stays as it is', () => {
  const unit = fc.constantFrom(
    '\ud83d',
    '\ude00',
    '\ud800',
    '\udfff',
    '\\',
    '\\ud83d',
    'ud83d',
    '"',
    'é',
    '\u0000',
    '\ud7ff',
    '\ue000',
  )
  const text = fc.array(unit, { maxLength: 12 }).map((units) => units.join(''))
  fc.assert(
    fc.property(text, text, (name, content) => {
      // In a large body too, where data are put back.
      for (const url of ['', LARGE_URL]) {
        const [written] = Object.entries(rewritten({ [name]: content, url }))
        expect(written).toEqual([Buffer.from(name).toString(), Buffer.from(content).toString()])
      }
    }),
  )
})

test('a large data URL keeps its head and is put back', () => {
  const { value } = parsed(JSON.stringify({ url: LARGE_URL, other: 1 }))
  expect(value).toEqual({ url: expect.stringMatching(/^data:image\/png;base64,[A-Za-z0-9]{32}$/), other: 1 })
  expect(written(JSON.stringify({ url: LARGE_URL }))).toEqual({ url: LARGE_URL })
})

test.each([
  ['the URL-safe alphabet', 'ab-_'.repeat(20_000)],
  ['missing padding', 'A'.repeat(80_002)],
  ['percent-encoding', 'ab%3'.repeat(20_000)],
])('case 44: a large data URL with %s is left for what mends it', (_name, payload) => {
  const url = `data:image/png;base64,${payload}`
  expect(parsed(JSON.stringify({ url })).value).toEqual({ url })
})

test('the data is neither copied nor handed on in large pieces', () => {
  const raw = Buffer.from(JSON.stringify({ url: `data:image/png;base64,${PAYLOAD.repeat(20)}` }))
  const { value, write } = parseLargeJson(raw, PREFIX)
  const pieces = write(value).filter(({ length }) => length > 1000)
  expect(pieces.length).toBeGreaterThan(5)
  expect(pieces.every(({ buffer, length }) => buffer === raw.buffer && length <= 256 * 1024)).toBe(true)
})

test('a large body is freed at once, unless what is written will be a view of it', () => {
  const text = Buffer.from(JSON.stringify({ text: 'a'.repeat(100_000) }))
  expect(parseLargeJson(text, PREFIX).memory).toEqual([])
  expect(text.length).toBe(0)

  const image = Buffer.from(JSON.stringify({ url: LARGE_URL }))
  expect(parseLargeJson(image, PREFIX).memory).toEqual([image])
  expect(image.length).toBeGreaterThan(0)
})

test.each([
  ['text', { text: 'a'.repeat(100_000) }],
  ['an image between texts', { before: 'b'.repeat(100_000), url: LARGE_URL, text: 'a'.repeat(100_000) }],
])('all that is written of %s is known, to be freed', (_name, body) => {
  const { value, write, memory } = parsed(JSON.stringify(body))
  const pieces = [...write(value), ...write(value)]
  expect(pieces.length).toBeGreaterThan(1)
  for (const { buffer } of pieces) expect(memory.map((bytes) => bytes.buffer)).toContain(buffer)
})

test('a placeholder may appear nowhere, several times or inside a longer text', () => {
  const json = JSON.stringify({ url: LARGE_URL })
  expect(written(json, () => ({ nothing: true }))).toEqual({ nothing: true })
  expect(written(json, (value) => [value, value])).toEqual([{ url: LARGE_URL }, { url: LARGE_URL }])
  expect(written(json, (value) => ({ text: JSON.stringify(value) }))).toEqual({ text: json })
})

test('many large strings go back to their own places', () => {
  const urls = Array.from({ length: 12 }, (_, index) => `data:image/png;base64,${String(index % 10).repeat(70_000)}`)
  expect(written(JSON.stringify(urls), (value) => (value as string[]).toReversed())).toEqual(urls.toReversed())
})

test('a converted request is the same whether its images were cut out or not', () => {
  const file = { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PAYLOAD}` } }
  const image = { type: 'image_url', image_url: { url: LARGE_URL, detail: 'high' } }
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
  const messages = [
    { role: 'user', content: [file, image] },
    { role: 'assistant', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'a', content: [image, { type: 'other', blob: LARGE_URL }] },
  ]
  const { value, write, stableJson } = parsed(JSON.stringify(messages))
  const { request } = convertChat({ messages: value }, { stableJson })
  expect(JSON.stringify(request).length).toBeLessThan(2000)
  const { prompt_cache_key } = request
  const whole = { ...convertChat({ messages }).request, prompt_cache_key }
  expect(JSON.parse(Buffer.concat(write(request)).toString())).toEqual(whole)
})

describe('case 182, 184: the stable JSON of a body', () => {
  const stable = (url: string, prefix = PREFIX) => {
    const { value, stableJson } = parseLargeJson(Buffer.from(JSON.stringify({ url })), prefix)
    return stableJson(value)
  }
  const other = 'B'.repeat(100_000)

  test('is the same after a restart', () => {
    expect(stable(LARGE_URL, 'another prefix')).toBe(stable(LARGE_URL))
    expect(stable(LARGE_URL).length).toBeLessThan(200)
  })

  test.each([
    ['begins', LARGE_URL.replace('base64,Ab+/', 'base64,Bb+/')],
    ['ends', LARGE_URL.replace(/....$/, 'Aa+/')],
    ['is long', `${LARGE_URL}Ab+/`],
  ])('tells apart data that %s otherwise', (_how, url) => {
    expect(stable(url)).not.toBe(stable(LARGE_URL))
  })

  test('of small bodies and without data is the JSON itself', () => {
    expect(stable('data:,a')).toBe('{"url":"data:,a"}')
    expect(stable(other)).toBe(`{"url":"${other}"}`)
  })
})

test.each([
  ['a key', { [LARGE_URL]: 1 }],
  ['a key and a value', { [LARGE_URL]: LARGE_URL }],
  ['text with an escaped quote before it', [`say "data:${PAYLOAD}`, LARGE_URL]],
  ['text that ends in a backslash', ['back\\', LARGE_URL, '\\', `\\"${LARGE_URL}\\"`]],
  ['a data URL with quotes in it', `data:text/plain,${'"x\\"'.repeat(30_000)}`],
  ['a data URL with line breaks in it', `data:image/png;base64,${'AAAA\n'.repeat(30_000)}`],
  ['a data URL beyond ASCII', `data:text/plain,${'ü'.repeat(60_000)}`],
  ['a data URL without a comma', `data:${PAYLOAD}`],
  ['other large text', ['x'.repeat(100_000), LARGE_URL]],
])('%s comes through', (_name, value) => {
  expect(written(JSON.stringify(value))).toEqual(value)
  expect(written(JSON.stringify(value, null, 2))).toEqual(value)
})

test('slashes escaped as PHP does come through', () => {
  const json = JSON.stringify({ url: LARGE_URL }).replaceAll('/', '\\/')
  expect(written(json)).toEqual({ url: LARGE_URL })
})

describe('refused as invalid JSON', () => {
  test.each([
    ['an empty body', ''],
    ['half a body', '{"a":'],
    ['two byte order marks', '\ufeff\ufeff{}'],
    ['a byte order mark alone', '\ufeff'],
    ['a closing quote before data', `["abc"data:x,${PAYLOAD}"]`],
    ['a large string that never ends', `["data:x,${PAYLOAD}`],
    ['a line break inside a large string', `["data:x,${PAYLOAD}\n${PAYLOAD}"]`],
    ['a null byte at the end of a large string', `["data:x,${PAYLOAD}\u0000"]`],
    ['an unescaped quote inside a large string', `["data:x,${PAYLOAD}"${PAYLOAD}"]`],
    ['text after a large string', `["data:x,${PAYLOAD}"x]`],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])],
    [
      'invalid UTF-8 inside a large string',
      Buffer.concat([Buffer.from(`["data:x,${PAYLOAD}`), Buffer.from([0xc3]), Buffer.from('"]')]),
    ],
  ])('%s', (_name, body) => {
    expect(() => parsed(body)).toThrow(expect.objectContaining({ code: 'invalid_json' }))
  })

  test('nothing, which is said', () => {
    const error = { code: 'invalid_json', message: 'The body is empty.' }
    expect(() => parsed('')).toThrow(expect.objectContaining(error))
  })

  test.each([
    [
      'an unescaped line end',
      '{"text":"two\nlines"}',
      ': Bad control character in string literal in JSON at position 12',
    ],
    ['single quotes', "{'text':1}", ": Expected property name or '}' in JSON at position 1"],
    ['a comma too many', '{"text":1,}', ': Expected double-quoted property name in JSON at position 10'],
    ['an end too early', '{"text":', ': Unexpected end of JSON input'],
    [
      'a comma too many after large data',
      `{"url":"data:x,${PAYLOAD}",}`,
      `: Expected double-quoted property name in JSON at position ${PAYLOAD.length + 17}`,
    ],
    ['what the parser would quote', 'secret in JSON at position 1', ''],
  ])('%s, which is said as far as the parser quotes nothing of the body', (_name, body, fault) => {
    const { message } = refusalOf(() => parsed(body))
    expect(message.replace(/ \(line \d+ column \d+\)/, '')).toBe(`The body is not valid JSON${fault}.`)
  })

  test.each([
    ['list', '[],'],
    ['number', '1,'],
    ['level', '['],
  ])('very many small values, each a %s', (_name, value) => {
    const tooMany = Buffer.from(`[${value.repeat(1_000_000)}`)
    expect(() => parsed(tooMany)).toThrow(expect.objectContaining({ code: 'too_many_values' }))
  })

  test('a value nested too deeply to be written', () => {
    const { value, write } = parsed('['.repeat(30_000) + ']'.repeat(30_000))
    // Node 26 writes plain values of any depth; a `toJSON` among them makes it walk them as older ones do.
    expect(() => write([value, { toJSON: () => '' }])).toThrow(ProxyError)
  })
})

test('property: parsing and writing is the same as JSON.parse and JSON.stringify', () => {
  const large = fc
    .tuple(
      fc.constantFrom('data:image/png;base64,', 'data:,', 'data:', 'xdata:,'),
      fc.string(),
      fc.string({ unit: 'binary' }),
    )
    .map(([head, a, b]) => head + a + 'A'.repeat(66_000) + b)
  const text = fc.oneof(large, fc.string({ unit: 'binary' }), fc.constantFrom('"data:', '\\"data:,', 'data:,\\'))
  const value = fc.oneof(
    text,
    fc.array(text, { maxLength: 4 }),
    fc.dictionary(text.filter(isLegible), text, { maxKeys: 3 }),
    fc.json(),
  )
  fc.assert(
    fc.property(value, fc.constantFrom(0, 1), (given, indent) => {
      const json = JSON.stringify(given, null, indent)
      const { value, write } = parsed(json)
      expect(Buffer.concat(write(value)).toString()).toBe(JSON.stringify(JSON.parse(json)))
    }),
    { numRuns: 300 },
  )
})

test('property: whatever bytes arrive, the result is that of JSON.parse or invalid_json', () => {
  const piece = fc.oneof(
    fc.constantFrom('"data:x,', '"', '\\', ',', ':', '[', ']', '{', '}', ' ', 'A'.repeat(70_000), 'data:'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const json = pieces.join('')
      const outcome = (work: () => unknown) => {
        try {
          return { value: work() }
        } catch (error) {
          return error instanceof SyntaxError || (error as ProxyError).code === 'invalid_json' ? 'invalid' : error
        }
      }
      expect(outcome(() => written(json))).toEqual(outcome(() => JSON.parse(json)))
    }),
    { numRuns: 1000 },
  )
})
