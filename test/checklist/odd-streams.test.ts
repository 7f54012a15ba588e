import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Shaping } from '../fake-upstream/answer.ts'
import { responseEvents, type StreamEvent } from '../fake-upstream/event-stream.ts'
import { ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { callsDuring } from '../support/upstream-answers.ts'
import { answeredTurn } from '../support/watched-answer.ts'

/** U+2028 and U+2029 end no line of an event stream, and characters of several bytes get cut. */
const TEXT = 'Nothing is lost: é 漢字 🙂 \u2028 \u2029 "quoted" \\n.'
const EVENTS = responseEvents([{ text: TEXT }])

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

/** What both routes make of these bytes: each streamed and not. */
async function textsFor(body: string | Buffer, shaping: Shaping & { type?: string } = {}): Promise<string[]> {
  const { type = 'text/event-stream', ...shape } = shaping
  stage.upstream.setDefault({ status: 200, headers: { 'content-type': type }, body, ...shape })
  const chat = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] }
  const responses = { model: 'gpt-5.5', input: 'Hello' }
  const completion = (await (await stage.post('/v1/chat/completions', chat)).json()) as {
    choices?: { message: { content: string } }[]
  }
  const streamed = await (await stage.post('/v1/chat/completions', { ...chat, stream: true })).text()
  const response = (await (await stage.post('/v1/responses', responses)).json()) as Parameters<typeof outputText>[0]
  const passed = await (await stage.post('/v1/responses', { ...responses, stream: true })).text()
  return [
    completion.choices?.[0]?.message.content ?? '',
    answeredTurn(streamed, 'content'),
    outputText(response),
    outputText(lastResponse(passed)),
  ]
}

/** The Response of the last event that a client reads. */
function lastResponse(stream: string): object {
  const data: string[] = []
  for (const frame of stream.replaceAll(/\r\n?/g, '\n').split('\n\n')) {
    const lines = frame.split('\n').filter((line) => line.startsWith('data:'))
    if (lines.length > 0) data.push(lines.map((line) => line.slice('data:'.length)).join('\n'))
  }
  const { type, response } = JSON.parse(data.at(-1) ?? '')
  return type === 'response.completed' ? response : {}
}

function outputText({ output = [] }: { output?: readonly object[] }): string {
  const parts = output.flatMap((item) => ('content' in item && Array.isArray(item.content) ? item.content : []))
  return parts.map(({ text }: { text: string }) => text).join('')
}

/** The stream in a form of its own. */
const written = (frame: (event: StreamEvent) => string) => EVENTS.map(frame).join('')
const usual = (event: StreamEvent) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
const severalLines = (event: StreamEvent) => `data: ${JSON.stringify(event, null, 2).replaceAll('\n', '\ndata: ')}`

const FORMS: readonly (readonly [string, string])[] = [
  ['CRLF line ends', written(usual).replaceAll('\n', '\r\n')],
  ['CR line ends', written(usual).replaceAll('\n', '\r')],
  ['no space after the colon', written((event) => `event:${event.type}\ndata:${JSON.stringify(event)}\n\n`)],
  ['no event names', written((event) => `data: ${JSON.stringify(event)}\n\n`)],
  [
    'no event names and the type last',
    written(({ type, ...rest }) => `data: ${JSON.stringify({ ...rest, type })}\n\n`),
  ],
  ['data before the event name', written((event) => `data: ${JSON.stringify(event)}\nevent: ${event.type}\n\n`)],
  ['data in several lines', written((event) => `event: ${event.type}\n${severalLines(event)}\n\n`)],
  ['data in several lines without a name', written((event) => `${severalLines(event)}\n\n`)],
  ['ids, retries and comments', `: hello\n\nretry: 100\n\n${written((event) => `: at work\nid: 7\n${usual(event)}`)}`],
  ['more empty lines than needed', `\n\n${written((event) => `${usual(event)}\n\n`)}`],
  ['a byte order mark', `\u{feff}${written(usual)}`],
  ['no empty line at its end', written(usual).trimEnd()],
  ['[DONE] at its end', `${written(usual)}data: [DONE]\n\n`],
]

test.each(FORMS)('case 121: a stream with %s is read, whole and cut at every byte', async (_form, body) => {
  for (const cut of [undefined, 'every-byte' as const]) {
    expect(await textsFor(body, cut === undefined ? {} : { cut })).toEqual([TEXT, TEXT, TEXT, TEXT])
  }
})

test('case 121: events that are no JSON, and what comes after the last event, is not converted', async () => {
  const garbage = written((event) => `data: garbage\n\ndata: {"type":\n\n${usual(event)}`)
  const [completion, streamed, response] = await textsFor(`${garbage}${written(usual)}data: more\n\n`)
  expect([completion, streamed, response]).toEqual([TEXT, TEXT, TEXT])
})

test('case 121: a Chat stream takes events for what they are, whatever their frames are named', async () => {
  for (const name of ['response.in_progress', 'response.output_text.done', 'response.output_item.done']) {
    const body = written((event) => usual(event).replace(/^.*/, `event: ${name}`))
    stage.upstream.setDefault({ status: 200, headers: { 'content-type': 'text/event-stream' }, body })
    const chat = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }], stream: true }
    expect(answeredTurn(await (await stage.post('/v1/chat/completions', chat)).text(), 'content')).toBe(TEXT)
  }
})

test('case 121: an event of several megabytes is read', async () => {
  const long = 'é漢🙂'.repeat(400_000)
  const body = responseEvents([{ text: long }])
    .map(usual)
    .join('')
  const texts = await textsFor(body, { cut: 100_001 })
  expect(texts.map((text) => text === long)).toEqual([true, true, true, true])
})

test('case 121: an answer ends with its last event, even if too long an event begins in the same read', async () => {
  const limited = await startStage({ args: ['--max-event', '4k'] })
  const body = `${written(usual)}data: ${'x'.repeat(10_000)}`
  limited.upstream.setDefault({ status: 200, headers: { 'content-type': 'text/event-stream' }, body })
  const chat = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }], stream: true }
  const stream = await (await limited.post('/v1/chat/completions', chat)).text()
  expect(answeredTurn(stream, 'content')).toBe(TEXT)
  expect(stream).toMatch(/data: \[DONE\]\n\n$/)
  await limited.close()
})

describe('case 122: a stream is known by what it holds', () => {
  test.each(['application/json', 'text/plain; charset=utf-8', 'application/octet-stream', ''])(
    'under the content type %j',
    async (type) => {
      expect(await textsFor(written(usual), type === '' ? { noContentType: true } : { type })).toEqual([
        TEXT,
        TEXT,
        TEXT,
        TEXT,
      ])
    },
  )
})

test.each(ROUTES)(
  'an answer that came compressed, which nobody asked for, is said to have, once (%s)',
  async (path, body) => {
    const stream = EVENTS.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
    stage.upstream.setDefault({ status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(stream) })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([answer.status, calls]).toEqual([502, 1])
    const error = { code: 'upstream_invalid', message: expect.stringContaining('arrived compressed (gzip)') }
    expect(await answer.json()).toMatchObject({ error })
  },
)
