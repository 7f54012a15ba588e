/** In place of lines that were dropped, once the log can be written again. */
export function droppedLine(count: number): string {
  const msg = 'log lines were lost: the log could not be written'
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), dropped: count, msg })}\n`
}

/** How many there are in this text; each ends with a newline. */
export function lineCount(lines: string): number {
  return lines.split('\n').length - 1
}
