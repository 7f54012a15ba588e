import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { CLIENT_NAMES } from '../../src/cli/commands.ts'
import type { FakeUpstream } from '../fake-upstream/server.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { type Home, run, withoutProgress } from '../support/program.ts'

/** As at OpenAI: in no order, of every kind. */
const MIXED = ['gpt-4-0613', 'text-embedding-3-small', 'whisper-1', 'gpt-5.5', 'gpt-4o-mini-tts', 'gpt-image-1']
const UNUSUAL = ['whisper-1', 'gpt-image-1', 'o3']

let stage: CommandStage
let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeAll(async () => {
  stage = await startCommandStage(apiKeyAuth())
  ;({ home, upstream, env } = stage)
  await run(['start', '--port', '0'], { home, env })
})
afterAll(() => stage.close())
beforeEach(() => listing(MIXED))

function listing(ids: readonly string[]): void {
  const data = ids.map((id, index) => ({ id, object: 'model', created: 1_700_000_000 + index, owned_by: 'system' }))
  upstream.setDefault(({ method }) =>
    method === 'GET' ? { status: 200, body: { object: 'list', data } } : { fixture: 'chat-text-json' },
  )
}

const client = async (...args: string[]) => withoutProgress(await run(['clients', ...args], { home, env }))

async function call(...args: string[]) {
  const { code, stdout } = await run(['doctor', '--json', '--call', ...args], { home, env })
  const { checks } = JSON.parse(stdout)
  return { code, call: checks.find(({ name }: { name: string }) => name === 'Call') }
}

test.each(CLIENT_NAMES)('%s is told of the newest usual model, and nothing the list does not say', async (name) => {
  const { code, stdout, stderr } = await client(name)
  expect([code, stderr]).toEqual([0, ''])
  expect(JSON.parse((await client(name, '--json')).stdout).model).toBe('gpt-5.5')
  expect(stdout).not.toMatch(/272.?000|128.?000|cost|reasoning|tool_|capabilities|"image"|vision|Images|undefined/i)
})

test('a client that takes several is offered the usual ones, after the one that is named', async () => {
  const offered = async (...args: string[]) => {
    const { models } = JSON.parse((await client('openclaw', ...args)).stdout)
    return models.providers['codex-api-proxy'].models
  }
  const usual = [
    { id: 'gpt-5.5', name: 'gpt-5.5' },
    { id: 'gpt-4-0613', name: 'gpt-4-0613' },
  ]
  expect(await offered()).toEqual(usual)
  expect(await offered('--model', 'gpt-image-1')).toEqual([{ id: 'gpt-image-1', name: 'gpt-image-1' }, ...usual])
})

test('where no model is a usual one it is left open, and said that --model names it', async () => {
  listing(UNUSUAL)
  const { code, stdout, stderr } = await client('openai-node')
  expect(code).toBe(0)
  expect(stdout).toContain('model: "MODEL"')
  expect(stderr).toMatch(/choose one with --model\. Available: whisper-1, gpt-image-1, o3\.$/m)
  const named = await client('openai-node', '--model', 'o3')
  expect([named.stdout.includes('model: "o3"'), named.stderr]).toEqual([true, ''])
})

test('doctor --call calls the newest usual model, or the one it is told', async () => {
  expect((await call()).call).toMatchObject({ state: 'ok', message: expect.stringMatching(/^gpt-5\.5 answered/) })
  expect(upstream.calls().at(-1)?.json).toMatchObject({ model: 'gpt-5.5' })
  await call('--model', 'gpt-4-0613')
  expect(upstream.calls().at(-1)?.json).toMatchObject({ model: 'gpt-4-0613' })
})

test('doctor --call without a usual model calls none and says that --model names one', async () => {
  listing(UNUSUAL)
  const { code, call: check } = await call()
  expect([code, check.state]).toEqual([1, 'problem'])
  expect(check.remedy).toContain('--model')
  expect(upstream.calls().at(-1)?.method).toBe('GET')
  expect((await call('--model', 'o3')).call.state).toBe('ok')
})
