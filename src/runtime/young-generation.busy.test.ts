import type { PerformanceObserverEntryList } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { beforeEach, expect, test, vi } from 'vitest'
import { limitYoungGeneration } from './young-generation.ts'

const { collections } = vi.hoisted(() => ({ collections: { tell: (_list: PerformanceObserverEntryList) => {} } }))
vi.mock('node:perf_hooks', () => ({
  PerformanceObserver: class {
    constructor(tell: typeof collections.tell) {
      collections.tell = tell
    }
    observe() {}
  },
}))
vi.mock('node:v8', () => ({
  setFlagsFromString: vi.fn(),
  // Between the two sizes: large for a proxy that does little, not for a busy one.
  getHeapSpaceStatistics: () => [{ space_name: 'new_space', space_used_size: 3e6, space_available_size: 2e6 }],
}))

let now = 0
beforeEach(() => {
  now = 0
  vi.mocked(setFlagsFromString).mockClear()
  limitYoungGeneration()
})

/** So many collections, that far apart in milliseconds. */
function collect(count: number, apart: number): void {
  for (let done = 0; done < count; done++) {
    now += apart
    collections.tell({ getEntries: () => [{ startTime: now }] } as unknown as PerformanceObserverEntryList)
  }
}

const LIMITED = ['--semi-space-growth-factor=1']
const FREE = ['--semi-space-growth-factor=2']

test('a start does not count as busy', () => {
  collect(10, 5)
  expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([LIMITED])
})

test('many collections in a row let it grow, and a pause ends that at once', () => {
  collect(30, 10)
  expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([LIMITED, FREE])
  collect(1, 3_600_000)
  expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([LIMITED, FREE, LIMITED])
})

test('what was before a pause, however long it was, is soon forgotten', () => {
  collect(30, 10)
  collect(1, 3_600_000)
  collect(10, 10)
  expect(vi.mocked(setFlagsFromString).mock.lastCall).toEqual(FREE)
})
