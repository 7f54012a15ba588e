import { asObject } from '../json-object.ts'

export type LogOutput = {
  write(text: string, written?: () => void): unknown
  readonly writableLength?: number
  readonly isTTY?: boolean
}

/** The log of a foreground server on stderr, which it must not depend on: whoever should read it may not. */
export type TerminalLog = {
  /** True if a person sees it, not a file or a program. */
  readonly isTerminal: boolean
  readonly isColoured: boolean
  /** Never waits for a reader. */
  write(text: string): void
  /** How many bytes still wait for one. */
  unread(): number
  /** Resolves with true once none do, with false if that takes longer than these milliseconds. */
  isRead(limit: number): Promise<boolean>
}

export function openTerminalLog(stderr: LogOutput, mayColour: boolean): TerminalLog {
  neverWait(stderr)
  const isTerminal = stderr.isTTY === true
  return {
    isTerminal,
    isColoured: mayColour && isTerminal,
    write: (text) => stderr.write(text),
    unread: () => stderr.writableLength ?? 0,
    isRead: (limit) =>
      new Promise((resolve) => {
        const late = setTimeout(() => resolve(false), limit)
        stderr.write('', () => {
          clearTimeout(late)
          resolve(true)
        })
      }),
  }
}

/**
 * Node waits for a terminal with each line (https://nodejs.org/api/process.html#a-note-on-process-io). One that is held
 * by Ctrl-S, or behind a connection that stalls, takes some 4 KB; then all requests would stand still. There is no
 * public way to change that (https://github.com/yargs/set-blocking does it like this, the other way round).
 */
function neverWait(stderr: LogOutput): void {
  const handle = '_handle' in stderr ? asObject(stderr._handle) : undefined
  if (typeof handle?.setBlocking === 'function') handle.setBlocking(false)
}
