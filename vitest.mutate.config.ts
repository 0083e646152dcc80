import { defineConfig } from 'vitest/config'

// The tests that `npm run mutate` runs against each changed line: those beside the code, which need no build.
export default defineConfig({
  test: {
    include: ['src/{volume,decision,noise,metrics,maps}/**/*.test.ts'],
    testTimeout: 60_000,
  },
})
