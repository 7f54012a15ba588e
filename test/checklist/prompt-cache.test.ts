import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../support/stage.ts'

let stages: readonly Stage[]
beforeAll(async () => {
  // Two starts of the proxy: what one of them draws at random, the other draws otherwise.
  stages = await Promise.all([startStage(), startStage()])
})
afterAll(() => Promise.all(stages.map((stage) => stage.close())))

type Route = 'chat/completions' | 'responses'

/** The key and the session header that upstream gets for a conversation that begins so, from each of the proxies. */
async function keysOf(content: unknown, route: Route = 'chat/completions'): Promise<string[]> {
  const list = route === 'responses' ? 'input' : 'messages'
  const keys = stages.map(async (stage) => {
    await stage.post(`/v1/${route}`, { model: 'gpt-5.5', [list]: [{ role: 'user', content }] })
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

const inputImageOf = (letter: string) => [
  { type: 'input_text', text: 'Describe it.' },
  { type: 'input_image', image_url: dataOf(letter) },
]

test.each<[string, Route, (letter: string) => unknown]>([
  ['a large image', 'chat/completions', imageOf],
  ['a large text that is a data URL', 'chat/completions', dataOf],
  ['a large image on the other route', 'responses', inputImageOf],
])(
  'case 182, 184: a conversation that begins with %s has a key of its own, after a restart too',
  async (_what, route, make) => {
    const [key, afterRestart] = await keysOf(make('A'), route)
    const [other] = await keysOf(make('B'), route)
    expect(afterRestart).toBe(key)
    expect(other).not.toBe(key)
  },
)
