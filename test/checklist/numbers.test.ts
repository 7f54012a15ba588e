import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OTHER_DECISIONS } from '../../scripts/conversion-document.ts'

/** At the beginning of a test's name: `case 5, 6, 7: …`, `case 101–105: …`. */
const IN_NAMES = /['"`]case (\d[\d, –]*):/g
/** Anywhere, in comments too: `case 20`, `(case 181, 182)`, `cases 142, 177`. */
const ANYWHERE = /\bcases? (\d+(?:(?:, |–)\d+)*)/g

const ROOT = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')

/** The numbers that the TypeScript of some folders mentions. */
function numbersIn(folders: readonly string[], suffix: string, mention: RegExp): number[] {
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(suffix))
      .map((path) => `${folder}/${path}`),
  )
  const mentions = files.flatMap((path) => [...read(path).matchAll(mention)])
  return mentions.flatMap(([, numbers = '']) => numbers.split(',').flatMap(range))
}

function range(text: string): number[] {
  const [first = 0, last = first] = text.split('–').map(Number)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

const LISTED = [...read('test/CASES.md').matchAll(/^(\d+)\. (†?)/gm)].map(([, number, mark]) => ({
  number: Number(number),
  marked: mark !== '',
}))
const cases = LISTED.map(({ number }) => number)
const tested = new Set(numbersIn(['src', 'test'], '.test.ts', IN_NAMES))
const decidedOtherwise = OTHER_DECISIONS.flatMap(({ cases }) => cases)

test('no number of a case is given twice or left out', () => {
  expect(cases.toSorted((a, b) => a - b)).toEqual(range(`1–${LISTED.length}`))
})

test('every case of the checklist has a test, or a word in docs/conversion.md on why not', () => {
  expect(cases.filter((number) => !tested.has(number) && !decidedOtherwise.includes(number))).toEqual([])
})

test('no number is one that the checklist does not have', () => {
  const mentioned = new Set(numbersIn(['src', 'test', 'scripts'], '.ts', ANYWHERE))
  expect([...tested, ...mentioned].filter((number) => !cases.includes(number))).toEqual([])
  expect(mentioned.size).toBeGreaterThan(0)
})

test('the cases marked as decided otherwise are those of docs/conversion.md', () => {
  const marked = LISTED.filter((each) => each.marked).map(({ number }) => number)
  expect(marked).toEqual(decidedOtherwise.toSorted((a, b) => a - b))
})
