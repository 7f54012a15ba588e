import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const EVENTS = responseEvents([{ reasoning: ['Hmm.'] }, { text: 'alpha beta gamma delta' }])

test.each(ROUTES)(
  'case 173: each delta of %s reaches the client before upstream sends the next one',
  async (path, body) => {
    const gate = createGate()
    stage.upstream.enqueue({ events: EVENTS, gate })
    const answering = stage.stream(path, body)
    let deltas = 0
    for (const event of EVENTS) {
      gate.release()
      if (event.type !== 'response.output_text.delta') continue
      // A proxy that waits for more before it sends would wait here for ever: no further event is let go.
      await (await answering).until(`"${event.delta}"`)
      deltas++
    }
    await (await answering).ended
    expect(deltas).toBe(4)
  },
)
