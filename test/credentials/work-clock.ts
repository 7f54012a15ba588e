import { appendFileSync, fstatSync, openSync } from 'node:fs'

/** How much of the tokens' time a request takes. */
const SECONDS = 2

/**
 * A clock that is the same in every process, and that only requests move: so a busy machine, where everything takes
 * longer, does not make tokens expire while a program waits for its turn. Each byte of its file is a second.
 */
export function workClock(start: number, path: string): () => number {
  const file = openSync(path, 'r')
  return () => start + fstatSync(file).size * 1000
}

/** To be called once before the clock is used, and at each request. */
export function moveClock(path: string): void {
  appendFileSync(path, '.'.repeat(SECONDS))
}
