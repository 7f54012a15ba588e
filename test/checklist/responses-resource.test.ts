import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeEvents, responseEvents, type StreamEvent } from '../fake-upstream/event-stream.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { framesOf } from '../support/watched-answer.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

test.each([
  ['GET', '/v1/responses/resp_1'],
  ['DELETE', '/v1/responses/resp_1'],
  ['POST', '/v1/responses/resp_1/cancel'],
  ['GET', '/v1/responses/resp_1/input_items'],
  ['POST', '/v1/responses/input_tokens'],
])('case 207: %s %s is not found, in the shape of OpenAI, with what would help', async (method, path) => {
  const init = method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}
  const answer = await stage.send(path, { method, ...init })
  expect(answer.status).toBe(404)
  expect(await answer.json()).toEqual({
    error: {
      message: expect.stringMatching(/ChatGPT login.*API key/),
      type: 'invalid_request_error',
      param: null,
      code: 'api_key_required',
    },
  })
})

describe.each([true, false])('case 89: an item of an earlier answer that is named by its id (stream: %s)', (stream) => {
  const post = (body: object) => stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello', stream, ...body })

  /** What goes upstream for the name, and what is reported. */
  async function naming(id: string, fields: object) {
    const content = [{ type: 'output_text', text: 'Hello.', annotations: [] }]
    const item = { type: 'message', id, role: 'assistant', status: 'completed', content }
    stage.upstream.enqueue({ events: responseEvents([{ raw: item }]) })
    await (await post(fields)).text()
    const answer = await post({
      input: [
        { type: 'item_reference', id },
        { role: 'user', content: 'Go on.' },
      ],
    })
    await answer.text()
    const [asked] = stage.upstream.calls().slice(-1)
    return { ...(asked?.json as { input: object[] }), ignored: answer.headers.get('x-codex-proxy-ignored') }
  }

  test('goes upstream in the place of its name', async () => {
    const { input, ignored } = await naming(`msg_kept_${stream}`, {})
    expect([input, ignored]).toMatchObject([[{ role: 'assistant', content: [{ text: 'Hello.' }] }, {}], null])
  })

  test('goes there once if it is named twice, as for each result of a tool', async () => {
    const item = { type: 'image_generation_call', id: `ig_twice_${stream}`, status: 'completed', result: 'aGk=' }
    stage.upstream.enqueue({ events: responseEvents([{ raw: item }]) })
    await (await post({})).text()
    const named = { type: 'item_reference', id: item.id }
    const answer = await post({ input: [named, named, { role: 'user', content: 'Go on.' }] })
    await answer.text()
    expect(answer.status).toBe(200)
    const asked = stage.upstream.calls().at(-1)?.json as { input: object[] }
    expect(asked.input).toMatchObject([item, { role: 'user' }])
  })

  test('is not kept for a client that stores nothing', async () => {
    const { input, ignored } = await naming(`msg_own_${stream}`, { store: false })
    expect([input.length, ignored]).toEqual([1, 'input[0]'])
  })
})

test('case 89: an item that was told whole is kept also if the answer is cut after it', async () => {
  const item = { type: 'message', id: 'msg_cut', role: 'assistant', content: [{ type: 'output_text', text: 'Whole.' }] }
  stage.upstream.enqueue({ events: responseEvents([{ raw: item }], { end: 'none' }) })
  await (await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello', stream: true })).text()
  const naming = { model: 'gpt-5.5', input: [{ type: 'item_reference', id: 'msg_cut' }] }
  await (await stage.post('/v1/responses', naming)).text()
  expect(stage.upstream.calls().at(-1)?.json).toMatchObject({ input: [{ content: [{ text: 'Whole.' }] }] })
})

test('case 207: the official client sees a NotFoundError', async () => {
  await expect(stage.client.responses.retrieve('resp_1')).rejects.toMatchObject({ status: 404 })
  await expect(stage.client.responses.delete('resp_1')).rejects.toMatchObject({ status: 404 })
})

describe('case 209: a WebSocket on /v1/responses', () => {
  test('is a 426 that names HTTP, and the server goes on', async () => {
    const upgrade = request(`${stage.proxy.url}/v1/responses`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    })
    upgrade.end()
    const [answer] = (await once(upgrade, 'response')) as [IncomingMessage]
    let body = ''
    for await (const text of answer.setEncoding('utf8')) body += text
    expect(answer.statusCode).toBe(426)
    expect(answer.headers.upgrade).toMatch(/\S/)
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'websocket_unsupported', type: 'invalid_request_error' } })
    expect((await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello' })).status).toBe(200)
  })
})

describe('case 210: a stream is passed byte by byte', () => {
  const VENDOR: StreamEvent[] = [
    { type: 'codex.rate_limits', plan_type: 'plus' },
    { type: 'codex.response.metadata', anything: [1, 2] },
  ]
  /** Key order, numbers and escapes that a parser would not bring back. */
  const ODD =
    'event: response.new_kind\ndata: {"type":"response.new_kind", "z":1.0,"a":"\\u00e9é\\/","obfuscation":"x"}\n\n'

  test('without the events of the vendor, and the last one with its output filled in', async () => {
    const events = responseEvents([{ reasoning: ['Hm.'] }, { text: 'Hello é 漢字.' }])
    const [last] = encodeEvents(events.slice(-1))
    const before = encodeEvents(events.slice(0, -1)).map(String)
    const body = [
      ...encodeEvents(VENDOR).map(String),
      ...before.flatMap((frame, at) => (at === 4 ? [...encodeEvents(VENDOR).map(String), frame, ODD] : [frame])),
      String(last),
    ].join('')
    stage.upstream.enqueue({ status: 200, headers: { 'content-type': 'text/event-stream' }, body, cut: 97 })
    const answer = await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello', stream: true })
    const text = await answer.text()

    const expected = before.flatMap((frame, at) => (at === 4 ? [frame, ODD] : [frame])).join('')
    expect(text.slice(0, expected.length)).toBe(expected)
    const items = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)
    const terminal = events.at(-1)
    expect(framesOf(text.slice(expected.length))).toEqual([
      { ...terminal, response: { ...(terminal?.response as object), output: items } },
    ])
  })

  describe('but response.metadata, which is told to Codex alone', () => {
    const METADATA = { type: 'response.metadata', headers: { 'x-codex-turn-state': 'x' }, sequence_number: 0 }
    const [created, ...others] = responseEvents([{ text: 'Hello.' }], { output: 'full' })
    const asked = { model: 'gpt-5.5', input: 'Hello', stream: true }

    test.each([
      ['before the first event', [METADATA, created, ...others]],
      ['among the others', [created, METADATA, ...others]],
    ])('the helper of the official client would throw on it: %s', async (_where, events) => {
      stage.upstream.enqueue({ events: events.flatMap((event) => event ?? []) })
      const answer = await stage.client.responses.stream({ ...asked, stream: true }).finalResponse()
      expect(answer.output_text).toBe('Hello.')
    })

    test('Codex, which says which turn it asks for, gets every byte', async () => {
      const events = [METADATA, ...responseEvents([{ text: 'Hello.' }], { output: 'full' })]
      stage.upstream.enqueue({ events })
      const headers = { 'content-type': 'application/json', 'x-codex-turn-metadata': '{"turn_id":"1"}' }
      const answer = await stage.send('/v1/responses', { method: 'POST', headers, body: JSON.stringify(asked) })
      expect(await answer.text()).toBe(encodeEvents(events).map(String).join(''))
    })
  })

  test('a last event that has its output is left alone too', async () => {
    const events = responseEvents([{ text: 'Hello.' }], { output: 'full' })
    stage.upstream.enqueue({ events })
    const answer = await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello', stream: true })
    expect(await answer.text()).toBe(encodeEvents(events).map(String).join(''))
  })
})
