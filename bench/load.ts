import { LoadConnection, type LoadCounts, newCounts } from './load-connection.ts'
import type { LoadPlan, LoadResult, Quantiles } from './load-plan.ts'
import { monotonicMicros } from './order.ts'
import { exitWithParent, planFromArguments } from './process-life.ts'

// A process of its own: asks for streams and measures them. It runs in a closed loop: each connection asks again as
// soon as it has its answer.

/** How often the window of counting is looked at. */
const LOOK_MS = 5
/** How long answers may take that are still on their way when the time is over. */
const PATIENCE_MICROS = 20_000_000

function run(plan: LoadPlan): void {
  const counts = newCounts()
  const startedAt = monotonicMicros()
  const countFrom = startedAt + plan.warmSeconds * 1e6
  const countUntil = countFrom + plan.seconds * 1e6
  let window = { from: startedAt, deltas: 0 }
  let deltasPerSecond: number | undefined
  const mayBegin = () => deltasPerSecond === undefined && (plan.answers === 0 || counts.begun < plan.answers)
  const connections = Array.from({ length: plan.streams }, () => new LoadConnection(plan, counts, mayBegin))
  for (const [index, connection] of connections.entries()) {
    setTimeout(() => connection.begin(), (plan.rampMs * index) / plan.streams)
  }
  const look = setInterval(() => {
    const now = monotonicMicros()
    if (window.from === startedAt && now >= countFrom) window = { from: now, deltas: counts.deltas }
    const done = plan.answers > 0 && counts.answers + counts.wrong >= plan.answers
    if (done || now >= countUntil) deltasPerSecond ??= ((counts.deltas - window.deltas) * 1e6) / (now - window.from)
    if (deltasPerSecond === undefined) return
    // Answers on their way may come to their end, so that CPU time and answers belong together.
    if (now < countUntil + PATIENCE_MICROS && connections.some(({ idle }) => !idle)) return
    clearInterval(look)
    for (const connection of connections) connection.close()
    process.stdout.write(`${JSON.stringify(resultOf(counts, deltasPerSecond))}\n`)
  }, LOOK_MS)
}

function resultOf(counts: LoadCounts, deltasPerSecond: number): LoadResult {
  const { answers, deltas, wrong, firstProblem } = counts
  return {
    answers,
    deltas,
    deltasPerSecond,
    firstDeltaMicros: quantiles(counts.firstDelta),
    wholeMicros: quantiles(counts.whole),
    delayMicros: quantiles(counts.delays),
    wrong,
    firstProblem,
  }
}

function quantiles(values: readonly number[]): Quantiles | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
}

exitWithParent()
run(planFromArguments() as LoadPlan) // made by our own starter
