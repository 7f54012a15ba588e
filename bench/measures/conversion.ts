import type { Conversion, ConversionPlan } from '../conversion.ts'
import { benchProgram, runProgram } from '../processes.ts'
import type { Measure } from './measure.ts'

const SECONDS = 0.5
/** Of the ChatGPT backend: text, text after reasoning, and calls of tools. */
const STREAMS = ['chatgpt-text-stream', 'chatgpt-reasoning-stream', 'chatgpt-parallel-tools-stream']

/** What converting real answers costs, without what carries them. */
export const conversion: Measure = {
  name: 'conversion',
  title: 'Recorded answers of the ChatGPT backend to Chat, in process',
  columns: [
    { key: 'hot', title: 'µs/event', digits: 2, against: [] },
    { key: 'plain', title: 'µs/event with all events parsed', digits: 2, against: [] },
    { key: 'share', title: '÷', digits: 2, against: [] },
    { key: 'events', title: 'events', digits: 0, against: [] },
  ],
  async run(bench) {
    bench.progress('recorded streams')
    const plan: ConversionPlan = { streams: STREAMS, seconds: SECONDS }
    const said = await runProgram(benchProgram('./conversion.ts', plan), { core: 'measured', showErrors: true })
    const found: Conversion[] = JSON.parse(said)
    return found.map(({ events, hotMicros, plainMicros, equal }, index) => ({
      target: STREAMS[index] ?? '',
      values: { events, hot: hotMicros, plain: plainMicros, share: hotMicros / plainMicros },
      wrong: equal ? 0 : 1,
      firstProblem: equal ? undefined : 'the hot path gives other chunks',
    }))
  },
}
