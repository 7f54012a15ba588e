import { Agent } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { seeded } from '../test/support/random.ts'
import type { Order } from './order.ts'
import { exitWithParent, planFromArguments } from './process-life.ts'
import type { Kind } from './requests.ts'
import type { Fate, SoakPlan, SoakResult } from './soak-plan.ts'
import { soakRequest } from './soak-request.ts'

// A process of its own: asks as many clients would, some of which leave and some of whose answers break.

/** Lengths of the paced streams: many begin and end at any time. */
const STREAM_DELTAS = { least: 10, most: 30 }
const STREAM_PAUSE_MS = 150
/** Of a hundred short requests. */
const ABORTED = 10
const RESET_BEFORE = 3
const RESET_WITHIN = 7
const FAULTS: Readonly<Record<Fate, Order['fault']>> = {
  answered: 'none',
  aborted: 'none',
  'reset before': 'before',
  'reset within': 'within',
}
const MOST_PROBLEMS = 20
/** Short requests are begun in small groups, evenly. */
const TICK_MS = 50

async function run(plan: SoakPlan): Promise<SoakResult> {
  const random = seeded(plan.seed)
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 256 })
  const asIntended: Record<string, number> = {}
  const problems: string[] = []
  let unexplained = 0
  let crossed = 0
  let next = 0
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const ask = async (fate: Fate, deltas: number, pause: number) => {
    const kind: Kind = random() < 0.7 ? 'chat' : 'responses'
    const order = {
      deltas,
      pause,
      says: 'owner' as const,
      owner: `s${plan.seed}x${next++}`,
      fault: FAULTS[fate],
    }
    const leaveAfterMs = fate === 'aborted' ? between(0, deltas * pause) : undefined
    const problem = await soakRequest({ agent, port: plan.port, kind, order, leaveAfterMs })
    if (problem === undefined) {
      const key = `${kind} ${fate}`
      asIntended[key] = (asIntended[key] ?? 0) + 1
      return
    }
    if (problem.crossed) crossed++
    else unexplained++
    if (problems.length < MOST_PROBLEMS) problems.push(`${kind}, ${fate}: ${problem.what}`)
  }

  const endsAt = performance.now() + plan.seconds * 1000
  const over = () => performance.now() >= endsAt
  const paced = Array.from({ length: plan.streams }, async (_, index) => {
    await wait(((index + random()) * 2000) / plan.streams)
    while (!over()) await ask('answered', between(STREAM_DELTAS.least, STREAM_DELTAS.most), STREAM_PAUSE_MS)
  })
  const short: Promise<void>[] = []
  const begunAt = performance.now()
  for (let begun = 0; !over(); await wait(TICK_MS)) {
    const due = ((performance.now() - begunAt) * plan.requestsPerSecond) / 1000
    for (; begun < due; begun++) short.push(ask(fateOf(random() * 100), between(5, 20), 5))
  }
  await Promise.all([...paced, ...short])
  agent.destroy()
  return { asIntended, unexplained, crossed, problems }
}

function fateOf(percent: number): Fate {
  if (percent < ABORTED) return 'aborted'
  if (percent < ABORTED + RESET_BEFORE) return 'reset before'
  if (percent < ABORTED + RESET_BEFORE + RESET_WITHIN) return 'reset within'
  return 'answered'
}

exitWithParent()
const result = await run(planFromArguments() as SoakPlan) // made by our own starter
process.stdout.write(`${JSON.stringify(result)}\n`)
