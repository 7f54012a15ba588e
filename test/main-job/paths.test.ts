import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MODELS, modelEntry } from '../fake-upstream/models.ts'
import { CHAT } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'

const SLASHED = modelEntry({ slug: 'acme/team/gpt-5.5', name: 'Tuned', priority: 30, since: '0.1.0', efforts: ['low'] })

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ upstream: { models: [...MODELS, SLASHED] } })
})
afterAll(() => stage.close())

test.each(['/v1/chat/completions', '/chat/completions', '/v1/v1/chat/completions', '/v1//chat/completions'])(
  'case 20: POST %s is a chat',
  async (path) => {
    const answer = await stage.post(path, CHAT)
    expect(await answer.json()).toMatchObject({ object: 'chat.completion' })
  },
)

test.each(['/v1/responses', '/responses', '/v1/v1/responses'])('case 20: POST %s is a response', async (path) => {
  const answer = await stage.post(path, { model: 'gpt-5.5', input: 'Hello' })
  expect(await answer.json()).toMatchObject({ object: 'response', status: 'completed' })
})

test.each(['/v1/models', '/models', '/v1/v1/models'])(
  'case 20, 195, 197, 198: GET %s lists models for OpenAI clients and, when it names a version, for Codex',
  async (path) => {
    const list = await (await stage.send(path)).json()
    expect(list).toStrictEqual({ object: 'list', data: expect.any(Array) })
    const ids = (list as { data: { id: string }[] }).data.map(({ id }) => id)
    expect(ids).toContain('gpt-5.5')
    expect(ids).not.toContain('codex-auto-review')
    expect(ids).not.toContain('gpt-6.2-sol')

    const forCodex = await (await stage.send(`${path}?client_version=0.169.0`)).json()
    const { models } = forCodex as { models: { slug: string; visibility: string }[] }
    expect(forCodex).toStrictEqual({ ...(list as object), models: expect.any(Array) })
    const [listed, hidden] = ['list', 'hide'].map((how) => models.filter(({ visibility }) => visibility === how))
    expect(listed?.map(({ slug }) => slug)).toEqual(ids)
    expect(hidden?.map(({ slug }) => slug)).toEqual(['codex-auto-review'])
  },
)

test('case 200: the official client lists and retrieves models, also with slashes in their ids', async () => {
  const ids: string[] = []
  for await (const model of stage.client.models.list()) ids.push(model.id)
  expect(ids).toEqual(expect.arrayContaining(['gpt-6.1-sol', 'acme/team/gpt-5.5']))
  for (const id of ['gpt-5.5', 'acme/team/gpt-5.5']) {
    expect(await stage.client.models.retrieve(id)).toMatchObject({ id, object: 'model' })
  }
  expect(await (await stage.send('/v1/models/acme/team/gpt-5.5')).json()).toMatchObject({ id: 'acme/team/gpt-5.5' })
  await expect(stage.client.models.retrieve('nothing')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  const illEncoded = await stage.send('/v1/models/gpt%zz')
  expect([illEncoded.status, await illEncoded.text()]).toEqual([404, expect.stringContaining('no model \\"gpt%zz\\"')])
})

test('case 194, 196: the list of models is asked of upstream with a client version, and not for each request anew', async () => {
  const lookUps = () => stage.upstream.requests.filter(({ path }) => path.includes('/models'))
  await stage.client.models.list()
  const before = lookUps().length
  await stage.client.models.list()
  expect(lookUps().length).toBe(before)
  expect(lookUps()[0]?.path).toMatch(/\/models\?client_version=\d+\.\d+\.\d+/)
})

test.each([
  '/v1/chat/completions/chat/completions',
  '/v1/responses/models',
  '/v1v1/responses',
  '/v1/openai/v1/responses',
])('POST %s is not found, as its base URL is wrong: no key would help', async (path) => {
  const answer = await stage.post(path, CHAT)
  expect(answer.status).toBe(404)
  const message = `There is no POST ${path} here. The base URL for clients ends with \`/v1\`;`
  expect(await answer.json()).toMatchObject({
    error: { code: 'not_found', message: expect.stringContaining(message) },
  })
})

test('what only the API has is not found, and says that it needs an API key', async () => {
  const error = await stage.client.embeddings.create({ model: 'x', input: 'x' }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OpenAI.NotFoundError)
  expect(error).toMatchObject({ code: 'api_key_required', type: 'invalid_request_error' })
  expect(String(error)).toMatch(/API key/)
})

test('unknown paths are refused in the shape of OpenAI', async () => {
  const unknown = await stage.send('/nothing/here')
  expect(unknown.status).toBe(404)
  expect(await unknown.json()).toMatchObject({ error: { code: 'not_found', type: 'invalid_request_error' } })
})

test.each([
  ['GET', '/v1/chat/completions', 'POST'],
  ['GET', '/responses', 'POST'],
  ['GET', '/v1/images/generations', 'POST'],
  ['DELETE', '/v1/images/edits', 'POST'],
  ['GET', '/v1/alpha/search', 'POST'],
  ['PUT', '/v1/models', 'GET, HEAD'],
  ['POST', '/models/', 'GET, HEAD'],
  ['DELETE', '/v1/models/acme/team/gpt-5.5', 'GET, HEAD'],
  ['OPTIONS', '/v1/models', 'GET, HEAD'],
  ['POST', '/health', 'GET, HEAD'],
  ['PUT', '/metrics', 'GET, HEAD'],
])('%s %s is the wrong method for a path there is: 405 with those it takes', async (method, path, allow) => {
  const answer = await stage.send(path, { method })
  expect(answer.status).toBe(405)
  expect(answer.headers.get('allow')).toBe(allow)
  expect(await answer.json()).toMatchObject({ error: { code: 'method_not_allowed', type: 'invalid_request_error' } })
})

test.each(['/v1/models', '/v1/models/gpt-5.5', '/health', '/ready', '/metrics'])(
  'HEAD %s is answered as GET is, without the body',
  async (path) => {
    const [head, get] = await Promise.all([stage.send(path, { method: 'HEAD' }), stage.send(path)])
    expect(head.status).toBe(200)
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0)
    expect(await head.text()).toBe('')
  },
)

test.each(['/health', '/ready'])('%s is fine and tells nothing secret', async (path) => {
  const answer = await stage.send(path)
  expect(answer.status).toBe(200)
  const text = await answer.text()
  expect(JSON.parse(text)).toMatchObject({ status: 'ok', mode: 'chatgpt' })
  expect(text).not.toContain('eyJ')
  expect(text).not.toContain('made-up-refresh-token')
})

test('/metrics counts requests to the API by their status, and no probes', async () => {
  const read = async () =>
    (await (await stage.send('/metrics')).json()) as Record<string, number> & { errors_by_status: object }
  const before = await read()
  await (await stage.post('/v1/chat/completions', CHAT)).text()
  await (await stage.post('/v1/chat/completions', { model: 'gpt-5.5' })).text()
  await (await stage.send('/health')).text()
  const after = await read()
  const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0)
  expect([grown('requests_total'), grown('requests_ok'), grown('requests_error')]).toEqual([2, 1, 1])
  expect(after.errors_by_status).toMatchObject({ 400: expect.any(Number) })
  expect(after.uptime_seconds).toBeGreaterThanOrEqual(before.uptime_seconds ?? Number.NaN)
})

test('case 196: without a list of upstream, the one an installed Codex noted is shown as such; without either, there is none', async () => {
  const other = await startStage()
  try {
    other.upstream.setModelsAnswer({ status: 500, body: '' })
    const failed = await other.send('/v1/models')
    expect(failed.status).toBe(502)
    expect(await failed.json()).toMatchObject({ error: { type: 'server_error' } })

    const noted = { fetched_at: '2026-11-24T00:00:00Z', etag: null, client_version: '0.169.0', models: MODELS }
    await writeFile(join(other.home.codexHome, 'models_cache.json'), JSON.stringify(noted))
    const answer = await other.send('/v1/models')
    expect(answer.headers.get('x-codex-proxy-models')).toBe('codex-cache')
    expect(JSON.stringify(await answer.json())).toContain('gpt-5.5')
  } finally {
    await other.close()
  }
})
