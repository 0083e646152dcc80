import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { wholeNumber } from './numbers.ts'

/** What every command that prints a result takes. */
export interface JsonOption {
  readonly json?: boolean
}

/** Adds `--json`. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON object instead of a table')
}

export interface RandomOptions {
  readonly seed: number
  readonly threads: number
}

/** Adds `--seed` and `--threads`; the result depends on the seed only. */
export function withRandom(command: Command): Command {
  return command
    .option('--seed <number>', 'fixes every random number', wholeNumber('--seed', 0, 0xffffffff), 0)
    .option(
      '--threads <number>',
      'worker threads (the result does not depend on it)',
      wholeNumber('--threads', 1, 1024),
      availableParallelism(),
    )
}
