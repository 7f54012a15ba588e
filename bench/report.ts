import type { Column, Measure, Row } from './measures/measure.ts'
import { median, spreadPercent } from './statistics.ts'

/** The rows of one measure; one list for each repetition. */
export type Results = { readonly measure: Measure; readonly repetitions: readonly (readonly Row[])[] }

const NOTHING = '–'

/** A Markdown table of medians over the repetitions, with ratios to the references of the same repetition. */
export function table({ measure, repetitions }: Results): string {
  const [first = []] = repetitions
  const columns = measure.columns.filter((column) => first.some(({ values }) => values[column.key] !== undefined))
  const head = ['', ...columns.flatMap((column) => [column.title, ...references(column, first).map(ratioTitle)])]
  head.push('spread %', 'wrong')
  const body = first.map((row) => [
    nameOf(row),
    ...columns.flatMap((column) => [
      format(medianOf(repetitions, row, column), column.digits),
      ...references(column, first).map((name) => format(ratioTo(repetitions, row, column, name), 2)),
    ]),
    spread(repetitions, row, columns),
    String(sameRows(repetitions, row).reduce((sum, { wrong }) => sum + wrong, 0)),
  ])
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...body]
  return `**${measure.title}**\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

/** Median over the repetitions; undefined where nothing was measured. */
export function medianOf(
  repetitions: Results['repetitions'],
  row: Row,
  { key }: Pick<Column, 'key'>,
): number | undefined {
  return medianOrNone(sameRows(repetitions, row).map(({ values }) => values[key]))
}

/** How many times the reference's value it is: the median of the ratios within each repetition. */
function ratioTo(
  repetitions: Results['repetitions'],
  row: Row,
  { key }: Pick<Column, 'key'>,
  reference: string,
): number | undefined {
  return medianOrNone(
    repetitions.map((rows) => {
      const value = rows.find((other) => isSame(other, row))?.values[key]
      const base = referenceRow(rows, row, reference)?.values[key]
      return value === undefined || base === undefined || base <= 0 ? undefined : value / base
    }),
  )
}

export function nameOf({ target, kind }: Row): string {
  return kind === undefined ? target : `${target} · ${kind}`
}

export function problems(results: readonly Results[]): string[] {
  return results.flatMap(({ measure, repetitions }) =>
    repetitions.flat().flatMap((row) => {
      if (row.wrong === 0) return []
      return [
        `${measure.name}, ${nameOf(row)}: ${row.wrong} wrong answers; the first: ${row.firstProblem ?? 'unknown'}`,
      ]
    }),
  )
}

/** The reference of the same kind of request, or of the only kind that it has. */
function referenceRow(rows: readonly Row[], row: Row, reference: string): Row | undefined {
  const candidates = rows.filter(({ target }) => target === reference)
  return candidates.find(({ kind }) => kind === row.kind) ?? candidates[0]
}

function references({ against, key }: Column, rows: readonly Row[]): readonly string[] {
  return against.filter((name) => rows.some(({ target, values }) => target === name && values[key] !== undefined))
}

function ratioTitle(reference: string): string {
  return `× ${reference}`
}

function sameRows(repetitions: Results['repetitions'], row: Row): Row[] {
  return repetitions.flatMap((rows) => rows.filter((other) => isSame(other, row)))
}

function isSame(one: Row, other: Row): boolean {
  return one.target === other.target && one.kind === other.kind
}

function spread(repetitions: Results['repetitions'], row: Row, [column]: readonly Column[]): string {
  const values = sameRows(repetitions, row).flatMap(({ values }) => (column && values[column.key]) ?? [])
  return values.length < 2 ? NOTHING : format(spreadPercent(values), 0)
}

function medianOrNone(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

function format(value: number | undefined, digits: number): string {
  if (value === undefined) return NOTHING
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
