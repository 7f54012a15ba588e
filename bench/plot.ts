import type { Row } from './measures/measure.ts'
import { medianOf, nameOf, type Results } from './report.ts'

/** One group of bars: which figure of which measure, and which way is good. */
type Panel = { readonly measure: string; readonly key: string; readonly title: string; readonly digits: number }

const PANELS: readonly Panel[] = [
  { measure: 'throughput', key: 'eventsPerSecond', title: 'Events per second (more is better)', digits: 0 },
  { measure: 'first-token', key: 'added', title: 'Added time to first token, µs (less is better)', digits: 0 },
  { measure: 'paced', key: 'p50', title: 'Delay of an event, 200 streams, p50 µs (less is better)', digits: 0 },
  { measure: 'idle-memory', key: 'kilobytes', title: 'Memory per idle stream, KB (less is better)', digits: 0 },
  { measure: 'large-body', key: 'growth', title: 'Peak memory ÷ size of a 10 MB image (less is better)', digits: 1 },
]

const WIDTH = 720
const NAMES = 150
const VALUES = 90
const BAR = 14
const LINE = 20
const TITLE = 34
const MARGIN = 16

/** With a page of its own: a reader's theme may be dark where the page the picture is on is light, as on npm's. */
const STYLE = `
  .page { fill: #ffffff }
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .bar { fill: #afb8c1 }
  .ours { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) { .page { fill: #0d1117 } text { fill: #e6edf3 } .bar { fill: #484f58 } .ours { fill: #3fb950 } }
`

/** The figures as horizontal bars, one SVG that follows the reader's light or dark theme. */
export function plot(results: readonly Results[]): string {
  const parts = ['<rect class="page" width="100%" height="100%"/>']
  let y = MARGIN
  for (const panel of PANELS) {
    const found = results.find(({ measure }) => measure.name === panel.measure)
    if (found === undefined) continue
    const bars = barsOf(found, panel)
    parts.push(`<text class="title" x="${MARGIN}" y="${y + 12}">${escaped(panel.title)}</text>`)
    parts.push(
      ...bars.map((bar, index) =>
        drawBar(bar, y + TITLE - BAR + index * LINE, Math.max(...bars.map(({ value }) => value))),
      ),
    )
    y += TITLE + bars.length * LINE
  }
  const size = `width="${WIDTH}" height="${y + MARGIN}" viewBox="0 0 ${WIDTH} ${y + MARGIN}"`
  const label = 'Speed of codex-api-proxy against nginx, a plain Node proxy and no proxy'
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${label}">\n<style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`
}

type Bar = { readonly name: string; readonly value: number; readonly shown: string; readonly ours: boolean }

function barsOf({ repetitions }: Results, { key, digits }: Panel): Bar[] {
  const [first = []] = repetitions
  return first.flatMap((row: Row) => {
    const value = medianOf(repetitions, row, { key })
    if (value === undefined) return []
    const shown = value.toLocaleString('en-US', { maximumFractionDigits: digits })
    return [{ name: nameOf(row), value: Math.max(0, value), shown, ours: row.target === 'proxy' }]
  })
}

function drawBar({ name, value, shown, ours }: Bar, y: number, largest: number): string {
  const width = Math.max(1, (value / largest) * (WIDTH - NAMES - VALUES - 2 * MARGIN))
  const start = MARGIN + NAMES
  return [
    `<text x="${MARGIN}" y="${y + 11}">${escaped(name)}</text>`,
    `<rect class="bar${ours ? ' ours' : ''}" x="${start}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text x="${(start + width + 6).toFixed(1)}" y="${y + 11}">${shown}</text>`,
  ].join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
