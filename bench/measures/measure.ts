import type { LoadPlan, LoadResult } from '../load-plan.ts'
import { NO_LOAD } from '../load-plan.ts'
import { benchProgram, type Running, runProgram, usageOf } from '../processes.ts'
import type { Kind } from '../requests.ts'
import { TARGETS, type Target, type TargetName } from '../targets.ts'

/** What one measure found for one target, in one repetition. */
export type Row = {
  readonly target: TargetName | string
  readonly kind?: Kind
  /** By the key of a column; undefined where this system can't tell. */
  readonly values: Readonly<Record<string, number | undefined>>
  /** Answers that weren't exactly right: a row with any is no result. */
  readonly wrong: number
  readonly firstProblem?: string | undefined
}

export type Column = {
  readonly key: string
  /** With its unit. */
  readonly title: string
  readonly digits: number
  /** Targets the value is compared with, as a ratio. */
  readonly against: readonly string[]
}

export type Measure = {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  /** One repetition. */
  readonly run: (bench: Bench) => Promise<Row[]>
}

export type Bench = {
  readonly upstream: Running
  /** How long a load of no fixed size is kept up. */
  readonly seconds: number
  readonly progress: (text: string) => void
}

/** A target that runs, and the kind of request it is asked. */
export type Subject = {
  readonly target: Target
  readonly kind: Kind
  readonly server: Running
  /** The process that answers: to ask what has arrived there. */
  readonly upstream: Running
  /** Loads the target; `cpuSeconds` is what that took of it. */
  readonly load: (plan: Partial<LoadPlan> & Pick<LoadPlan, 'order'>) => Promise<Loaded>
}

export type Loaded = LoadResult & { readonly cpuSeconds: number | undefined }

export type Found = Pick<Row, 'values' | 'wrong' | 'firstProblem'>

/** Starts each target anew for each kind of request, one after the other, and measures it. */
export async function onTargets(
  bench: Bench,
  names: readonly TargetName[],
  measure: (subject: Subject) => Promise<Found>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const target of TARGETS.filter(({ name }) => names.includes(name))) {
    for (const kind of target.kinds) {
      bench.progress(`${target.name} · ${kind}`)
      rows.push(await onTarget(bench, target, kind, measure))
    }
  }
  return rows
}

export async function onTarget(
  bench: Bench,
  target: Target,
  kind: Kind,
  measure: (subject: Subject) => Promise<Found>,
): Promise<Row> {
  const server = await target.start(bench.upstream)
  try {
    const upstream = target.name === 'direct' ? server : bench.upstream
    const load: Subject['load'] = (plan) =>
      runLoad(server, { ...NO_LOAD, port: server.port, kind, path: target.path(kind), ...plan })
    return { target: target.name, kind, ...(await measure({ target, kind, server, upstream, load })) }
  } finally {
    await server.stop()
  }
}

async function runLoad(server: Running, plan: LoadPlan): Promise<Loaded> {
  const before = usageOf(server.pid)
  const said = await runProgram(benchProgram('./load.ts', plan), { core: 'rest', showErrors: true })
  const after = usageOf(server.pid)
  const result: LoadResult = JSON.parse(said)
  const cpuSeconds = before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds
  return { ...result, cpuSeconds }
}

/** The value of each row less that of the direct run, which every target has to pay as well. */
export function lessDirect(rows: readonly Row[], key: string, difference: string): Row[] {
  const direct = rows.find(({ target }) => target === 'direct')?.values[key]
  return rows.map((row) => {
    const value = row.values[key]
    if (row.target === 'direct' || value === undefined || direct === undefined) return row
    return { ...row, values: { ...row.values, [difference]: value - direct } }
  })
}
