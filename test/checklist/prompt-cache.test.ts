import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../support/stage.ts'

let stages: readonly Stage[]
beforeAll(async () => {
  // Two starts of the proxy: what one of them draws at random, the other draws otherwise.
  stages = await Promise.all([startStage(), startStage()])
})
afterAll(() => Promise.all(stages.map((stage) => stage.close())))

/** The key and the session header that upstream gets for a conversation that begins so, from each of the proxies. */
async function keysOf(content: unknown): Promise<string[]> {
  const keys = stages.map(async (stage) => {
    await stage.post('/v1/chat/completions', { model: 'gpt-5.5', messages: [{ role: 'user', content }] })
    const { json, headers } = stage.upstream.calls().at(-1) ?? {}
    const { prompt_cache_key } = json as { prompt_cache_key: string }
    expect(headers?.['session-id']).toBe(prompt_cache_key)
    return prompt_cache_key
  })
  return Promise.all(keys)
}

const dataOf = (letter: string) => `data:image/png;base64,${letter.repeat(100_000)}`
const imageOf = (letter: string) => [
  { type: 'text', text: 'Describe it.' },
  { type: 'image_url', image_url: { url: dataOf(letter) } },
]

test.each<[string, (letter: string) => unknown]>([
  ['a large image', imageOf],
  ['a large text that is a data URL', dataOf],
])(
  'case 182, 184: a conversation that begins with %s has a key of its own, after a restart too',
  async (_what, make) => {
    const [key, afterRestart] = await keysOf(make('A'))
    const [other] = await keysOf(make('B'))
    expect(afterRestart).toBe(key)
    expect(other).not.toBe(key)
  },
)
