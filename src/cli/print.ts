import { styleText } from 'node:util'
import { isOneOf } from '../system/error-code.ts'
import { type LogOutput, openTerminalLog, type TerminalLog } from './terminal-log.ts'

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red'

/** The one place that writes to the terminal: results to stdout, everything else to stderr. */
export type Print = {
  /** One line of the result. */
  line(text?: string): void
  /** The result as it is, without a newline added. */
  raw(text: string): void
  json(value: unknown): void
  /** Rows of the result with their columns aligned; nothing is cut. */
  table(rows: readonly (readonly string[])[]): void
  /** A note beside the result. */
  note(text: string): void
  /** Shows that something takes time, until the returned function is called. */
  progress(text: string): () => void
  /** Text for `line` and `table`, coloured where the terminal wants it. */
  style(style: Style, text: string): string
  readonly coloured: boolean
  /** True if a person sees the result, not a file or a program. */
  readonly resultIsTerminal: boolean
  /** For the lines of a foreground server, to stderr unchanged. */
  openLog(): TerminalLog
  /** True once the result can't be written any more, for example because nobody reads it (`… | head`). */
  isClosed(): boolean
}

type Output = LogOutput & {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}
type Terminal = {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  once(event: 'exit', listener: () => void): unknown
  exitCode?: number | string | null | undefined
}

/** A wait shorter than this isn't worth a word. */
const PROGRESS_AFTER_MS = 1000
/** The second one is that of Node 20 on Windows. */
const READER_GONE = ['EPIPE', 'EOF']
const ESCAPE = '\u001b['

/** `terminal` is the process. */
export function createPrint(terminal: Terminal): Print {
  const { stdout, stderr, env } = terminal
  // https://no-color.org: any value that isn't empty.
  const mayColour = !env.NO_COLOR && env.TERM !== 'dumb'
  const resultIsTerminal = stdout.isTTY === true
  const coloured = mayColour && resultIsTerminal
  let closed = false
  // On a full disk or a lost terminal there is nowhere left to report it; the server should go on anyway.
  stderr.on('error', () => {})
  stdout.on('error', (error) => {
    // Every further write fails too; and a reader that has seen enough (`… | head`) is not a failure.
    const isNews = !closed && !isOneOf(error, READER_GONE)
    closed = true
    if (!isNews) return
    stderr.write(`codex-api-proxy: The result could not be written: ${error.message}\n`)
    // At the very end, since the command sets its own exit code until then.
    terminal.once('exit', () => {
      terminal.exitCode ||= 1
    })
  })
  return {
    coloured,
    resultIsTerminal,
    isClosed: () => closed,
    openLog: () => openTerminalLog(stderr, mayColour),
    line: (text = '') => stdout.write(`${text}\n`),
    raw: (text) => stdout.write(text),
    json: (value) => stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    table: (rows) => stdout.write(aligned(rows)),
    note: (text) => stderr.write(`${text}\n`),
    progress: (text) => (stderr.isTTY === true ? liveProgress(stderr, text) : lineProgress(stderr, text)),
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  }
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell))
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - visibleLength(cell)),
      )
      .join('  ')
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join('')
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour sequence begins with one
  return text.replace(/\u001b\[\d+m/g, '').length
}

function liveProgress(stderr: Output, text: string): () => void {
  const startedAt = Date.now()
  let shown = false
  const show = () => {
    shown = true
    stderr.write(`\r${ESCAPE}K${text} (${Math.round((Date.now() - startedAt) / 1000)} s)`)
  }
  const timer = setInterval(show, PROGRESS_AFTER_MS)
  return () => {
    clearInterval(timer)
    if (shown) stderr.write(`\r${ESCAPE}K`)
  }
}

function lineProgress(stderr: Output, text: string): () => void {
  const timer = setTimeout(() => stderr.write(`${text}\n`), PROGRESS_AFTER_MS)
  return () => clearTimeout(timer)
}
