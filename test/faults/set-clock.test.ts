import { afterEach, expect, test } from 'vitest'
import { SETTABLE_CLOCK } from '../support/preloads.ts'
import { type Stage, startStage } from '../support/stage.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let stage: Stage | undefined
afterEach(async () => {
  await stage?.close()
  stage = undefined
})

type Shift = { readonly clock: number; readonly monotonic?: number }

/** A stage with a program whose clocks will be set by so many milliseconds. */
async function startWith({ clock, monotonic = 0 }: Shift): Promise<Stage> {
  const env = { NODE_OPTIONS: SETTABLE_CLOCK, CLOCK_MS: String(clock), MONOTONIC_MS: String(monotonic) }
  stage = await startStage({ env })
  return stage
}

async function setClock({ proxy }: Stage): Promise<void> {
  proxy.signal('SIGUSR2')
  await expect.poll(() => proxy.stdout()).toContain('clock set')
}

test('a conversation goes on when the clock is set forward by a day', async () => {
  const running = await startWith({ clock: 2 * DAY })
  const ask = async (body: object) => {
    const response = await running.post('/v1/responses', { model: 'gpt-5.5', ...body })
    return { status: response.status, answer: (await response.json()) as { id: string } }
  }
  const { answer } = await ask({ input: 'Hello' })
  await setClock(running)
  expect(await ask({ input: 'And?', previous_response_id: answer.id })).toMatchObject({ status: 200 })
})

test('the list of models is looked at again in five minutes also when the clock is set back meanwhile', async () => {
  const running = await startWith({ clock: -DAY, monotonic: 6 * MINUTE })
  const lookUps = () => running.upstream.requests.filter(({ path }) => path.includes('/models?')).length
  await running.send('/v1/models')
  const before = lookUps()
  await setClock(running)
  await running.send('/v1/models')
  await expect.poll(lookUps).toBe(before + 1)
})
