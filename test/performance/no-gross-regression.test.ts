import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Loaded, onTarget, type Row } from '../../bench/measures/measure.ts'
import { DEFAULT_ORDER } from '../../bench/order.ts'
import type { Running } from '../../bench/processes.ts'
import type { Kind } from '../../bench/requests.ts'
import { startUpstream, TARGETS, type TargetName } from '../../bench/targets.ts'

/**
 * How many times cheaper an event is for the proxy than for the plain technique, side by side. With the hot path it is
 * two to four times as cheap even while the compiler still warms up, without it dearer. Passing bytes through is cheap
 * for the plain one too, so there it only must not be dearer by far.
 */
const AT_LEAST: Readonly<Record<Kind, number>> = { chat: 1.3, responses: 0.5 }
/** A busy moment of the machine can spoil one comparison; what is slow is so in each. */
const ATTEMPTS = 3
/** Long streams: this is about events, and so few requests don't warm up what a request costs. */
const LOAD = { order: { ...DEFAULT_ORDER, deltas: 2000 }, streams: 8 }

let upstream: Running

beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.stop())

test.each<Kind>(['chat', 'responses'])('an event of a %s stream has not become grossly dearer', async (kind) => {
  let best = 0
  for (let attempt = 0; attempt < ATTEMPTS && best < AT_LEAST[kind]; attempt++) {
    const plain = await costOf('plain', kind)
    const proxy = await costOf('proxy', kind)
    best = Math.max(best, plain / proxy)
  }

  expect(best).toBeGreaterThanOrEqual(AT_LEAST[kind])
})

async function costOf(name: TargetName, kind: Kind): Promise<number> {
  const target = TARGETS.find((other) => other.name === name)
  if (target === undefined) throw new Error(`There is no target ${name}.`)
  const bench = { upstream, seconds: 0, progress: () => {} }
  const row: Row = await onTarget(bench, target, kind, async ({ load }) => {
    await load({ ...LOAD, answers: 24 })
    const measured = await load({ ...LOAD, answers: 24 })
    return { values: { cost: cost(measured) }, wrong: measured.wrong, firstProblem: measured.firstProblem }
  })
  expect(row.firstProblem, `${name} · ${kind}`).toBeUndefined()
  return row.values.cost ?? Number.NaN
}

/** CPU time of an event, which neighbours on the machine hardly change; without /proc, its time. */
function cost({ cpuSeconds, deltas, deltasPerSecond }: Loaded): number {
  return cpuSeconds === undefined ? 1 / deltasPerSecond : cpuSeconds / deltas
}
