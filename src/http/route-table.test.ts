import { beforeEach, expect, test, vi } from 'vitest'
import type { ApiRequest } from '../routes/api-request.ts'
import { apiRoutes } from '../routes/api-routes.ts'
import type { RouteContext } from '../routes/context.ts'
import { createRouteTable } from './route-table.ts'

vi.mock(import('../routes/api-routes.ts'), { spy: true })

const CONTEXT = {} as RouteContext
const REQUEST = {} as ApiRequest
const answer = (body: string) => async () => ({ status: 200, body })

beforeEach(() => {
  vi.mocked(apiRoutes)
    .mockReset()
    .mockReturnValue({
      chatCompletions: answer('chat'),
      responses: answer('responses'),
      compact: answer('compact'),
      models: answer('models'),
      images: answer('images'),
      backendPaths: answer('backend'),
      otherPaths: answer('other'),
    })
})

const createTable = () => createRouteTable(CONTEXT, () => ({}))

test('the routes that go upstream are made once, by the first requests or ahead of them', async () => {
  const { entries, load } = createTable()
  expect(apiRoutes).not.toHaveBeenCalled()
  const ask = () => Promise.all(entries.filter(({ kind }) => kind === 'api').map(({ handle }) => handle(REQUEST)))
  const bodies = ['chat', 'responses', 'compact', 'models', 'models', 'images', 'images', 'backend', 'other']
  const [first] = await Promise.all([ask(), load()])
  expect(first).toMatchObject(bodies.map((body) => ({ body })))
  expect(await ask()).toMatchObject(bodies.map((body) => ({ body })))
  expect(vi.mocked(apiRoutes).mock.calls).toEqual([[CONTEXT]])
})

test('once they are loaded they are there, and a failure to load them is told', async () => {
  const { load } = createTable()
  await load()
  expect(apiRoutes).toHaveBeenCalledOnce()
  vi.mocked(apiRoutes).mockImplementation(() => {
    throw new Error('EMFILE')
  })
  await expect(createTable().load()).rejects.toThrow('EMFILE')
})
