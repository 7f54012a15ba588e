import { styleText } from 'node:util'
import { withoutControls } from '../foreign-text.ts'
import { parseObject } from '../json-object.ts'

const LEVEL_STYLES = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' } as const

/**
 * A destination that makes the logger's JSON lines readable: `12:30:01 info  request finished model=…`. Other lines,
 * such as those that Node itself writes, are shown unchanged. Clients control parts of a line (a model's name), so no
 * character of it may reach the terminal as a command. No package does this: the lines are our own and flat, and the
 * well-known formatter brings 13 packages.
 */
export function readableLines(write: (text: string) => void, coloured: boolean): { write(lines: string): void } {
  return {
    write(lines) {
      const shown = lines.split('\n').filter((line) => line !== '')
      write(shown.map((line) => `${readable(line, coloured)}\n`).join(''))
    },
  }
}

function readable(text: string, coloured: boolean): string {
  const line = parseObject(text)
  if (line === undefined || !isLevel(line.level)) return withoutControls(text)
  const { time, level, msg, ...fields } = line
  const label = level.padEnd(5)
  const shown = coloured ? styleText(LEVEL_STYLES[level], label, { validateStream: false }) : label
  const rest = Object.entries(fields).map(([name, value]) => `${plain(name)}=${plain(value)}`)
  return [clockOf(time), shown, withoutControls(String(msg ?? '')), ...rest].join(' ')
}

/** As the reader's own clock shows it; nothing for what is no time. */
function clockOf(time: unknown): string {
  const moment = new Date(String(time))
  return Number.isNaN(moment.getTime()) ? '' : moment.toTimeString().slice(0, 'hh:mm:ss'.length)
}

function isLevel(level: unknown): level is keyof typeof LEVEL_STYLES {
  return typeof level === 'string' && Object.hasOwn(LEVEL_STYLES, level)
}

function plain(value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) && !/["=]/.test(value)) return value
  return withoutControls(JSON.stringify(value))
}
