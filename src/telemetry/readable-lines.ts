import { styleText } from 'node:util'

type Line = {
  readonly time?: unknown
  readonly level?: unknown
  readonly msg?: unknown
  readonly [key: string]: unknown
}

const LEVEL_STYLES = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' } as const

/**
 * A destination that turns the logger's JSON lines into readable ones: `12:30:01 info  request finished model=…`.
 * Our own, since the lines are our own and flat; the known formatter brings 13 packages.
 */
export function readableLines(write: (text: string) => void, coloured: boolean): { write(lines: string): void } {
  return {
    write(lines) {
      const shown = lines.split('\n').filter((line) => line !== '')
      write(shown.map((line) => `${readable(JSON.parse(line), coloured)}\n`).join(''))
    },
  }
}

function readable({ time, level, msg, ...fields }: Line, coloured: boolean): string {
  const clock = typeof time === 'string' ? time.slice(11, 19) : ''
  const label = String(level).padEnd(5)
  const style = isLevel(level) ? LEVEL_STYLES[level] : undefined
  const shown = coloured && style !== undefined ? styleText(style, label, { validateStream: false }) : label
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`)
  return [clock, shown, String(msg ?? ''), ...rest].join(' ')
}

function isLevel(level: unknown): level is keyof typeof LEVEL_STYLES {
  return typeof level === 'string' && level in LEVEL_STYLES
}

function plain(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value
  return JSON.stringify(value)
}
