import { chatgptAuth } from '../../test/support/auth-files.ts'
import { createHome, type Home, PROGRAM } from '../../test/support/program.ts'
import { runProgram, startServer } from '../processes.ts'
import { median } from '../statistics.ts'
import { START } from '../targets.ts'
import type { Measure, Row } from './measure.ts'

const TIMES = 5
const BARE = 'node -e 0'

/** From the command to its effect. */
export const coldStart: Measure = {
  name: 'cold-start',
  title: 'Start: until the first 200 of /health, and until --help has ended',
  columns: [{ key: 'milliseconds', title: 'ms', digits: 0, against: [BARE] }],
  async run(bench) {
    const home = await createHome()
    try {
      await home.writeAuth(chatgptAuth())
      const command =
        (...args: string[]) =>
        () =>
          runProgram([process.execPath, ...args], { core: 'measured', env: home.env })
      const rows: Row[] = []
      for (const [target, once] of [
        [BARE, command('-e', '0')],
        ['--help', command(PROGRAM, '--help')],
        ['start', () => startUntilHealthy(home)],
      ] as const) {
        bench.progress(target)
        rows.push({ target, values: { milliseconds: await medianTime(once) }, wrong: 0 })
      }
      return rows
    } finally {
      await home.remove()
    }
  },
}

/** Of several times; what `once` returns is undone outside of the time. */
async function medianTime(once: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let time = 0; time < TIMES; time++) {
    const from = performance.now()
    const undo = await once()
    times.push(performance.now() - from)
    if (typeof undo === 'function') await undo()
  }
  return median(times)
}

async function startUntilHealthy(home: Home): Promise<() => Promise<void>> {
  const server = await startServer([process.execPath, PROGRAM, ...START], { core: 'measured', env: home.env })
  const health = await fetch(`http://127.0.0.1:${server.port}/health`)
  await health.text()
  if (health.status !== 200) throw new Error(`/health answered ${health.status}`)
  return server.stop
}
