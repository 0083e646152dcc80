import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// The tests that `npm run mutate` runs against each changed line: those beside the code, and those of the command line
// that need no process of their own. One room alone: MUTATE_ROOM=noise npm run mutate -- --mutate 'src/noise/**/*.ts'
const rooms = process.env.MUTATE_ROOM ?? '{volume,decision,noise,metrics,maps}'
// The lower rooms have tests of their own for each line; what `maps` does shows in commands.
const commands = /maps/.test(rooms)
  ? ['labels', 'pipelines', 'threshold', 'threshold-report', 'tune', 'evaluate-cohort']
  : []

/** Quick files first: the first test that fails is the last that runs. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const late = (file: TestSpecification) => Number(!file.moduleId.includes('/src/'))
    return files.toSorted((a, b) => late(a) - late(b))
  }
}

export default defineConfig({
  test: {
    include: [`src/${rooms}/**/*.test.ts`, ...commands.map((name) => `test/${name}.test.ts`)],
    alias: { 'fast-check': fileURLToPath(new URL('test/support/few-runs.ts', import.meta.url)) },
    env: { HALFDICE_IN_PROCESS: '1' },
    sequence: { sequencer: QuickFirst },
    testTimeout: 60_000,
  },
})
