import { chmod, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { readOwnFile } from '../formats/read-file.ts'
import type { EpochLog } from '../network/train.ts'
import { parseLog } from './cell-file.ts'
import type { StudyPlan } from './plan.ts'
import { networkBytes } from './pool.ts'
import { isFinished } from './run-study.ts'
import type { StudyFile } from './study-file.ts'

export interface SlurmOptions {
  /** Tasks of the array that run at once; default as many as the cluster lets. */
  readonly arrayLimit?: number
  /** Lines for `#SBATCH`, such as `--partition=short`. */
  readonly sbatch?: readonly string[]
}

/** What the scripts ask the cluster for. */
export interface SlurmJob {
  readonly script: string
  readonly submit: string
  readonly openCells: number
  readonly tasks: number
  /** Seconds for a task; undefined where no cell has been timed yet: then the cluster's own limit holds. */
  readonly seconds?: number
  readonly megabytes: number
}

/** Slurm's own default for the length of an array (MaxArraySize 1001). */
const mostTasks = 1000
/** Ahead of the time limit, so that a checkpoint is written: more than a step and a checkpoint take. */
const warningSeconds = 120
const reserve = 1.5

/**
 * Writes the scripts that run what is open of a study as an array job, and its report after it, into `slurm/` of the
 * study's folder: `study.sbatch`, `report.sbatch`, and `submit.sh`, which submits both. Tasks divide the cells among
 * them by their numbers; each may be requeued or cancelled at any moment and goes on from its checkpoints.
 *
 * @param command what runs halfdice, in words of a shell
 */
export async function writeSlurmJob(
  study: StudyFile,
  plan: StudyPlan,
  folder: string,
  config: string,
  command: readonly string[],
  { arrayLimit, sbatch = [] }: SlurmOptions = {},
): Promise<SlurmJob> {
  const open = plan.cells.filter((cell) => !isFinished(cell, folder))
  const tasks = Math.max(1, Math.min(open.length, mostTasks))
  const took = await finishedCosts(plan, folder, study.config.threads)
  const share = Math.ceil(open.length / tasks)
  const seconds = took.seconds > 0 ? Math.ceil(reserve * share * took.seconds) + 2 * warningSeconds : undefined
  const bytes = took.peakBytes > 0 ? took.peakBytes : networkBytes(study, plan)
  // The process that divides the work beside the one that trains.
  const megabytes = Math.ceil((1.3 * bytes + 200e6) / 100e6) * 100
  const place = resolve(folder, 'slurm')
  await mkdir(place, { recursive: true })
  const run = [...command, 'study', resolve(config), '-o', resolve(folder)].map(quoted).join(' ')
  const name = study.config.name.replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
  const head = (lines: readonly string[]) => ['#!/bin/bash', ...[...lines, ...sbatch].map((line) => `#SBATCH ${line}`)]
  const limit = arrayLimit === undefined ? '' : `%${arrayLimit}`
  const script = join(place, 'study.sbatch')
  await write(script, [
    ...head([
      `--job-name=${name}`,
      `--array=1-${tasks}${limit}`,
      `--cpus-per-task=${study.config.threads}`,
      `--mem=${megabytes}M`,
      ...(seconds === undefined ? [] : [`--time=${timeText(seconds)}`]),
      `--signal=USR1@${warningSeconds}`,
      '--requeue',
      '--open-mode=append',
      `--output=${join(place, '%A_%a.log')}`,
    ]),
    '# A task that is told of its end (USR1) writes a checkpoint and ends with 138: then it goes on in a new turn.',
    `srun ${run} --jobs 1 --shard auto`,
    'code=$?',
    `task=\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID`,
    'if [ $code -eq 138 ]; then scontrol requeue "$task"; exit 0; fi',
    'exit $code',
  ])
  const report = join(place, 'report.sbatch')
  await write(report, [
    ...head([
      `--job-name=${name}-report`,
      `--cpus-per-task=${study.config.threads}`,
      `--mem=${megabytes}M`,
      `--output=${join(place, 'report_%j.log')}`,
    ]),
    '# Finishes what is left, if anything, and writes tables and report.',
    `srun ${run} --jobs 1`,
  ])
  const submit = join(place, 'submit.sh')
  await write(submit, [
    '#!/bin/bash',
    'set -e -o pipefail',
    '# Where there are several clusters, the id is followed by its name.',
    `id=$(sbatch --parsable ${quoted(script)} | cut -d ';' -f 1)`,
    `sbatch --dependency="afterok:$id" ${quoted(report)} >/dev/null`,
    'echo "$id"',
  ])
  return { script, submit, openCells: open.length, tasks, ...(seconds !== undefined && { seconds }), megabytes }
}

async function write(path: string, lines: readonly string[]): Promise<void> {
  await writeTextAtomically(path, `${lines.join('\n')}\n`, { replace: true })
  await chmod(path, 0o755)
}

/** The dearest of the finished networks: its seconds, on as many threads as a task has, and its memory. */
async function finishedCosts(
  plan: StudyPlan,
  folder: string,
  threads: number,
): Promise<{ seconds: number; peakBytes: number }> {
  let [seconds, peakBytes] = [0, 0]
  for (const { path } of plan.cells) {
    const text = await readOwnFile(join(folder, path, 'timing.jsonl'))
    if (text === undefined) continue
    const lines = parseLog<Partial<EpochLog> & { readonly peakBytes?: number }>(String(text))
    seconds = Math.max(
      seconds,
      lines.reduce(
        // Threads that were spare here are not in a task: at worst each of them had done its full share.
        (sum, { seconds = 0, validationSeconds = 0, stepThreads = threads }) =>
          sum + (seconds * stepThreads) / threads + validationSeconds,
        0,
      ),
    )
    for (const line of lines) peakBytes = Math.max(peakBytes, line.peakBytes ?? 0)
  }
  return { seconds, peakBytes }
}

/** Days-hours:minutes:seconds, as Slurm reads them. */
function timeText(seconds: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  const clock = `${two((seconds % 86400) / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`
  return seconds < 86400 ? clock : `${Math.floor(seconds / 86400)}-${clock}`
}

function quoted(word: string): string {
  return /^[\w./=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
