import { expect, test } from 'vitest'
import { answer, deltasOf, event, finishReasonOf, messageItem, messageOf } from '../../test/support/answers.ts'
import { recordedEvents } from '../../test/support/recorded.ts'

test('case 137: text that came in no delta is told once, whichever events tell it', () => {
  const part = { type: 'output_text', text: 'Whole.' }
  const at = { output_index: 0, content_index: 0 }
  const events = [
    { type: 'response.output_text.done', ...at, text: 'Whole.' },
    { type: 'response.content_part.done', ...at, part },
    event.done(0, messageItem('Whole.')),
    event.completed({ output: [messageItem('Whole.')] }),
  ]
  for (let first = 0; first < events.length; first++) expect(messageOf(events.slice(first)).content).toBe('Whole.')
})

test('case 137: an empty delta is no text', () => {
  expect(messageOf([event.text(0, ''), event.done(0, messageItem('Whole.')), event.completed()]).content).toBe('Whole.')
})

test('case 137, 138: an empty delta is no refusal', () => {
  const events = [
    { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: '' },
    event.done(0, { ...messageItem(''), content: [{ type: 'refusal', refusal: 'No.' }] }),
    event.completed(),
  ]
  expect(messageOf(events)).toMatchObject({ content: null, refusal: 'No.' })
})

test('case 139: citations that are not numbered are kept, each of them', () => {
  const cited = (url: string) => ({
    type: 'response.output_text.annotation.added',
    output_index: 0,
    content_index: 0,
    annotation: { type: 'url_citation', url, title: '', start_index: 0, end_index: 3 },
  })
  const events = [event.text(0, 'See.'), cited('https://a.example'), cited('https://b.example'), event.completed()]
  expect(messageOf(events).annotations.map(({ url_citation }) => url_citation.url)).toEqual([
    'https://a.example',
    'https://b.example',
  ])
})

test('case 138: a refusal is told as a refusal', () => {
  const { chunks, completion } = answer(recordedEvents('resp-refusal-stream'))
  expect(deltasOf(chunks)[1]).toEqual({ refusal: "I'm" })
  expect(completion.choices[0]?.message).toMatchObject({
    content: null,
    refusal: "I'm sorry, I can't assist with that.",
  })
  expect(completion.choices[0]?.finish_reason).toBe('stop')
})

test('a refusal that came in no delta is told once', () => {
  const item = { type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }
  expect(messageOf([event.done(0, item), event.completed({ output: [item] })]).refusal).toBe('No.')
})

test('refusals of several messages are a blank line apart', () => {
  const refusal = (output_index: number, delta: string) => ({ type: 'response.refusal.delta', output_index, delta })
  const events = [refusal(0, 'N'), refusal(0, 'o.'), refusal(1, 'Never.'), event.completed()]
  expect(messageOf(events).refusal).toBe('No.\n\nNever.')
})

test('case 139: citations come in Chat form, in one delta before the finish chunk', () => {
  const { chunks } = answer(recordedEvents('resp-hosted-web-search-stream'))
  expect(deltasOf(chunks).at(-2)).toEqual({
    annotations: [
      {
        type: 'url_citation',
        url_citation: {
          end_index: 333,
          start_index: 239,
          title: '東京都の統計',
          url: 'https://www.toukei.metro.tokyo.lg.jp/index.htm?utm_source=openai',
        },
      },
    ],
  })
})

test('case 139: positions count in the whole content, in characters', () => {
  const { content, annotations } = messageOf(recordedEvents('made-several-parts-stream'))
  const [citation] = annotations
  const { start_index = 0, end_index = 0 } = citation?.url_citation ?? {}
  expect([...(content ?? '')].slice(start_index, end_index).join('')).toBe('Two')
})

test('case 139: citations of other kinds have no form in Chat', () => {
  expect(messageOf(recordedEvents('resp-hosted-file-search-stream')).annotations).toEqual([])
})

test.each([
  'resp-hosted-web-search-stream',
  'resp-hosted-mcp-stream',
  'resp-hosted-shell-stream',
  'resp-hosted-code-interpreter-stream',
])('case 140: %s shows no call of a hosted tool', (name) => {
  const { chunks } = answer(recordedEvents(name))
  expect(JSON.stringify(chunks)).not.toContain('tool_calls')
  expect(finishReasonOf(chunks)).toBe('stop')
})

test('case 141: a generated image is told once, as a data URL', () => {
  const events = recordedEvents('resp-hosted-image-generation-stream')
  const { chunks, completion } = answer(events)
  expect(deltasOf(chunks).filter(({ images }) => images !== undefined)).toHaveLength(1)
  expect(completion.choices[0]?.message.images?.[0]?.image_url.url).toMatch(/^data:image\/webp;base64,UklGR/)
})

test('case 141: several images come in one delta before the finish chunk, the citations after them', () => {
  const image = (result: string) => ({ type: 'image_generation_call', result })
  const { chunks, completion } = answer([
    event.done(0, image('b25l')),
    event.done(1, cited(1, 'Both.', 'https://a.example')),
    event.done(2, image('dHdv')),
    event.completed(),
  ])
  const images = ['b25l', 'dHdv'].map((data) => ({
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${data}` },
  }))
  expect(deltasOf(chunks).slice(-3)).toMatchObject([{ images }, { annotations: [{}] }, {}])
  expect(completion.choices[0]?.message.images).toEqual(images)
})

const cited = (index: number, text: string, url: string) => ({
  type: 'message',
  content: [
    { type: 'output_text', text, annotations: [{ type: 'url_citation', url, start_index: 0, end_index: text.length }] },
  ],
  output_index: index,
})

test('case 139: positions in a later message count what is before it', () => {
  const events = [
    event.done(0, cited(0, 'One.', 'https://a.example')),
    event.done(1, cited(1, 'Two.', 'https://b.example')),
  ]
  const { content, annotations } = messageOf([...events, event.completed()])
  const marked = annotations.map(({ url_citation: { start_index, end_index } }) =>
    content?.slice(start_index, end_index),
  )
  expect(marked).toEqual(['One.', 'Two.'])
})

test('case 139: what is not content is not cited', () => {
  const events = [
    event.done(0, cited(0, '{}', 'https://a.example')),
    event.done(1, cited(1, '{}', 'https://b.example')),
  ]
  expect(messageOf([...events, event.completed()], { jsonOutput: true }).annotations).toHaveLength(1)
})

test('messages that interleave stay apart', () => {
  const events = [event.text(0, 'One'), event.text(0, '.'), event.done(1, messageItem('Two.')), event.text(0, 'Three.')]
  expect(messageOf([...events, event.completed()]).content).toBe('One.\n\nTwo.\n\nThree.')
})
