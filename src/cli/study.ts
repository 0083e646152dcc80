import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { studyVerdict } from '../report/study/report.ts'
import { writeStudyReport } from '../report/study/write.ts'
import type { Conducted, StudyOptions } from '../study/conduct.ts'
import { exampleConfig } from '../study/presets.ts'
import { progressOf } from '../study/progress.ts'
import { gatherResults, type StudyResults } from '../study/results.ts'
import { parseShard } from '../study/shard.ts'
import { planOf, readStudyFile } from '../study/study-file.ts'
import { InputError } from '../volume/errors.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFolder } from './outputs.ts'
import { printResult, table, warn } from './print.ts'
import { runStudy } from './study-run.ts'
import { slurmCommand } from './study-slurm.ts'
import { readStudySource, studyFolder } from './study-source.ts'

interface Options extends JsonOption, StudyOptions {
  readonly output?: string
}

/** `halfdice study`: cross-validated comparison of losses and thresholds under label noise. */
export function command(): Command {
  const command = new Command('study')
    .description(
      'Trains with cross-entropy and with soft-Dice on noisy labels, cross-validated, and compares every way to cut ' +
        'the\nprobabilities. One folder holds networks, scores, tables and the report. Killed runs go on where they ' +
        'were.',
    )
    .argument('<config>', 'YAML file; `halfdice study init` writes one to start from')
    .option('-o, --output <folder>', 'folder of the study (default: study-NAME, after the configuration file)')
    .option(
      '--jobs <number>',
      'networks at once (default: one a core, as memory allows)',
      wholeNumber('--jobs', 1, 1024),
    )
    .addOption(
      new Option(
        '--shard <I/N>',
        'run a part only: several machines may share the folder; auto in a cluster’s array job',
      ).argParser((text) => parseShard(text)),
    )
    .option('--skip-bad', 'leave out cases that cannot be read, and count them in the report')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice study init study.yaml                 write a configuration with comments
  $ halfdice study study.yaml -o results
  $ halfdice study study.yaml -o results --shard 2/8    the second of eight machines
  $ halfdice study slurm study.yaml -o results --submit   on a Slurm cluster
  $ halfdice study status results
  $ halfdice study report results                  tables and report again, from the finished networks

The result depends on configuration, data and version, not on --jobs, --shard or how often a run was stopped.`,
    )
    .action(run)
  const init = new Command('init')
    .summary('write a configuration with comments')
    .description('Writes a configuration with a comment on every key.')
    .argument('[file]', 'YAML file to write', 'study.yaml')
    .action((file: string, _: object, command: Command) => initialise(file, command.optsWithGlobals()))
  const status = new Command('status')
    .summary('what is done and what is under way')
    .description("Says how much of a study is done. Reads the study's folder only.")
    .argument('<folder>', 'folder of the study')
    .action((folder: string, _: object, command: Command) => showStatus(folder, command.optsWithGlobals()))
  const report = new Command('report')
    .summary('tables and report again')
    .description(
      "Writes results.csv, summary.csv, comparisons.csv and report.html again from a finished study's folder.",
    )
    .argument('<folder>', 'folder of the study')
    .action((folder: string, _: object, command: Command) => writeAgain(folder, command.optsWithGlobals()))
  for (const sub of [init, status, report, slurmCommand()]) command.addCommand(withJson(sub))
  return withJson(command)
}

async function run(path: string, options: Options): Promise<void> {
  const source = await readStudySource(path)
  const folder = studyFolder(path, options.output)
  checkOutputFolder(folder)
  const begin = performance.now()
  const conducted = await runStudy(source, folder, { ...options, quiet: options.json === true })
  if (conducted === undefined) return
  const { results } = conducted
  if (results === undefined) printUnfinished(folder, conducted, options)
  else printDone(folder, results, options.json, (performance.now() - begin) / 1000)
}

function printDone(folder: string, results: StudyResults, json: boolean | undefined, seconds?: number): void {
  const report = join(folder, 'report.html')
  const total = results.plan.cells.length
  const verdict = studyVerdict(results)
  const result = {
    done: total,
    total,
    report,
    ...(seconds !== undefined && { seconds: Math.round(seconds * 10) / 10 }),
    verdict,
  }
  printResult(json, result, () => [...verdict, '', `${report}: open it in a browser`].join('\n'))
}

/** No failure: the run has done its part. But that there is no report, and who works on the rest, must be seen. */
function printUnfinished(folder: string, { plan, left, holders }: Conducted, { json }: Options): void {
  const total = plan.cells.length
  const done = total - left
  const who = holders.length === 0 ? 'no run holds them now' : `held by ${holders.join('; ')}`
  const remedy = `the run that finishes last writes the report, or \`halfdice study report ${folder}\` does then`
  if (json) warn(`no report yet: ${left} of ${total} cells are not finished (${who})`)
  printResult(json, { done, total, report: null, holders }, () =>
    [`${done} of ${total} cells are done; no report yet.`, `The rest is other runs' work (${who}): ${remedy}.`].join(
      '\n',
    ),
  )
}

async function initialise(file: string, { json }: JsonOption): Promise<void> {
  try {
    await writeFile(file, exampleConfig, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new InputError(file, 'exists already; give another name')
  }
  printResult(json, { file }, () => `${file}: edit it, then run: halfdice study ${file}`)
}

async function showStatus(folder: string, { json }: JsonOption): Promise<void> {
  const study = await readStudyFile(folder)
  const plan = planOf(study)
  const { rows, done, underWay, trainingHours, hoursLeft } = await progressOf(plan, folder)
  const report = join(folder, 'report.html')
  const total = plan.cells.length
  const result = {
    done,
    total,
    underWay,
    trainingHours,
    hoursLeft: hoursLeft ?? null,
    report: existsSync(report) ? report : null,
    groups: rows,
  }
  printResult(json, result, () => {
    const head = ['organ', 'sigma, mm', 'loss', 'done', 'of', 'under way']
    const cells = rows.map((row) => [row.organ, row.sigmaMm, row.loss, row.done, row.total, row.underWay])
    const left = hoursLeft === undefined ? '' : `; about ${hoursLeft.toFixed(1)} hours left at this pace`
    const time = trainingHours === 0 ? '' : `; ${trainingHours.toFixed(2)} hours of training on one core each`
    return `${table(head, cells)}\n\n${done} of ${total} cells done, ${underWay} under way${time}${left}`
  })
}

async function writeAgain(folder: string, { json }: JsonOption): Promise<void> {
  const study = await readStudyFile(folder)
  const plan = planOf(study)
  const results = await gatherResults(folder, plan, study)
  await writeStudyReport(folder, results)
  printDone(folder, results, json)
}
