import { parseArgs } from 'node:util'
import { asCommand, pinSelf } from './processes.ts'
import type { Snapshot } from './snapshot.ts'
import type { SoakResult } from './soak-plan.ts'
import { soak } from './soak-run.ts'

const USAGE = `npm run soak -- [options]
  --minutes <number>   how long (5)
  --streams <number>   paced streams at the same time (1000)
  --rps <number>       short requests a second beside them (200); one in ten is aborted, one in ten breaks upstream
`

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? 'unknown' : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

function describe(when: string, { heapBytes, externalBytes, memoryBytes, descriptors, resources }: Snapshot): string {
  const held = `heap ${megabytes(heapBytes + externalBytes)}, memory ${megabytes(memoryBytes)}`
  return `${when.padEnd(14)} ${held}, ${descriptors ?? 'unknown'} descriptors, ${JSON.stringify(resources)}\n`
}

function outcomes({ asIntended }: SoakResult): string {
  return Object.entries(asIntended)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `  ${name.padEnd(24)} ${count}\n`)
    .join('')
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      streams: { type: 'string', default: '1000' },
      rps: { type: 'string', default: '200' },
    },
  })
  const [minutes, streams, requestsPerSecond] = [values.minutes, values.streams, values.rps].map(Number)
  if (!minutes || !streams || !requestsPerSecond) throw new Error('The options are numbers above 0.')
  pinSelf()
  const progress = (text: string) => process.stderr.write(`${text}\n`)
  const { load, start, warm, end, faults } = await soak({ seconds: minutes * 60, streams, requestsPerSecond, progress })
  process.stdout.write(`Requests that ended as they were to, after the warm-up:\n${outcomes(load)}`)
  process.stdout.write(describe('at the start', start) + describe('after warm-up', warm) + describe('at the end', end))
  process.stdout.write(faults.length === 0 ? 'Passed.\n' : `Failed:\n${faults.join('\n')}\n`)
  if (faults.length > 0) process.exitCode = 1
}

await asCommand(run, USAGE)
