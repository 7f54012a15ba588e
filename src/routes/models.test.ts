import { expect, test } from 'vitest'
import { Cancellation } from '../cancellation.ts'
import type { ModelList } from '../upstream/models/model-catalogue.ts'
import type { Answer, ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { forwardOr } from './forward.ts'
import { describeModels } from './models.ts'

const NAMES = ['a', 'org/a', '100%', 'ü b']

/** The answer of an account that has the models of these names. */
async function answered(url: string, etag?: string): Promise<Answer | undefined> {
  const models = NAMES.map((slug) => ({ slug }))
  const list: ModelList = { models, entries: [...models, { slug: 'hidden' }], source: 'live', etag }
  const context = {
    credentials: { current: () => ({ kind: 'chatgpt' }) },
    catalogue: { list: async () => list },
  }
  const route = forwardOr(context as unknown as RouteContext, describeModels)
  return route({ url, cancellation: new Cancellation() } as ApiRequest)
}

test.each(['/v1/models', '/v1/models/', '/v1/models?client_version=1/2'])('%s lists all models', async (url) => {
  const answer = await answered(url)
  expect(answer).toMatchObject({ status: 200, body: { data: NAMES.map((id) => ({ id })) } })
})

test.each([
  ['/v1/models', false],
  ['/v1/models/?limit=100', false],
  ['/v1/models?of=client_version', false],
  ['/v1/models?client_version=0.169.0', true],
  ['/v1/models/?x=1&client_version=', true],
])('case 197, 198: in the answer to %s there are entries for Codex: %s', async (url, are) => {
  const { body } = (await answered(url)) ?? {}
  expect(body).toHaveProperty('data')
  if (are)
    expect(body).toHaveProperty(
      'models',
      [...NAMES, 'hidden'].map((slug) => ({ slug })),
    )
  else expect(body).not.toHaveProperty('models')
})

test('a list has an etag where it is known', async () => {
  const source = { 'x-codex-proxy-models': 'live' }
  expect((await answered('/v1/models', '"1"'))?.headers).toStrictEqual({ ...source, etag: '"1"' })
  expect((await answered('/v1/models'))?.headers).toStrictEqual(source)
})

test.each([
  ['/v1/models/a', 'a'],
  ['/v1/models/a/', 'a'],
  ['/v1/models/org/a', 'org/a'],
  ['/v1/models/org%2Fa?x=/v1', 'org/a'],
  ['/v1/models/100%', '100%'],
  ['/v1/models/%C3%BC%20b', 'ü b'],
])('%s tells the model %s', async (url, id) => {
  expect(await answered(url)).toMatchObject({ status: 200, body: { id, object: 'model' } })
})

test('a model that the account has not is not found, by its name', async () => {
  const refusal = { code: 'model_not_found', message: expect.stringContaining('"b/c"') }
  await expect(answered('/v1/models/b%2Fc')).rejects.toMatchObject(refusal)
})
