import { readFile, writeFile } from 'node:fs/promises'
import { plot } from './plot.ts'
import type { Results } from './report.ts'

const DOCUMENT = new URL('../docs/performance.md', import.meta.url)
const PICTURE = new URL('../docs/performance.svg', import.meta.url)
const BEGIN = '<!-- figures: written by npm run bench -- --plot -->'
const END = '<!-- end of figures -->'

/** Puts the tables of this run into docs/performance.md, and their picture beside it. */
export async function publish(results: readonly Results[], tables: string): Promise<void> {
  const document = await readFile(DOCUMENT, 'utf8')
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (from === -1 || to < from) throw new Error('docs/performance.md has lost the place of its figures.')
  await writeFile(DOCUMENT, `${document.slice(0, from + BEGIN.length)}\n\n${tables}\n${document.slice(to)}`)
  await writeFile(PICTURE, plot(results))
}
