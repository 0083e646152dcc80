import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'app/**/*.test.ts', 'test/**/*.test.ts'],
    // Numerical tests on real volumes take seconds; the limit only guards against a hang.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A page drawn without a graphics card answers a key after seconds where other work takes the cores.
    expect: { poll: { timeout: 60_000 } },
  },
})
