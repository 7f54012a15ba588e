import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answer, deltasOf, event, messageOf } from '../../../test/support/answers.ts'
import { MarkerFilter, withoutMarkers } from './citation-markers.ts'

const ONE = '\uE200cite\uE202turn0search1\uE201'
const TWO = '\uE200cite\uE202turn1view0\uE202turn1view1\uE201'
const FILE = '\uE200filecite\uE202turn0file3\uE202L1-L4\uE201'

test('markers of citations are left out, what stands around them stays', () => {
  expect(withoutMarkers(`Rain.${ONE} Sun.${TWO}${FILE}\n`)).toBe('Rain. Sun.\n')
})

test('what stood around a marker and is one without it is left out too, as in a text that comes in pieces', () => {
  expect(withoutMarkers(`a\uE200${ONE}cite\uE202turn1\uE201b`)).toBe('ab')
})

test.each([
  ['of something a person reads', '\uE200entity\uE202["city","Paris"]\uE201'],
  ['without sources', '\uE200cite\uE201'],
  ['that is begun only', '\uE200cite\uE202turn0'],
  ['without a beginning', 'cite\uE202turn0search1\uE201'],
  ['that is too long for one', `\uE200cite\uE202${'x'.repeat(901)}\uE201`],
  ['of other private characters', '\uF8FF \uE201'],
])('a marker %s is text', (_, text) => {
  expect(withoutMarkers(`a${text}b`)).toBe(`a${text}b`)
})

const piece = fc.oneof(
  fc.constantFrom(ONE, TWO, FILE, '\uE200', 'cite', 'file', '\uE202', '\uE201', 'turn0search1', 'x'.repeat(450)),
  fc.string({ maxLength: 5 }),
)

/** Removes markers, those that the text around them forms too, without being quick about it. */
function plainlyWithout(text: string): string {
  const shorter = text.replace(/\uE200(?:file)?cite\uE202[^\uE200\uE201]{0,900}\uE201/g, '')
  return shorter === text ? text : plainlyWithout(shorter)
}

test('how a text was cut does not matter, and nothing but markers is left out', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 8 }), (pieces, cuts) => {
      const text = pieces.join('')
      const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
      const filter = new MarkerFilter()
      let out = ''
      for (const [index, from] of at.slice(0, -1).entries()) out += filter.push(text.slice(from, at[index + 1]))
      expect(out + filter.end()).toBe(plainlyWithout(text))
      expect(withoutMarkers(text)).toBe(plainlyWithout(text))
    }),
    { numRuns: 1000 },
  )
})

/** What is passed of these pieces of text, and what is held back at their end. */
function filtered(pieces: readonly string[]) {
  const filter = new MarkerFilter()
  const passed = pieces.map((text) => filter.push(text)).join('')
  return { passed, holds: filter.holds, held: filter.end() }
}

test('what can no longer become a marker is not held back', () => {
  for (const text of ['\uE200x', '\uE200cited', '\uE200cite\uE202a\uE200b', `\uE200cite\uE202${'x'.repeat(901)}`]) {
    expect(filtered([text])).toEqual({ passed: text, holds: false, held: '' })
  }
  expect(filtered([`a${ONE}\uE200fi`])).toEqual({ passed: 'a', holds: true, held: '\uE200fi' })
})

test('one that has begun is held back when another one begins within it, which may be left out of it', () => {
  const begun = '\uE200cite\uE202\uE200'
  expect(filtered([`a${begun}`])).toEqual({ passed: 'a', holds: true, held: begun })
  expect(filtered([begun, ''])).toEqual({ passed: '', holds: true, held: begun })
  expect(filtered([begun, `${ONE.slice(1)}\uE201b`])).toEqual({ passed: 'b', holds: false, held: '' })
})

const MANY = 100_000

test('a hundred thousand that only begin are held back, without looking at all of them with each', () => {
  const begins = new Array<string>(MANY).fill('\uE200cite\uE202turn0')
  expect(filtered(begins)).toEqual({ passed: '', holds: true, held: begins.join('') })
})

test('a hundred thousand within each other are left out', () => {
  const begins = new Array<string>(MANY).fill('\uE200cite\uE202')
  const ends = new Array<string>(MANY).fill('\uE201')
  expect(filtered([...begins, ...ends])).toEqual({ passed: '', holds: false, held: '' })
  expect(withoutMarkers([...begins, ...ends].join(''))).toBe('')
})

describe('in an answer', () => {
  const streamed = (...pieces: string[]) => pieces.map((text) => event.text(0, text))
  const contentOf = (events: unknown[], plan = {}) => messageOf([...events, event.completed()], plan).content

  test('they are left out of text that streams, also when they are spread over deltas', () => {
    const { chunks } = answer([
      ...streamed('Rain', '. ', '\uE200ci', 'te\uE202turn0', 'search1\uE201', 'Sun', '.'),
      event.completed(),
    ])
    const contents = deltasOf(chunks).flatMap(({ content }) => content ?? [])
    expect(contents.filter(Boolean)).toEqual(['Rain', '. ', 'Sun', '.'])
  })

  test('and out of text that is told whole', () => {
    const item = { type: 'message', content: [{ type: 'output_text', text: `Rain.${ONE}` }] }
    expect(contentOf([event.done(0, item)])).toBe('Rain.')
    expect(contentOf([event.added(0, { type: 'message', phase: 'commentary' }), ...streamed(`Rain.${ONE}`)])).toBe(
      'Rain.',
    )
  })

  test('what only began like one is told in its place: before the next message, a call, the end', () => {
    const begun = streamed('Rain \uE200cite\uE202turn')
    expect(contentOf(begun)).toBe('Rain \uE200cite\uE202turn')
    expect(contentOf([...begun, event.text(1, 'Next')])).toBe('Rain \uE200cite\uE202turn\n\nNext')
    const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }
    expect(contentOf([...begun, event.added(1, call), event.done(1, call)])).toBe('Rain \uE200cite\uE202turn')
  })

  test('a stop text is found across one', () => {
    expect(contentOf(streamed('Rain S', ONE, 'T Sun'), { stop: ['ST'] })).toBe('Rain ')
  })

  test('case 13, 139: also where a stop text ended the answer before its whole text was told', () => {
    const cite = (start_index: number, end_index: number) => ({
      type: 'response.output_text.annotation.added',
      output_index: 0,
      content_index: 0,
      annotation: { type: 'url_citation', url: 'https://a.example', title: '', start_index, end_index },
    })
    const text = `One.${ONE} Two.`
    const events = [event.text(0, text), cite(0, 4), cite(text.length - 4, text.length), event.text(0, ' Three. END')]
    const { content, annotations } = messageOf([...events, event.completed()], { stop: ['END'] })
    expect(content).toBe('One. Two. Three. ')
    const places = annotations.map(({ url_citation: { start_index, end_index } }) => [start_index, end_index])
    expect(places).toEqual([
      [0, 4],
      [5, 9],
    ])
  })

  test('case 139: citations count the text that is shown', () => {
    const text = `😀 Rain.${ONE} Sun.${TWO}`
    const [first, second] = [text.indexOf(ONE) - 1, text.indexOf(TWO) - 1]
    const cite = (start_index: number, marker: string) => ({
      type: 'url_citation',
      url: 'https://a.example',
      start_index,
      end_index: start_index + marker.length,
    })
    const annotations = [cite(first, ONE), cite(second, TWO), { ...cite(2, 'Rain.') }]
    const item = { type: 'message', content: [{ type: 'output_text', text, annotations }] }
    const next = { type: 'message', content: [{ type: 'output_text', text: 'Next', annotations: [cite(0, 'Next')] }] }
    const message = messageOf([event.done(0, item), event.done(1, next), event.completed()])
    expect(message.content).toBe('😀 Rain. Sun.\n\nNext')
    const places = message.annotations.map(({ url_citation: { start_index, end_index } }) => [start_index, end_index])
    expect(places).toEqual([
      [7, 7],
      [12, 12],
      [2, 7],
      [14, 18],
    ])
  })
})
