import { availableParallelism } from 'node:os'
import { type Command, Option } from 'commander'
import type { PresenceRule } from '../decision/decode/presence.ts'
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
  return withThreads(
    command.option('--seed <number>', 'fixes every random number', wholeNumber('--seed', 0, 0xffffffff), 0),
  )
}

/** Adds `--threads`. */
export function withThreads(command: Command): Command {
  return command.option(
    '--threads <number>',
    'cores to use (the result does not depend on it)',
    wholeNumber('--threads', 1, 1024),
    availableParallelism(),
  )
}

export interface PresenceOption {
  readonly presence: PresenceRule
}

/** Adds `--presence`, which the line on a doubtful class names (see `presenceNote`). */
export function withPresence(command: Command): Command {
  const what = 'classes without a voxel of 1/2: judged by their evidence, always there, or left out (likely)'
  return command.addOption(new Option('--presence <rule>', what).choices(['auto', 'always', 'likely']).default('auto'))
}
