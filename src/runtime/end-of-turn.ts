/** The most work that one request alone brings in a turn of the event loop. */
const MOST_OF_ONE_REQUEST = 3
/** After so many turns in a row without more than that, there is no load. */
const QUIET_TURNS = 8
/** Without load, this many pieces of work are done at once before the next turn is counted. */
const AT_ONCE = 32

let waiting: (() => void)[] = []
let quietTurns = 0
/** How many more pieces of work are done at once. */
let atOnce = 0

/**
 * Does this work now or, under load, at the end of this turn of the event loop, together with all other work of the
 * turn. Under load a turn brings dozens of socket reads: doing the same thing for one after the other keeps the code in
 * the processor's caches, and writing together wakes the other side once. Without load a request would only wait: half
 * a millisecond of the first token in a program that has just been started (docs/performance.md).
 */
export function nowOrAtEndOfTurn(work: () => void): void {
  if (atOnce > 0) {
    atOnce--
    work()
  } else if (waiting.push(work) === 1) setImmediate(doAll)
}

function doAll(): void {
  const works = waiting
  waiting = []
  quietTurns = works.length > MOST_OF_ONE_REQUEST ? 0 : quietTurns + 1
  atOnce = quietTurns < QUIET_TURNS ? 0 : AT_ONCE
  for (const work of works) work()
}
