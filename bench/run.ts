import { appendFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { coldStart } from './measures/cold-start.ts'
import { conversion } from './measures/conversion.ts'
import { firstToken } from './measures/first-token.ts'
import { idleMemory } from './measures/idle-memory.ts'
import { largeBody } from './measures/large-body.ts'
import type { Bench, Measure, Row } from './measures/measure.ts'
import { paced } from './measures/paced.ts'
import { throughput } from './measures/throughput.ts'
import { NGINX_INSTALLED } from './nginx.ts'
import { asCommand, PINNED, pinSelf, usageOf } from './processes.ts'
import { publish } from './publish.ts'
import { problems, type Results, table } from './report.ts'
import { startUpstream } from './targets.ts'

const MEASURES: readonly Measure[] = [throughput, conversion, firstToken, paced, idleMemory, largeBody, coldStart]

const USAGE = `npm run bench -- [options]
  --reps <number>      repetitions of everything (3)
  --seconds <number>   how long a throughput is measured (3)
  --only <names>       of: ${MEASURES.map(({ name }) => name).join(', ')}
  --json <file>        appends every figure as a line of JSON
  --plot               writes docs/performance.svg and the figures of docs/performance.md
Only ratios within one run are meaningful; absolute figures are only valid for this machine, now.
`

type Settings = { reps: number; seconds: number; measures: readonly Measure[]; json: string | undefined; plot: boolean }

function settings(): Settings {
  const { values } = parseArgs({
    options: {
      reps: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string', default: MEASURES.map(({ name }) => name).join(',') },
      json: { type: 'string' },
      plot: { type: 'boolean', default: false },
    },
  })
  const reps = Number(values.reps)
  const seconds = Number(values.seconds)
  const names = values.only.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !MEASURES.some((measure) => measure.name === name))
  if (!(reps >= 1 && seconds > 0)) throw new Error('--reps and --seconds are numbers above 0.')
  if (unknown.length > 0) throw new Error(`There is no measure ${unknown.join(', ')}.`)
  const measures = MEASURES.filter(({ name }) => names.includes(name))
  return { reps, seconds, measures, json: values.json, plot: values.plot }
}

async function measureAll({ reps, seconds, measures, json }: Settings): Promise<Results[]> {
  const gathered = measures.map((measure) => ({ measure, repetitions: [] as Row[][] }))
  const upstream = await startUpstream()
  try {
    for (let rep = 1; rep <= reps; rep++) {
      for (const { measure, repetitions } of gathered) {
        const progress = (text: string) => process.stderr.write(`${rep}/${reps} ${measure.name} ${text}\n`)
        const bench: Bench = { upstream, seconds, progress }
        const rows = await measure.run(bench)
        repetitions.push(rows)
        for (const row of rows) if (json !== undefined) record(json, { rep, measure: measure.name, ...row })
      }
    }
  } finally {
    await upstream.stop()
  }
  return gathered
}

function record(file: string, entry: object): void {
  appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`)
}

/** What a reader of the figures must know of how they came about. */
function remarks(reps: number): string {
  const notes = [`Node ${process.versions.node}, ${cpus().length} cores, medians of ${reps} repetitions.`]
  if (!PINNED) notes.push('Not bound to cores (no taskset, or one core): expect more spread.')
  if (!NGINX_INSTALLED) notes.push('nginx is not installed and left out.')
  if (usageOf(process.pid) === undefined) notes.push('No /proc on this system: CPU time and memory were not measured.')
  return notes.join(' ')
}

async function bench(): Promise<void> {
  const chosen = settings()
  pinSelf()
  const results = await measureAll(chosen)
  const text = `${remarks(chosen.reps)}\n\n${results.map(table).join('\n')}`
  process.stdout.write(text)
  if (chosen.plot) await publish(results, text)
  const wrong = problems(results)
  if (wrong.length === 0) return
  process.stderr.write(`\n${wrong.join('\n')}\n`)
  process.exitCode = 1
}

await asCommand(bench, USAGE)
