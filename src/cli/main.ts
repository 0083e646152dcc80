#!/usr/bin/env node
import { writeSync } from 'node:fs'
import module from 'node:module'
import { version } from './version.ts'

// Loads what is asked for and no more: scripts call this program once a case. In the package this file is CommonJS,
// which starts sooner (scripts/bundle.mjs).
const [word, ...rest] = process.argv.slice(2)
if ((word === '--version' || word === '-V') && rest.length === 0) printVersion()
else {
  // From Node 22 on, compiled code is kept between runs (in the system's temporary folder; NODE_DISABLE_COMPILE_CACHE=1
  // switches it off).
  const { enableCompileCache } = module as typeof module & { enableCompileCache?: () => unknown }
  enableCompileCache?.()
  void import('./run.ts')
}

function printVersion(): void {
  try {
    writeSync(1, `${version()}\n`)
  } catch (error) {
    // A reader that went away is no failure.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}
