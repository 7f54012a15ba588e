import { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { IMAGE } from '../fake-upstream/other-answers.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const sent = () => stage.upstream.calls().at(-1)
const PNG = Buffer.from(IMAGE, 'base64')

test('the official client makes an image with a ChatGPT login', async () => {
  const { data, usage } = await stage.client.images.generate({ model: 'gpt-image-2', prompt: 'A fox', n: 1 })
  expect(data?.map(({ b64_json }) => b64_json)).toEqual([IMAGE])
  expect(usage?.total_tokens).toBe(1381)
  expect(sent()).toMatchObject({
    path: '/backend-api/codex/images/generations',
    json: { model: 'gpt-image-2', prompt: 'A fox', n: 1 },
  })
  expect(sent()?.headers).toMatchObject({ 'content-type': 'application/json', originator: 'codex-api-proxy' })
})

test('the official client changes images, whose form becomes what the backend takes', async () => {
  const image = [await toFile(PNG, 'a.png', { type: 'image/png' }), await toFile(PNG, 'b.png', { type: 'image/png' })]
  const { data } = await stage.client.images.edit({ model: 'gpt-image-2', prompt: 'A hat', image, n: 2 })
  expect(data).toHaveLength(1)
  const image_url = `data:image/png;base64,${IMAGE}`
  expect(sent()).toMatchObject({
    path: '/backend-api/codex/images/edits',
    json: { model: 'gpt-image-2', prompt: 'A hat', images: [{ image_url }, { image_url }], n: 2 },
  })
})

test('a model need not be named', async () => {
  await stage.client.images.generate({ prompt: 'A fox', model: null })
  expect(sent()?.json).toEqual({ prompt: 'A fox', model: 'gpt-image-2' })
  await stage.client.images.edit({ prompt: 'A hat', image: await toFile(PNG, 'a.png', { type: 'image/png' }) })
  expect(sent()?.json).toMatchObject({ prompt: 'A hat', model: 'gpt-image-2', images: [{}] })
})

test('a slash at the end of the path changes nothing', async () => {
  await stage.post('/v1/images/generations/', { prompt: 'A fox' })
  expect(sent()).toMatchObject({
    path: '/backend-api/codex/images/generations',
    json: { model: 'gpt-image-2', prompt: 'A fox' },
  })
})

describe('a stream is an event for each image', () => {
  const body = { created: 1_795_000_000, data: [{ b64_json: 'Zm94' }, { b64_json: 'Zm9v' }], size: '1024x1024' }
  async function eventsOf(stream: AsyncIterable<object>): Promise<object[]> {
    const events: object[] = []
    for await (const event of stream) events.push(event)
    return events
  }
  const eventOf = (type: string, b64_json: string) => ({ type, b64_json, created_at: 1_795_000_000, size: '1024x1024' })

  test('of an image that is made', async () => {
    stage.upstream.enqueue({ status: 200, body, headers: { 'x-codex-primary-used-percent': '77' } })
    const { data, response } = await stage.client.images
      .generate({ model: 'gpt-image-2', prompt: 'A fox', stream: true, partial_images: 1 })
      .withResponse()
    const events = await eventsOf(data)
    expect(events).toEqual(['Zm94', 'Zm9v'].map((image) => eventOf('image_generation.completed', image)))
    expect(sent()?.json).toEqual({ model: 'gpt-image-2', prompt: 'A fox' })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(response.headers.get('x-codex-proxy-ignored')).toBe('partial_images')
    expect(response.headers.get('x-codex-plan-type')).toBe('plus')
    expect(await stage.metrics()).toMatchObject({ rate_limits: { primary: { usedPercent: 77 } } })
  })

  test('of an image that is changed', async () => {
    stage.upstream.enqueue({ status: 200, body })
    const image = await toFile(PNG, 'a.png', { type: 'image/png' })
    const { data, response } = await stage.client.images
      .edit({ prompt: 'A hat', image, stream: true, partial_images: 0 })
      .withResponse()
    const events = await eventsOf(data)
    expect(response.headers.has('x-codex-proxy-ignored')).toBe(false)
    expect(events).toEqual(['Zm94', 'Zm9v'].map((made) => eventOf('image_edit.completed', made)))
    expect(sent()?.json).toMatchObject({ prompt: 'A hat', images: [{}] })
    expect(sent()?.json).not.toHaveProperty('stream')
  })

  test('and a failure keeps its status', async () => {
    const asked = { model: 'gpt-image-2', prompt: 'A fox', stream: true } as const
    stage.upstream.enqueue({ status: 429, body: { error: { code: 'rate_limit_exceeded', message: 'Later.' } } })
    await expect(stage.client.images.generate(asked)).rejects.toMatchObject({ status: 429 })
  })

  test.each(['<html>', [], { created: 1_795_000_000, data: [] }, { error: { message: 'Blocked.' } }])(
    'and without an image, as in %j, it is a failure',
    async (body) => {
      stage.upstream.enqueue({ status: 200, body })
      const asked = { model: 'gpt-image-2', prompt: 'A fox', stream: true } as const
      await expect(stage.client.images.generate(asked)).rejects.toMatchObject({ status: 502, code: 'upstream_invalid' })
    },
  )
})

test('where no stream is asked for in so many words an object comes', async () => {
  const { data } = await stage.client.images.generate({ model: 'gpt-image-2', prompt: 'A fox', stream: false })
  expect(data).toHaveLength(1)
  expect(sent()?.json).toEqual({ model: 'gpt-image-2', prompt: 'A fox' })
})

test('what the Codex CLI sends passes as it is: edits as JSON, and its search', async () => {
  const edit = '{"prompt": "A hat", "model":"gpt-image-2","images":[{"image_url":"data:image/png;base64,Zm9v"}]}'
  const headers = {
    'content-type': 'application/json',
    'session-id': 's-1',
    'x-mine': 'no',
    authorization: 'Bearer mine',
  }
  const answer = await stage.send('/v1/images/edits', { method: 'POST', headers, body: edit })
  expect(await answer.json()).toMatchObject({ data: [{ b64_json: IMAGE }] })
  expect(String(sent()?.body)).toBe(edit)
  expect(sent()?.headers).toMatchObject({ 'session-id': 's-1' })
  expect(sent()?.headers).not.toHaveProperty('x-mine')
  expect(sent()?.headers.authorization).not.toContain('mine')
  const found = await stage.post('/v1/alpha/search?x=1', { id: 's', commands: {} })
  expect(await found.json()).toEqual({ output: 'Found.' })
  expect(sent()?.json).toEqual({ id: 's', commands: {} })
  expect(found.headers.get('set-cookie')).toBeNull()
})

test('a refusal comes as the API tells it, and nothing is asked twice', async () => {
  const asked = stage.upstream.calls().length
  await expect(stage.client.images.generate({ model: 'gpt-image-2', prompt: '' })).rejects.toMatchObject({
    status: 400,
    code: 'missing_required_parameter',
    param: 'prompt',
  })
  stage.upstream.enqueue({ status: 503, body: '' })
  await expect(stage.client.images.generate({ model: 'gpt-image-2', prompt: 'A fox' })).rejects.toMatchObject({
    status: 503,
  })
  expect(stage.upstream.calls()).toHaveLength(asked + 2)
})

test('usage limits are told with their time', async () => {
  const error = { type: 'usage_limit_reached', message: 'The usage limit has been reached', resets_in_seconds: 60 }
  const headers = { 'x-codex-primary-used-percent': '100' }
  stage.upstream.enqueue({ status: 429, headers, body: { error } })
  const answer = await stage.post('/v1/images/generations', { model: 'gpt-image-2', prompt: 'A fox' })
  expect(answer.status).toBe(429)
  expect(answer.headers.get('retry-after')).toBe('60')
  expect(answer.headers.get('x-codex-plan-type')).toBe('plus')
  expect(await stage.metrics()).toMatchObject({ rate_limits: { primary: { usedPercent: 100 } } })
  expect(await answer.json()).toMatchObject({ error: { code: 'usage_limit_reached' } })
})

test('only JSON and, for edits, a form are taken', async () => {
  for (const path of ['/v1/images/generations', '/v1/alpha/search']) {
    const answer = await stage.send(path, { method: 'POST', body: new FormData() })
    expect(answer.status).toBe(415)
  }
  const mask = await toFile(PNG, 'm.png', { type: 'image/png' })
  const image = await toFile(PNG, 'a.png', { type: 'image/png' })
  await expect(stage.client.images.edit({ prompt: 'A hat', image, mask })).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    param: 'mask',
  })
  expect((await stage.send('/v1/images/generations')).status).toBe(405)
})
