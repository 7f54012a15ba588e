import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Whole-program tests start real processes; the bound is for a hang, not a timing.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
