import { Agent } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { DEFAULT_ORDER } from './order.ts'
import { benchProgram, type Running, runProgram } from './processes.ts'
import { growth, handlesAreBack, type Snapshot, snapshotOf } from './snapshot.ts'
import type { SoakPlan, SoakResult } from './soak-plan.ts'
import { soakRequest } from './soak-request.ts'
import { startProxy, startUpstream } from './targets.ts'
import { closeIdleConnections, upstreamStats } from './upstream-stats.ts'

type SoakOptions = Pick<SoakPlan, 'streams' | 'requestsPerSecond'> & {
  readonly seconds: number
  readonly progress: (text: string) => void
}

type SoakReport = {
  readonly warmUp: SoakResult
  readonly load: SoakResult
  readonly start: Snapshot
  readonly warm: Snapshot
  readonly end: Snapshot
  /** Everything that must not be: empty when the proxy has passed. */
  readonly faults: readonly string[]
}

const WARM_UP_PART = 0.25
/** How long sockets may take to go once nothing is asked any more. */
const SETTLE_MS = 20_000
const LOOK_MS = 250

/** Loads the built proxy for a while, twice, and looks what it holds when it is idle: before, between and after. */
export async function soak({ seconds, streams, requestsPerSecond, progress }: SoakOptions): Promise<SoakReport> {
  const upstream = await startUpstream()
  const proxy = await startProxy(upstream, './heap-probe.ts').catch(async (error: unknown) => {
    await upstream.stop()
    throw error
  })
  const load = async (part: number, seed: number): Promise<SoakResult> => {
    const plan: SoakPlan = { port: proxy.port, seconds: seconds * part, streams, requestsPerSecond, seed }
    return JSON.parse(await runProgram(benchProgram('./soak-load.ts', plan), { core: 'rest', showErrors: true }))
  }
  try {
    await askOnce(proxy)
    const start = await settled(proxy, upstream, undefined)
    progress('warming up')
    const warmUp = await load(WARM_UP_PART, 1)
    const warm = await settled(proxy, upstream, start)
    progress('under load')
    const loaded = await load(1 - WARM_UP_PART, 2)
    const end = await settled(proxy, upstream, start)
    const { openAnswers } = await upstreamStats(upstream.port)
    const faults = [...answerFaults(warmUp), ...answerFaults(loaded), ...growth(start, warm, end)]
    if (openAnswers > 0) faults.push(`${openAnswers} answers of upstream still run that nobody waits for`)
    return { warmUp, load: loaded, start, warm, end, faults }
  } finally {
    await proxy.stop()
    await upstream.stop()
  }
}

/** What is loaded at the first request belongs to the start. */
async function askOnce({ port }: Running): Promise<void> {
  const agent = new Agent()
  for (const kind of ['chat', 'responses'] as const) {
    const problem = await soakRequest({ agent, port, kind, order: DEFAULT_ORDER, leaveAfterMs: undefined })
    if (problem !== undefined) throw new Error(`The first answer is wrong: ${problem.what}`)
  }
  agent.destroy()
}

/** The proxy with its connections gone, as far as they go. */
async function settled(proxy: Running, upstream: Running, start: Snapshot | undefined): Promise<Snapshot> {
  const patience = performance.now() + SETTLE_MS
  for (;;) {
    await closeIdleConnections(upstream.port)
    await wait(LOOK_MS)
    const now = await snapshotOf(proxy)
    if (start === undefined || handlesAreBack(start, now) || performance.now() > patience) return now
  }
}

function answerFaults({ unexplained, crossed, problems }: SoakResult): string[] {
  if (unexplained + crossed === 0) return []
  return [`${unexplained} unexplained failures and ${crossed} crossed answers:`, ...problems.map((text) => `  ${text}`)]
}
