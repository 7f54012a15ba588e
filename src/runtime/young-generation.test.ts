import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const MODULE = new URL('young-generation.ts', import.meta.url).href

/**
 * Of a process in which most of what is made lives on: how large a half of its young generation stays, in bytes. For some
 * turns before a collection it may be larger (seen on Node 24).
 */
async function sizeOf(begin: string): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { setImmediate as turn } from 'node:timers/promises'
    import { limitYoungGeneration } from '${MODULE}'
    ${begin}
    const kept = []
    const sizes = []
    for (let round = 0; round < 300; round++) {
      for (let each = 0; each < 3000; each++) kept.push({ round, each: [each] })
      await turn()
      const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
      sizes.push(young.space_used_size + young.space_available_size)
    }
    // As a text: of a number FORCE_COLOR would make a coloured one.
    console.log(String(Math.min(...sizes.slice(-100))))`
  const { stdout } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program])
  return Number(stdout)
}

const EVER_BUSY = 'limitYoungGeneration(Infinity)'
const NEVER_BUSY = 'limitYoungGeneration(0)'
const UNLIMITED = 'limitYoungGeneration()()' // Ended at once.

test('the young generation stays small where objects live on, which makes it grow otherwise', async () => {
  const [limited, unlimited] = await Promise.all([sizeOf(EVER_BUSY), sizeOf(UNLIMITED)])
  expect(limited).toBeLessThan(0.6 * unlimited)
})

test('it is half as large where little is done', async () => {
  const [idle, busy] = await Promise.all([sizeOf(NEVER_BUSY), sizeOf(EVER_BUSY)])
  expect(idle).toBeLessThan(0.6 * busy)
})
