import { expect, test } from 'vitest'
import { answer, deltasOf, event, messageOf } from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'

const URLS = ['https://a.example', 'https://b.example']
const [first, second] = URLS.map((url) => ({ type: 'url_citation', url, title: '', start_index: 0, end_index: 3 }))
const annotationAdded = (annotation: unknown, place: object = {}) => ({
  type: 'response.output_text.annotation.added',
  output_index: 0,
  annotation,
  ...place,
})

test.each([
  ['that are not numbered', annotationAdded(first), annotationAdded(second)],
  ['of a part that is not numbered', annotationAdded(first), annotationAdded(second, { annotation_index: 1 })],
  ['of a numbered part', annotationAdded(first, { content_index: 0 }), annotationAdded(second, { content_index: 0 })],
])('case 139: citations %s are kept, each of them once', (_case, one, two) => {
  const item = { type: 'message', content: [{ type: 'output_text', text: 'See.', annotations: [first, second] }] }
  for (const whole of [[], [event.done(0, item)]]) {
    const { annotations } = messageOf([event.text(0, 'See.'), one, two, ...whole, event.completed()])
    expect(annotations.map(({ url_citation }) => url_citation.url)).toEqual(URLS)
  }
})

test('case 139: a citation that is told again under its number is one', () => {
  const again = annotationAdded(first, { annotation_index: 0 })
  expect(messageOf([event.text(0, 'See.'), again, again, event.completed()]).annotations).toHaveLength(1)
})

test.each([{}, { start_index: 0.5, end_index: -1 }])(
  'case 139: what a citation with %j does not tell is empty',
  (odd) => {
    const bare = annotationAdded({ type: 'url_citation', url: 'https://a.example', ...odd })
    expect(messageOf([event.text(0, 'See.'), bare, event.completed()]).annotations).toEqual([
      { type: 'url_citation', url_citation: { end_index: 0, start_index: 0, title: '', url: 'https://a.example' } },
    ])
  },
)

test('case 138, 139: a refusal moves no citation', () => {
  const content = [
    { type: 'refusal', refusal: 'No.' },
    { type: 'output_text', text: 'See.', annotations: [first] },
  ]
  const { annotations } = messageOf([event.done(0, { type: 'message', content }), event.completed()])
  expect(annotations).toMatchObject([{ url_citation: { start_index: 0, end_index: 3 } }])
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

test.each([
  { type: 'container_file_citation', url: 'https://a.example' },
  { type: 'url_citation', title: 'a' },
])('case 139: %j has no form in Chat', (annotation) => {
  expect(messageOf([event.text(0, 'See.'), annotationAdded(annotation), event.completed()]).annotations).toEqual([])
})

test('case 139: citations of other kinds have no form in Chat', () => {
  expect(messageOf(recordedEvents('resp-hosted-file-search-stream')).annotations).toEqual([])
})

const cited = (index: number, text: string, url: string) => ({
  type: 'message',
  content: [
    { type: 'output_text', text, annotations: [{ type: 'url_citation', url, start_index: 0, end_index: text.length }] },
  ],
  output_index: index,
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
