import { afterAll, beforeAll, expect, test } from 'vitest'
import { onTarget, type Row } from '../../bench/measures/measure.ts'
import { streamEvents } from '../../bench/measures/throughput.ts'
import type { Running } from '../../bench/processes.ts'
import type { Kind } from '../../bench/requests.ts'
import { startUpstream, TARGETS, type TargetName } from '../../bench/targets.ts'

/**
 * The proxy converts a stream about ten times cheaper than the plain technique, side by side; twice is far from noise,
 * and far from what a change may cost unnoticed. Figures: docs/performance.md.
 */
const AT_LEAST = 2
const SECONDS = 0.6

let upstream: Running

beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.stop())

test.each<Kind>(['chat', 'responses'])(
  '%s streams cost less than half of what they cost as usually written',
  async (kind) => {
    // In turns, so that a busy moment of the machine meets both.
    const rows = [await measure('plain', kind), await measure('proxy', kind), await measure('plain', kind)]
    const [plainBefore, proxy, plainAfter] = rows.map(cost)

    expect(rows.map(({ wrong, firstProblem }) => ({ wrong, firstProblem }))).toEqual(rows.map(() => ({ wrong: 0 })))
    expect(Math.max(plainBefore ?? 0, plainAfter ?? 0) / (proxy ?? 0)).toBeGreaterThan(AT_LEAST)
  },
)

function measure(name: TargetName, kind: Kind): Promise<Row> {
  const target = TARGETS.find((other) => other.name === name)
  if (target === undefined) throw new Error(`There is no target ${name}.`)
  const bench = { upstream, seconds: SECONDS, progress: () => {} }
  return onTarget(bench, target, kind, (subject) => streamEvents(subject, SECONDS))
}

/** CPU time of an event, which neighbours on the machine hardly change; without /proc, its time. */
function cost({ values }: Row): number {
  return values.cpuMicros ?? 1e6 / (values.eventsPerSecond ?? 0)
}
