import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { catalogueFor, MODELS } from '../fake-upstream/models.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { deferred } from '../support/deferred.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--client-version', '999.1.0'] })
})
afterAll(() => stage.close())

const ids = async () => {
  const { data } = (await (await stage.send('/v1/models')).json()) as { data: { id: string }[] }
  return data.map(({ id }) => id)
}

/** What Codex is shown. */
const slugs = async () => {
  const { models } = (await (await stage.send('/v1/models?client_version=0.169.0')).json()) as {
    models: { slug: string }[]
  }
  return models.map(({ slug }) => slug)
}

test('case 194: the version told upstream is a setting, and shows models that older ones do not see', async () => {
  expect(await ids()).toContain('gpt-6.2-sol')
  const [lookUp] = stage.upstream.requests
  expect(lookUp?.path).toBe('/backend-api/codex/models?client_version=999.1.0')
  expect(lookUp?.headers.version).toBe('999.1.0')
})

test('case 197: a model has the shape of OpenAI, and what clients guess otherwise', async () => {
  expect(await (await stage.send('/v1/models/gpt-5.5')).json()).toEqual({
    id: 'gpt-5.5',
    object: 'model',
    created: expect.any(Number),
    owned_by: 'openai',
    display_name: 'GPT-5.5',
    context_window: 272_000,
    context_length: 272_000,
    max_model_len: 272_000,
    input_modalities: ['text', 'image'],
    supported_reasoning_efforts: ['low', 'medium', 'high', 'xhigh'],
    default_reasoning_effort: 'medium',
  })
})

test('the models are asked for when the program has started, so that the first request is converted for them', async () => {
  const started = await startStage()
  await started.upstream.waitForLookUp()
  await started.send('/v1/models')
  expect(started.upstream.requests).toHaveLength(1)
  await started.close()
})

test('case 16: a name with a suffix waits for the first list, which tells what to take off; no other name does', async () => {
  const list = deferred<Answer>()
  // Signed in only later, so that the start asks for no list.
  const late = await startStage({ auth: null })
  const ask = (model: string) =>
    late.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hello' }] })
  try {
    late.upstream.setModelsAnswer(() => list.promise)
    await late.home.writeAuth(chatgptAuth())
    expect((await ask('gpt-5.5')).status).toBe(200)
    const answer = ask('openai/gpt-5.5-high')
    await expect.poll(late.metrics).toMatchObject({ requests_in_flight: 1 })
    list.resolve({ status: 200, body: catalogueFor(MODELS, '0.170.0') })
    expect((await answer).status).toBe(200)
    expect(late.upstream.calls().at(-1)?.json).toMatchObject({ model: 'gpt-5.5', reasoning: { effort: 'high' } })
  } finally {
    await late.close()
  }
})

test('case 198: a Codex that names its version finds whole entries of the catalogue', async () => {
  const { models } = (await (await stage.send('/v1/models?client_version=0.169.0')).json()) as { models: object[] }
  expect(models).toContainEqual(expect.objectContaining({ slug: 'gpt-5.5', base_instructions: expect.any(String) }))
})

test('case 195: Codex finds hidden models too, of which it would know nothing else; nobody else does', async () => {
  const list = (await (await stage.send('/v1/models?client_version=0.169.0')).json()) as Record<string, object[]>
  expect(list.models).toContainEqual(expect.objectContaining({ slug: 'codex-auto-review', visibility: 'hide' }))
  expect(list.data).not.toContainEqual(expect.objectContaining({ id: 'codex-auto-review' }))
})

test('the list has the etag that answers name: without it Codex would fetch the list anew after each of them', async () => {
  const list = await stage.send('/v1/models?client_version=0.169.0')
  const answer = await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello' })
  expect(list.headers.get('etag')).toBe('"fake-models-1"')
  expect(answer.headers.get('x-models-etag')).toBe(list.headers.get('etag'))
})

test('case 196: the list says where it is from', async () => {
  expect((await stage.send('/v1/models')).headers.get('x-codex-proxy-models')).toBe('live')
})

test('case 199: a model that upstream denied by mistake is shown again as soon as it answers', async () => {
  const error = { message: 'Model not found gpt-5.5', type: 'invalid_request_error', param: 'model', code: null }
  const ask = () => stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello' })
  stage.upstream.enqueue({ status: 404, body: { error } })
  expect((await ask()).status).toBe(400)
  expect(await ids()).not.toContain('gpt-5.5')
  expect(await slugs()).toContain('gpt-5.5')
  expect((await ask()).status).toBe(200)
  expect(await ids()).toContain('gpt-5.5')
})

test('case 199, 163: a model that the account was refused is no longer shown; the error names those it has', async () => {
  expect(await ids()).toContain('gpt-6-astra')
  const detail = "The 'gpt-6-astra' model is not supported when using Codex with a ChatGPT account."
  stage.upstream.setDefault({ status: 400, body: { detail } })
  const asked = stage.client.chat.completions.create({
    model: 'gpt-6-astra',
    messages: [{ role: 'user', content: 'Hello' }],
  })
  const refusal: unknown = await asked.catch((error: unknown) => error)
  expect(refusal).toMatchObject({ status: 404, code: 'model_not_found' })
  const named = / This login has (.+)\. /.exec(String(refusal))?.[1]?.split(', ')
  expect(named).toEqual(await ids())
  expect(await ids()).not.toContain('gpt-6-astra')
  expect(await ids()).toContain('gpt-5.5')
})
