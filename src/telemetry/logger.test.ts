import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isoClock } from './logger.ts'

test('times are written as Date writes them, also when the clock is set back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 4_000_000_000_000 }), { minLength: 1 }), (times) => {
      const clock = times.flatMap((time) => [time, time + 1, time])
      const stamp = isoClock(() => clock.shift() ?? 0)
      for (const time of [...clock]) expect(stamp()).toBe(new Date(time).toISOString())
    }),
  )
})
