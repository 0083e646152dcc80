import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'app/**/*.test.ts', 'test/**/*.test.ts'],
    // On two cores Vitest would run one file at a time; many of them wait for processes most of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Numerical tests on real volumes take seconds; the limit only guards against a hang.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A page drawn without a graphics card answers a key after seconds where other work takes the cores.
    expect: { poll: { timeout: 60_000 } },
  },
})
