import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Vitest leaves one core free, so with two there would be one worker. Most of the time tests wait for other processes.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Whole-program tests start real processes; the bound is for a hang, not a timing.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is waited for comes late on a busy machine; the one second of Vitest would be a timing.
    expect: { poll: { timeout: 30_000 } },
  },
})
