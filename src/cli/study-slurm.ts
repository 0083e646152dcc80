import { execFile } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { openStudy } from '../study/open-study.ts'
import { type SlurmOptions, writeSlurmJob } from '../study/slurm.ts'
import { runtimeVersions } from '../study/versions.ts'
import { InputError } from '../volume/errors.ts'
import { wholeNumber } from './numbers.ts'
import type { JsonOption } from './options.ts'
import { checkOutputFolder } from './outputs.ts'
import { printResult } from './print.ts'
import { readStudySource, studyFolder } from './study-source.ts'
import { version } from './version.ts'

interface Options extends JsonOption, SlurmOptions {
  readonly output?: string
  readonly skipBad?: boolean
  readonly submit?: boolean
}

/** `halfdice study slurm`: the study as an array job. */
export function slurmCommand(): Command {
  return new Command('slurm')
    .summary('run it on a Slurm cluster')
    .description(
      "Reads the data once and writes scripts for Slurm into the study's folder: an array job for what is open, and\n" +
        'the report after it. Tasks may be requeued or cancelled at any moment; run it again for what is left.',
    )
    .argument('<config>', 'YAML file of the study')
    .option('-o, --output <folder>', 'folder of the study, which all machines see (default: as of `study`)')
    .option('--array-limit <number>', 'tasks at once', wholeNumber('--array-limit', 1, 100_000))
    .option('--sbatch <options...>', 'more options of sbatch: --sbatch=--partition=short --sbatch=--account=lab')
    .option('--skip-bad', 'leave out cases that cannot be read, and count them in the report')
    .option('--submit', 'submit the job as well')
    .action((path: string, _: object, command: Command) => run(path, command.optsWithGlobals()))
}

async function run(path: string, options: Options): Promise<void> {
  const source = await readStudySource(path)
  const folder = studyFolder(path, options.output)
  checkOutputFolder(folder)
  const skipBad = options.skipBad === true
  const { plan, study } = await openStudy(source, folder, runtimeVersions(version()), { skipBad })
  const command = [process.execPath, resolve(process.argv[1])]
  const job = await writeSlurmJob(study, plan, folder, path, command, options)
  const submitted = options.submit && job.openCells > 0 ? await submit(job.submit) : null
  printResult(options.json, { ...job, submitted }, () => {
    if (job.openCells === 0) return `${dirname(job.script)}: nothing is open; halfdice study report ${folder}`
    const time = job.seconds === undefined ? "the cluster's own time limit" : `${(job.seconds / 3600).toFixed(1)} hours`
    const asks = `${job.tasks} tasks for ${job.openCells} open cells, each one core, ${job.megabytes} MB, ${time}`
    const next = submitted === null ? `submit it: bash ${job.submit}` : `submitted as job ${submitted}`
    return `${job.script}: ${asks}\n${next}`
  })
}

async function submit(script: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('bash', [script])
    return stdout.trim()
  } catch (error) {
    const { stderr = '', code } = error as { stderr?: string; code?: string | number }
    const last = stderr.trim().split('\n').at(-1) ?? ''
    const missing = code === 'ENOENT' || /sbatch: (command )?not found/.test(stderr)
    const fault = missing ? 'Slurm (sbatch) is not on this machine' : last || 'sbatch failed'
    throw new InputError('--submit', `${fault}; submit ${script} where Slurm is`)
  }
}
