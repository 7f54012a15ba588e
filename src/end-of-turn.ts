/** What one request has to do in a turn of the event loop, at most. */
const OF_ONE_REQUEST = 3
/** So many turns in a row without more than that are no coincidence. */
const QUIET_TURNS = 8
/** Then so many works are done at once before another turn is looked at. */
const UNTIL_NEXT_LOOK = 32

let waiting: (() => void)[] = []
let quietTurns = 0
let unlooked = 0

/**
 * Does this now, or under load once the event loop has seen all that came in its turn, together with what others have to do
 * then. A turn brings dozens of reads then: the same work for all of them, one after the other, finds its code in the
 * processor's caches, and what it writes wakes the other side once. Who is alone would wait for nothing: half a
 * millisecond of the first token in a program that has just been started (docs/performance.md).
 */
export function nowOrAtEndOfTurn(work: () => void): void {
  if (unlooked > 0) {
    unlooked--
    work()
  } else if (waiting.push(work) === 1) setImmediate(doAll)
}

function doAll(): void {
  const works = waiting
  waiting = []
  quietTurns = works.length > OF_ONE_REQUEST ? 0 : quietTurns + 1
  unlooked = quietTurns < QUIET_TURNS ? 0 : UNTIL_NEXT_LOOK
  for (const work of works) work()
}
