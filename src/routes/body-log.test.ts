import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createLogger } from '../telemetry/logger.ts'
import { newRequestRecord } from '../telemetry/request-record.ts'
import { BodyLog } from './body-log.ts'
import type { RouteContext } from './context.ts'

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

/** The log of one request, and what is written to it. */
function open(level: Parameters<typeof createLogger>[0] = 'debug') {
  const lines: string[] = []
  const logger = createLogger(level, { write: (line) => lines.push(line) })
  const context: Partial<RouteContext> = { logger, placeholder: 'cut-', config: { maxDecodedBody: 1_000_000 } as never }
  const log = BodyLog.open(context as RouteContext, newRequestRecord('req_1', 'POST', '/v1/responses', 0))
  return { log, lines: () => lines.map((line) => JSON.parse(line)) }
}

function logged(body: string | Buffer, headers: Record<string, string> = JSON_TYPE): unknown {
  const { log, lines } = open()
  log?.request(Buffer.from(body), headers)
  return lines()[0]?.input
}

function loggedAnswer(pieces: readonly (string | Buffer)[], headers: Record<string, string>): unknown {
  const { log, lines } = open()
  log?.answerHead(headers)
  for (const piece of pieces) log?.answerBytes(Buffer.from(piece))
  log?.answerEnd()
  return lines()[0]?.output
}

test('above debug there is none', () => {
  expect(open('info').log).toBeUndefined()
})

test.each([
  [{ model: 'gpt-5.5', messages: [{ role: 'user' }] }, [{ role: 'user' }]],
  [{ input: 'Hello', authorization: 'secret' }, 'Hello'],
  [{ prompt: { id: 'pmpt_1' }, input: 'Hello' }, 'Hello'],
  [{ prompt: 'A cat' }, 'A cat'],
])('of the request %j the prompt is logged', (body, prompt) => {
  expect(logged(JSON.stringify(body))).toEqual(prompt)
})

test.each([
  ['{"client_secret":"x"}', JSON_TYPE],
  ['{"messages":', JSON_TYPE],
  ['[]', JSON_TYPE],
  ['null', JSON_TYPE],
  ['bytes', { 'content-type': 'multipart/form-data; boundary=x' }],
  ['{"input":"x","output":"x"}', { 'content-type': 'text/plain' }],
  ['zstd', { ...JSON_TYPE, 'content-encoding': 'zstd' }],
])('of the body %s with %j the type and size are logged', (body, headers: Record<string, string>) => {
  const description = { type: headers['content-type'], encoding: headers['content-encoding'], bytes: body.length }
  expect(logged(body, headers)).toEqual(JSON.parse(JSON.stringify(description)))
  expect(loggedAnswer([body], headers)).toEqual(JSON.parse(JSON.stringify(description)))
})

test('of a request without a body nothing is logged', () => {
  expect(logged('')).toBeUndefined()
})

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('a body in %s is read', (coding, compress) => {
  const headers = { ...JSON_TYPE, 'content-encoding': coding }
  expect(logged(compress('{"messages":["Hello"]}'), headers)).toEqual(['Hello'])
  expect(loggedAnswer([compress('{"output":["Hi"]}')], headers)).toEqual(['Hi'])
})

test('what would decode to more than the limit is described', () => {
  const body = gzipSync(JSON.stringify({ input: 'x'.repeat(1_000_001) }))
  expect(logged(body, { ...JSON_TYPE, 'content-encoding': 'gzip' })).toMatchObject({ bytes: body.length })
})

test('the body that is sent stays as it is, and of a large image in it the log has only a mark', () => {
  const text = JSON.stringify({ input: [{ image_url: `data:image/png;base64,${'QUJD'.repeat(40_000)}` }] })
  const body = Buffer.allocUnsafeSlow(text.length)
  body.write(text)
  const { log, lines } = open()
  log?.request(body, JSON_TYPE)
  expect(body.toString()).toBe(text)
  expect(JSON.stringify(lines()).length).toBeLessThan(1000)
})

test('an answer is logged when it has ended: of JSON what was answered, of an event stream its text', () => {
  expect(loggedAnswer(['{"id":"x","cho', 'ices":[1]}'], JSON_TYPE)).toEqual([1])
  expect(loggedAnswer(['data: 1\n', '\ndata: 2\n\n'], { 'content-type': 'text/event-stream' })).toBe(
    'data: 1\n\ndata: 2\n\n',
  )
})

test.each(['application/json', 'text/event-stream'])(
  'an answer in %s beyond the limit is not kept but described',
  (type) => {
    const pieces = ['{"output":["', 'x'.repeat(1_000_000), '"]}']
    expect(loggedAnswer(pieces, { 'content-type': type })).toEqual({ type, bytes: 1_000_015 })
  },
)

test('pieces of an answer may be written over once they are sent', () => {
  const { log, lines } = open()
  log?.answerHead({ 'content-type': 'text/event-stream' })
  const piece = Buffer.from('data: 1\n\n')
  log?.answerBytes(piece)
  piece.fill(0)
  log?.answerEnd()
  expect(lines()[0].output).toBe('data: 1\n\n')
})
