import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OTHER_DECISIONS } from '../../scripts/conversion-document.ts'

const LAST_CASE = 210
/** At the beginning of a test's name: `case 5, 6, 7: …`, `case 101–105: …`. */
const NAMED = /['"`]case (\d[\d, –]*):/g

/** The numbers that the tests of a folder bear. */
function numbersIn(folder: string): number[] {
  const root = new URL(`../../${folder}/`, import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.test.ts'))
  return files.flatMap((path) => {
    const names = readFileSync(new URL(path, root), 'utf8').matchAll(NAMED)
    return [...names].flatMap(([, numbers = '']) => numbers.split(',').flatMap(range))
  })
}

function range(text: string): number[] {
  const [first = 0, last = first] = text.split('–').map(Number)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

const tested = new Set([...numbersIn('src'), ...numbersIn('test')])
const decidedOtherwise = OTHER_DECISIONS.flatMap(({ cases }) => cases)

test('every case of the checklist has a test, or a word in docs/conversion.md on why not', () => {
  const all = range(`1–${LAST_CASE}`)
  expect(all.filter((number) => !tested.has(number) && !decidedOtherwise.includes(number))).toEqual([])
})

test('no number is one that the checklist does not have', () => {
  expect([...tested, ...decidedOtherwise].filter((number) => !(number >= 1 && number <= LAST_CASE))).toEqual([])
  expect(new Set(decidedOtherwise).size).toBe(decidedOtherwise.length)
})
