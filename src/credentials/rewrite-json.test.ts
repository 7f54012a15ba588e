import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLegible } from '../../test/support/legible-names.ts'
import { withTokens } from './auth-file-write.ts'
import { rewriteJson } from './rewrite-json.ts'

const AT = Date.UTC(2026, 0, 2)
const TIME = JSON.stringify(new Date(AT).toISOString())
const TOKENS = { id_token: 'new-id', access_token: 'new"at', refresh_token: 'new\\rt' }

const withNewTokens = (json: string) => rewriteJson(json, withTokens(JSON.parse(json), TOKENS, AT))

/** JSON texts that a way through JavaScript's values would change, and such as may mislead who looks for members. */
const space = fc.constantFrom('', ' ', '\n  ', '\r\n\t')
const scalar = fc.constantFrom('12345678901234567890', '1.0', '1e400', '-0', '-1E-7', 'true', 'null', '"\\ud800"')
const string = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0074okens"', '"\\/"', '"\\\\"', '"\\\\\\""', '"{"', '"]"', '":"', '"\u2028"'),
)
const name = string.filter((quoted) => isLegible(JSON.parse(quoted)))
const ours = fc.constantFrom('"tokens"', '"last_refresh"', '"access_token"', '"\\u0069d_token"', '"__proto__"')
const { value } = fc.letrec<{ value: string; member: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    string,
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join()}]`),
    fc.array(tie('member'), { maxLength: 3 }).map((members) => `{${members.join()}}`),
  ),
  member: memberNamed(fc.oneof(ours, name), tie('value')),
}))

function memberNamed(names: fc.Arbitrary<string>, ofValue: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(space, names, space, space, ofValue, space)
    .map(([before, quoted, behind, gap, content, after]) => `${before}${quoted}${behind}:${gap}${content}${after}`)
}

const member = memberNamed(fc.oneof(ours, name), value)
const isNamed = (names: readonly string[]) => (text: string) =>
  names.includes(Object.keys(JSON.parse(`{${text}}`))[0] ?? '')
/** Members that may stand behind those with these names: of two with one name the last counts. */
const others = (names: readonly string[]) =>
  fc.array(
    member.filter((text) => !isNamed(names)(text)),
    { maxLength: 3 },
  )

const TOP = ['tokens', 'last_refresh']
const INNER = Object.keys(TOKENS)
const NAMES = [...INNER, 'last_refresh'].map((name) => JSON.stringify(name))
const NEW_VALUES = [...Object.values(TOKENS).map((token) => JSON.stringify(token)), TIME]

test('new values take the place of the old ones, and every other character stays', () => {
  const gaps = fc.tuple(space, space, space, space)
  const earlier = fc.array(member, { maxLength: 3 })
  const places = fc.tuple(earlier, others(TOP), others(TOP), earlier, others(INNER), others(INNER), others(INNER))
  const olds = fc.tuple(value, value, value, value)
  fc.assert(
    fc.property(gaps, places, olds, ([a, b, c, d], [first, second, third, ...inner], old) => {
      const json = (values: readonly string[]) => {
        const [id, access, refresh, time] = NAMES.map((name, at) => `${a}${name}${b}:${c}${values[at]}${d}`)
        const tokens = [...inner[0], id, ...inner[1], access, ...inner[2], refresh, ...inner[3]]
        return `${a}{${[...first, `"tokens":{${tokens}}`, ...second, time, ...third]}}${d}`
      }
      const written = withNewTokens(json(old))
      expect(written).toBe(json(NEW_VALUES))
      expect(JSON.parse(written)).toEqual(withTokens(JSON.parse(json(old)), TOKENS, AT))
    }),
    { numRuns: 2000 },
  )
})

test('members that are missing follow the last one, and every other character stays', () => {
  fc.assert(
    fc.property(others(TOP), others(INNER), others(TOP), space, (first, inner, last, gap) => {
      const json = (added: string, time: string) =>
        `{${[...first, `${gap}"tokens":{${[...inner, `${gap}"x": 1`]}${added}}`, ...last, `${gap}"y"  :1.0`]}${time}}`
      const added = INNER.map((name, at) => `,${gap}${JSON.stringify(name)}: ${NEW_VALUES[at]}`).join('')
      const written = withNewTokens(json('', ''))
      expect(written).toBe(json(added, `,${gap}"last_refresh"  :${TIME}`))
      expect(JSON.parse(written)).toEqual(withTokens(JSON.parse(json('', '')), TOKENS, AT))
    }),
  )
})

test('what Codex wrote looks afterwards as if Codex had written it', () => {
  const old = { OPENAI_API_KEY: null, tokens: { access_token: 'old', account_id: 'a' }, future: { list: [1, {}] } }
  const json = JSON.stringify(old, null, 2)
  expect(withNewTokens(json)).toBe(JSON.stringify(withTokens(old, TOKENS, AT), null, 2))
})

test.each(['null', '[]', '[{"a":1}]', '{}', '{ }', '"{"'])('tokens that were %s are written anew', (old) => {
  const json = (tokens: string) => `{"tokens":${tokens},"last_refresh":${TIME}, "x":1.0}`
  expect(withNewTokens(json(old))).toBe(json(JSON.stringify(TOKENS)))
})

test('where more has to change than values and missing members, all is written as Codex would', () => {
  expect(rewriteJson('{"gone":1.0,"stays":1.0}', { stays: 1 })).toBe('{\n  "stays": 1\n}')
})

test.each(['"', '\\', '\\"', '[', '{"a":'])('a megabyte of %s is no obstacle', (piece) => {
  const long = JSON.stringify(piece.repeat(2 ** 20 / piece.length))
  const json = (id: string) => `{"x":${long},"tokens":{"id_token":${id},"x":${long}}}`
  expect(
    rewriteJson(json('1'), { ...JSON.parse(json('1')), tokens: { ...JSON.parse(json('1')).tokens, id_token: 2 } }),
  ).toBe(json('2'))
})
