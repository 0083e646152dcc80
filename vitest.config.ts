import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'app/**/*.test.ts', 'test/**/*.test.ts'],
    // Numerical tests on real volumes take seconds; the limit only guards against a hang.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
