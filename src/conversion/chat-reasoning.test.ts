import { expect, test } from 'vitest'
import { answer, event, messageOf } from '../../test/support/answers.ts'
import { recordedEvents } from '../../test/support/recorded.ts'

test('case 112: a reasoning summary is reasoning_content, never content', () => {
  const message = messageOf([event.reasoning(0, 0, 'Let me think.'), event.text(1, 'Done.'), event.completed()])
  expect(message).toMatchObject({ content: 'Done.', reasoning_content: 'Let me think.' })
})

test('case 113: summary parts are separated by a blank line, also across items', () => {
  const thoughts = [
    event.reasoning(0, 0, 'One'),
    event.reasoning(0, 0, ' two'),
    event.reasoning(0, 1, 'Three'),
    event.reasoning(2, 0, 'Four'),
  ]
  expect(messageOf([...thoughts, event.completed()]).reasoning_content).toBe('One two\n\nThree\n\nFour')
})

test('case 114: placeholder lines are left out of summaries, however they are cut', () => {
  const message = messageOf(recordedEvents('made-placeholder-summary-stream'))
  expect(message.reasoning_content).toBe('**Plan**\n\n<!- - no\n\n**Next**\ngo')
})

test('case 115: a switch leaves reasoning out', () => {
  const { chunks } = answer(recordedEvents('chatgpt-reasoning-stream'), { showReasoning: false })
  expect(JSON.stringify(chunks)).not.toContain('reasoning_content')
})

test('case 116: without reasoning there is no field for it', () => {
  const { chunks, completion } = answer(recordedEvents('chatgpt-text-stream'))
  expect(JSON.stringify([chunks, completion])).not.toContain('reasoning_content')
})

test('a summary told only as a whole is shown once, whichever events tell it', () => {
  const part = { type: 'summary_text', text: 'Whole.' }
  const events = [
    { type: 'response.reasoning_summary_text.done', output_index: 0, summary_index: 0, text: 'Whole.' },
    { type: 'response.reasoning_summary_part.done', output_index: 0, summary_index: 0, part },
    event.done(0, { type: 'reasoning', summary: [part] }),
    event.completed({ output: [{ type: 'reasoning', summary: [part] }] }),
  ]
  for (let first = 0; first < events.length; first++) {
    const rest = events.slice(first)
    expect(messageOf(rest).reasoning_content).toBe('Whole.')
  }
})

test('of a summary and the reasoning itself only the one that came first is told', () => {
  const raw = { type: 'response.reasoning_text.delta', output_index: 0, content_index: 0, delta: 'Raw' }
  const summary = event.reasoning(0, 0, 'Summary')
  expect(messageOf([raw, summary, event.completed()]).reasoning_content).toBe('Raw')
  expect(messageOf([summary, raw, event.completed()]).reasoning_content).toBe('Summary')
})
