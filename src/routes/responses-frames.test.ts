import { expect, test } from 'vitest'
import { frameJson } from '../sse/event.ts'
import { FrameOutput } from '../sse/frame-output.ts'
import { namedFrame } from '../sse/frames.ts'
import { ResponsesFrames } from './responses-frames.ts'

const item = { type: 'message', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }
const done = { type: 'response.output_item.done', output_index: 0, item }

/** As upstream sends it: with the instructions and tools of the request, so that it is long. */
function completed(output: unknown[]) {
  const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
  const response = { id: 'resp_1', status: 'completed', instructions: 'x'.repeat(5000), output, tools: [{}], usage }
  return { type: 'response.completed', sequence_number: 9, response }
}

function passed(...events: { type: string }[]) {
  const out = new FrameOutput()
  const frames = new ResponsesFrames(out)
  const stream = events.map((event) => namedFrame(event.type, event)).join('')
  frames.take(Buffer.from(stream, 'latin1'), [0, stream.length])
  return { stream, out: out.take().toString('latin1'), usage: frames.usage }
}

test('a long last event that tells its output passes as it is, its usage noticed', () => {
  const { stream, out, usage } = passed(done, completed([item]))
  expect(out).toBe(stream)
  expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2 })
})

test('a long last event without output gets the items that were streamed, and keeps all it has', () => {
  const { out } = passed(done, completed([]))
  expect(frameJson(out.split('\n\n')[1] ?? '')).toEqual(completed([item]))
})
