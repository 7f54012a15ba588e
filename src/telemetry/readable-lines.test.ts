import { expect, test } from 'vitest'
import { readableLines } from './readable-lines.ts'

function shown(lines: string, coloured = false): string {
  let text = ''
  readableLines((more) => (text += more), coloured).write(lines)
  return text
}

const HALF_PAST_NOON = new Date(2026, 0, 2, 12, 30, 1)
const line = (fields: object) => `${JSON.stringify({ level: 'info', time: HALF_PAST_NOON, ...fields })}\n`

test('a line begins with clock, level and message; fields follow, quoted where they would be read otherwise', () => {
  expect(
    shown(line({ msg: 'done – all', model: 'gpt-5.5', text: 'a b', pair: 'a=b', empty: '', n: 1, o: { a: [] } })),
  ).toBe('12:30:01 info  done – all model=gpt-5.5 text="a b" pair="a=b" empty="" n=1 o={"a":[]}\n')
})

test('a line without a message has its fields', () => {
  expect(shown(line({ n: 1 }))).toBe('12:30:01 info   n=1\n')
})

test('several lines at once stay several, and the level is coloured for a terminal', () => {
  expect(shown(line({ msg: 'a' }) + line({ msg: 'b', level: 'error' }), true)).toBe(
    '12:30:01 \u001b[32minfo \u001b[39m a\n12:30:01 \u001b[31merror\u001b[39m b\n',
  )
})

test.each([
  ['debug', 90],
  ['info', 32],
  ['warn', 33],
  ['error', 31],
  ['fatal', 31],
])('lines of the level %s are readable and have the colour %i', (level, colour) => {
  expect(shown(line({ level, msg: 'a' }), true)).toBe(`12:30:01 \u001b[${colour}m${level.padEnd(5)}\u001b[39m a\n`)
})

test.each([
  ['a field', { msg: '', model: '\u001b[31mgpt\u009b2J\u007f' }, 'model="\\u001b[31mgpt\\u009b2J\\u007f"'],
  ['the message', { msg: '\u001b]0;title\u0007 \u009b2J' }, '\\u001b]0;title\\u0007 \\u009b2J'],
  ['a name', { msg: '', '\u001b[2J': 1 }, '"\\u001b[2J"=1'],
  ['a value inside', { msg: '', err: { message: '\u009b2J' } }, 'err={"message":"\\u009b2J"}'],
  ['the clock', { msg: 'x', time: '\u001b[2JT\u001b[2J' }, ' info  x'],
])('%s commands no terminal', (_where, fields, expected) => {
  expect(shown(line(fields))).toContain(expected)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(shown(line(fields))).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
})

test.each(['{ code: 1 }', '{"no":"level"}', 'null', '"text"', '[1]', '{', '\tat main.js:1:1', '{"level":"toString"}'])(
  'a line that is none of the logger is shown as it is: %s',
  (text) => {
    expect(shown(`${text}\n${line({ msg: 'next' })}`)).toBe(`${text}\n12:30:01 info  next\n`)
  },
)

test('a line that is none of the logger commands no terminal either', () => {
  expect(shown('Error: \u001b[31mred\r\n')).toBe('Error: \\u001b[31mred\\u000d\n')
})
