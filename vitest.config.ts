import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Whole-program tests start real processes; the bound is for a hang, not a timing.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is waited for comes late on a busy machine; the one second of Vitest would be a timing.
    expect: { poll: { timeout: 30_000 } },
  },
})
