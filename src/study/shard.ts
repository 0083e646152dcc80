import { InputError } from '../volume/errors.ts'
import type { Shard } from './run-study.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** How a batch system tells a task of an array job which one it is. */
interface TaskVariables {
  readonly system: string
  readonly index: string
  /** The first index; a number, or the variable that holds it. */
  readonly first: number | string
  /** The last index, or how many there are: the variable, where the system has one. */
  readonly last?: string
  readonly count?: string
  readonly step?: string
}

const systems: readonly TaskVariables[] = [
  {
    system: 'Slurm',
    index: 'SLURM_ARRAY_TASK_ID',
    first: 'SLURM_ARRAY_TASK_MIN',
    last: 'SLURM_ARRAY_TASK_MAX',
    step: 'SLURM_ARRAY_TASK_STEP',
  },
  { system: 'SGE', index: 'SGE_TASK_ID', first: 'SGE_TASK_FIRST', last: 'SGE_TASK_LAST', step: 'SGE_TASK_STEPSIZE' },
  { system: 'PBS', index: 'PBS_ARRAY_INDEX', first: 1 },
  { system: 'Torque', index: 'PBS_ARRAYID', first: 1 },
  { system: 'AWS Batch', index: 'AWS_BATCH_JOB_ARRAY_INDEX', first: 0, count: 'AWS_BATCH_JOB_ARRAY_SIZE' },
  { system: 'Kubernetes', index: 'JOB_COMPLETION_INDEX', first: 0 },
]

/**
 * The part of a study that `--shard` names: `2/8`, the second of eight; `auto`, the one that the batch system's index
 * variable names; `auto/8` where the system does not say how many there are (PBS, Kubernetes).
 *
 * @throws InputError where the text is none of these, or no batch system has set its variables
 */
export function parseShard(text: string, environment: Environment = process.env): Shard {
  const [, auto, count] = /^(auto)(?:\/(\d+))?$/.exec(text) ?? []
  if (auto !== undefined) return ofBatchSystem(count === undefined ? undefined : Number(count), environment)
  const [index, all] = text.split('/').map(Number)
  if (!/^\d+\/\d+$/.test(text) || index < 1 || index > all) {
    throw new InputError('--shard', `'${text}' is no part; write 1/4 to 4/4 for four machines, or auto in an array job`)
  }
  return { index, count: all }
}

function ofBatchSystem(given: number | undefined, environment: Environment): Shard {
  const found = systems.find(({ index }) => /^\d+$/.test(environment[index] ?? ''))
  if (found === undefined) {
    const names = systems.map(({ index }) => index).join(', ')
    throw new InputError('--shard', `auto found none of ${names}; use it in an array job, or write 1/4 to 4/4`)
  }
  const numberIn = (name: string | undefined) => {
    const text = name === undefined ? undefined : environment[name]
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
  }
  const first = typeof found.first === 'number' ? found.first : (numberIn(found.first) ?? 1)
  const step = numberIn(found.step) ?? 1
  const last = numberIn(found.last)
  const count =
    given ?? numberIn(found.count) ?? (last === undefined ? undefined : Math.floor((last - first) / step) + 1)
  if (count === undefined) {
    throw new InputError('--shard', `auto: ${found.system} does not say how many tasks there are; write auto/N`)
  }
  const index = ((numberIn(found.index) ?? 0) - first) / step + 1
  if (!Number.isInteger(index) || index < 1 || index > count) {
    const value = `${found.index}=${environment[found.index]}`
    throw new InputError('--shard', `auto: ${value} is none of ${count} tasks from ${first} on; write I/N`)
  }
  return { index, count }
}
