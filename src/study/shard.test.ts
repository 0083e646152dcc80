import { expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { parseShard } from './shard.ts'

test.each([
  ['2/8', {}, { index: 2, count: 8 }],
  [
    'auto',
    { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_MAX: '12' },
    { index: 3, count: 12 },
  ],
  [
    'auto',
    { SLURM_ARRAY_TASK_ID: '4', SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_MAX: '8', SLURM_ARRAY_TASK_STEP: '4' },
    { index: 2, count: 3 },
  ],
  [
    'auto',
    // Outside of an array SGE says `undefined`.
    { SGE_TASK_ID: '5', SGE_TASK_FIRST: '1', SGE_TASK_LAST: '9', SGE_TASK_STEPSIZE: '2' },
    { index: 3, count: 5 },
  ],
  ['auto/20', { PBS_ARRAY_INDEX: '20' }, { index: 20, count: 20 }],
  ['auto/20', { PBS_ARRAYID: '1' }, { index: 1, count: 20 }],
  ['auto', { AWS_BATCH_JOB_ARRAY_INDEX: '0', AWS_BATCH_JOB_ARRAY_SIZE: '6' }, { index: 1, count: 6 }],
  ['auto/5', { JOB_COMPLETION_INDEX: '4' }, { index: 5, count: 5 }],
])('%s in %o', (text, environment, shard) => {
  expect(parseShard(text, environment)).toEqual(shard)
})

test.each([
  ['0/4', {}, "'0/4' is no part"],
  ['5/4', {}, "'5/4' is no part"],
  ['2', {}, "'2' is no part"],
  ['automatic', {}, "'automatic' is no part"],
  ['auto', {}, 'auto found none of SLURM_ARRAY_TASK_ID'],
  ['auto', { SGE_TASK_ID: 'undefined' }, 'auto found none of'],
  ['auto', { JOB_COMPLETION_INDEX: '1' }, 'Kubernetes does not say how many tasks there are; write auto/N'],
  ['auto/2', { JOB_COMPLETION_INDEX: '2' }, 'JOB_COMPLETION_INDEX=2 is none of 2 tasks from 0 on'],
])('%s in %o is refused', (text, environment, says) => {
  expect(() => parseShard(text, environment)).toThrow(InputError)
  expect(() => parseShard(text, environment)).toThrow(says)
})
