import { defineConfig } from 'vitest/config'

// The tests that `npm run mutate` runs against each changed line: those beside the code, which need no build. One room
// alone: MUTATE_ROOM=noise npm run mutate -- --mutate 'src/noise/**/*.ts'
const rooms = process.env.MUTATE_ROOM ?? '{volume,decision,noise,metrics,maps}'

export default defineConfig({
  test: {
    include: [`src/${rooms}/**/*.test.ts`],
    testTimeout: 60_000,
  },
})
