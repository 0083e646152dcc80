import { join } from 'node:path'
import { Command, Option } from 'commander'
import { type ConsensusRule, consensusRules } from '../annotators/consensus.ts'
import { type AnnotatorCases, findAnnotatorCases } from '../datasets/annotator-cases.ts'
import { consensusCases, consensusFile } from '../datasets/consensus-cases.ts'
import { fitCases, type LabelFit } from '../datasets/fit-cases.ts'
import { describeMasks } from '../datasets/mask-labels.ts'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { pageFile } from '../report/page-file.ts'
import { InputError } from '../volume/errors.ts'
import { singleLabels } from '../volume/label-names.ts'
import { readLabelNamesFor, withLabels } from './labels.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson, withRandom } from './options.ts'
import { checkOutputFile, checkOutputFolder, outputsInFolder, protect } from './outputs.ts'
import { type Cell, fixed, percent, printResult, table, tell, warn } from './print.ts'
import { type Progress, startProgress } from './progress.ts'
import { version } from './version.ts'

interface Options extends JsonOption {
  readonly output?: string
  readonly consensus?: ConsensusRule
  readonly anonymous?: boolean
  readonly labels?: readonly string[]
  readonly draws: number
  readonly seed: number
  readonly report?: string
  readonly images?: string
  readonly threads: number
}

/** `halfdice raters`: how several annotators differ, and what they agree on. */
export function command(): Command {
  const command = new Command('raters')
    .description(
      'Tells from the masks of 2 to 20 annotators how noisy they are: σ and ℓ of their outlines in mm, biases, how ' +
        'often one draws nothing, and whether annotators simulated so agree as the real ones do. Or makes one mask ' +
        'of ' +
        'theirs (--consensus).',
    )
    .argument(
      '<masks...>',
      'a folder or pattern for each annotator, a file for each, or a folder with CASE/RATER files',
    )
    .option('-o, --output <path>', 'file for the fit (JSON); with --consensus the folder for its masks')
    .addOption(new Option('--consensus <rule>', 'write one label map a case').choices([...consensusRules]))
    .option('--anonymous', 'annotator 1 of one case is not annotator 1 of another')
    .option(
      '--draws <count>',
      'draws of cases for the 95 % intervals; 0 for none',
      wholeNumber('--draws', 0, 100_000),
      300,
    )
    .option('--report <file>', 'write an HTML page: the fit, its check, and the cases that agree least with slices')
    .option('--images <folder>', 'the images of the cases (CASE_0000.nii.gz or CASE.nii.gz), for --report')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice raters anna/ bert/ carla/ -o fit.json                   cases matched by name
  $ halfdice raters kidneys/ --anonymous                             kidneys/CASE/rater1.nii.gz, rater2, …
  $ halfdice raters anna/ bert/ carla/ --report noise.html --images imagesTr
  $ halfdice raters a.nii.gz b.nii.gz c.nii.gz                       one case: no intervals
  $ halfdice raters anna/ bert/ carla/ --consensus dice -o best/     the masks with the best mean Dice to all three

Consensus: majority (more than half), mean (the mean map cut at its t*, written to DIR/probabilities too), staple, or
dice (the best mean Dice of all masks). docs/annotators.md says how the fit is made and when it is not to be trusted.`,
    )
    .action(run)
  return withJson(withRandom(withLabels(command, 'these labels only')))
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const found = await findAnnotatorCases(paths)
  for (const warning of found.warnings) warn(warning)
  const files = found.cases.flatMap((one) => one.files.flatMap((file) => file ?? []))
  protect(files)
  if (options.images !== undefined && options.report === undefined) {
    throw new InputError('--images', 'is for the pictures of a report; add --report FILE.html')
  }
  if (options.consensus && options.report !== undefined) {
    throw new InputError('--report', 'is of the fit, which --consensus does not make; leave one of them out')
  }
  const names = await readLabelNamesFor(files[0])
  const labels = options.labels && singleLabels(options.labels, names)
  if (options.consensus) await runConsensus(found, options, options.consensus, labels, files)
  else await runFit(found, options, labels, files, (label) => names.of(label))
}

async function runConsensus(
  found: AnnotatorCases,
  { output, json, threads }: Options,
  rule: ConsensusRule,
  labels: readonly number[] | undefined,
  files: readonly string[],
): Promise<void> {
  if (output === undefined) throw new InputError('--consensus', 'needs a folder for its masks; add -o FOLDER')
  checkOutputFolder(output)
  outputsInFolder(output, files, [])
  for (const { name } of found.cases) checkOutputFile(consensusFile(output, name), files)
  if (rule === 'mean') {
    for (const { name } of found.cases) checkOutputFile(join(output, 'probabilities', `${name}.nii.gz`), files)
  }
  const progress = startProgress('consensus', found.cases.length)
  const { cases, failed } = await consensusCases(found, {
    rule,
    folder: output,
    labels,
    threads,
    onCase: progress.update,
  }).finally(progress.end)
  for (const warning of await describeMasks(cases.map(({ output, labels }) => ({ path: output, labels }))))
    warn(warning)
  report(failed, found.cases.length)
  for (const one of cases)
    for (const { warnings, label } of one.consensus.labels) {
      for (const text of warnings) warn(`${one.case}, label ${label}: ${text}`)
    }
  const result = {
    rule,
    annotators: found.annotators,
    cases: cases.map(({ consensus, labels: _, ...one }) => ({
      ...one,
      contestedVoxels: consensus.contested,
      labels: Object.fromEntries(consensus.labels.map(({ label, ...scores }) => [label, scores])),
    })),
    failed: failed.map(({ case: name, error }) => ({ case: name, error: error.message })),
  }
  printResult(json, result, () => {
    const rows = cases.flatMap(({ case: name, consensus }) =>
      consensus.labels.map((one): Cell[] => [
        name,
        one.label,
        one.voxels,
        fixed(one.meanDice, 4),
        ...one.annotators.map(({ dice }) => fixed(dice, 4)),
      ]),
    )
    const most = Math.max(0, ...rows.map((row) => row.length - 4))
    const header = ['case', 'label', 'voxels', 'mean Dice', ...Array.from({ length: most }, (_, r) => `Dice ${r + 1}`)]
    return `${output}: consensus by ${rule}\n\n${table(
      header,
      rows.map((row) => header.map((_, c) => row[c])),
    )}`
  })
}

async function runFit(
  found: AnnotatorCases,
  { output, json, anonymous = false, draws, seed, threads, report: page, images }: Options,
  labels: readonly number[] | undefined,
  files: readonly string[],
  nameOf: (label: number) => string | undefined,
): Promise<void> {
  if (output !== undefined) checkOutputFile(output, files)
  if (page !== undefined) checkOutputFile(pageFile(page), files)
  const progress = startProgress('annotators', found.cases.length)
  // Reading is done by then: simulating is what takes the time.
  let simulating: Progress | undefined
  const onFit = (done: number, of: number) => {
    simulating ??= startProgress('simulated annotators', of)
    simulating.update(done)
  }
  const fitting = { labels, anonymous, draws, seed, threads, onCase: progress.update, onFit }
  const fitted = await fitCases(found, fitting).finally(progress.end)
  report(fitted.failed, found.cases.length)
  if (fitted.failed.length === found.cases.length) return
  const own = fitted.labels.map((one) => [one.label, describeLabel(one, nameOf(one.label))] as const)
  if (own.length === 0) throw new InputError(files[0], 'and the others hold background only; give masks of an object')
  const result = {
    annotators: found.annotators,
    anonymous,
    // Of one label everything stands at the top too.
    ...(own.length === 1 && own[0][1]),
    labels: Object.fromEntries(own),
    failed: fitted.failed.map(({ case: name, error }) => ({ case: name, error: error.message })),
  }
  if (output !== undefined) await writeTextAtomically(output, `${JSON.stringify(result, null, 2)}\n`)
  if (page !== undefined) {
    // Loaded only when it is asked for.
    const { writeAnnotatorsReport } = await import('../report/raters/write.ts')
    const about = { report: page, found, fitted, anonymous, nameOf, images, version: version() }
    for (const warning of await writeAnnotatorsReport(about)) warn(warning)
  }
  for (const { label, reason } of fitted.labels) {
    if (reason === undefined) continue
    tell(`label ${label}: no fit: ${reason}`)
    process.exitCode = 1
  }
  const shown = { ...result, ...(page !== undefined && { report: page }) }
  printResult(json, shown, () =>
    [
      ...fitted.labels.map((one) => lines(one, found.annotators, nameOf(one.label))),
      ...(page === undefined ? [] : [`${page}: open it in a browser`]),
    ].join('\n\n'),
  )
}

/** Faults of single cases: named, and the exit code says so. */
function report(failed: readonly { readonly case: string; readonly error: InputError }[], total: number): void {
  if (failed.length === 1 && total === 1) throw failed[0].error
  for (const { case: name, error } of failed) tell(`${name}: ${error.message}`)
  if (failed.length > 0) {
    const all = failed.length === total
    tell(all ? `all ${total} cases failed` : `${failed.length} of ${total} cases failed; the others are done`)
    process.exitCode = 1
  }
}

function describeLabel({ fit, reason, observations }: LabelFit, name: string | undefined) {
  const agreement = {
    volumesMl: observations.map(({ case: one, present, volumesMl }) => ({ case: one, annotators: present, volumesMl })),
  }
  if (fit === undefined) return { ...(name !== undefined && { name }), reason, ...agreement }
  const { check, ...rest } = fit
  return { ...(name !== undefined && { name }), ...rest, ...check, ...agreement }
}

/** An interval whose ends are farther apart than this factor says nothing. */
const untold = 30

function lines({ label, fit, reason, observations }: LabelFit, annotators: readonly string[], name?: string): string {
  const called = name === undefined ? `Label ${label}` : `Label ${label} (${name})`
  const cases = observations.length === 1 ? '1 case' : `${observations.length} cases`
  const title = `${called}: ${cases}, ${annotators.length} annotators`
  if (fit === undefined) return `${title}; no fit: ${reason}`
  const span = (low: unknown, high: unknown, digits: number) =>
    low === null || high === null ? '' : `${several(low, digits)} to ${several(high, digits)}`
  const rows: Cell[][] = [
    ['σ mm', several(fit.sigmaMm.estimate, 3), span(fit.sigmaMm.low, fit.sigmaMm.high, 3)],
    ...(fit.lengthMm ? [['ℓ mm', fixed(fit.lengthMm.estimate, 2), span(fit.lengthMm.low, fit.lengthMm.high, 2)]] : []),
    ...(fit.biasSdMm
      ? [['τ of biases mm', fixed(fit.biasSdMm.estimate, 3), span(fit.biasSdMm.low, fit.biasSdMm.high, 3)]]
      : []),
    ...(fit.biasMm ?? []).map(({ estimate, low, high }, r) => [
      `bias of ${annotators[r]} mm`,
      fixed(estimate, 3),
      span(low, high, 3),
    ]),
    ['presence q', fixed(fit.presence.estimate, 3), span(fit.presence.low, fit.presence.high, 3)],
    ['gross errors', percent(fit.grossErrors.estimate), ''],
  ]
  const { check } = fit
  const spread = (fit.lengthMm?.high ?? 1) / (fit.lengthMm?.low ?? 1)
  const unknown =
    spread > untold ? ['', `These cases do not tell ℓ: its interval spans a factor of ${spread.toFixed(0)}.`] : []
  const tail = check
    ? [
        '',
        `Pairs agree by a mean Dice of ${fixed(check.dice.real, 4)}, ` +
          `simulated ones by ${fixed(check.dice.simulated, 4)}; ` +
          `HD95 ${fixed(check.hd95Mm.real, 2)} mm, simulated ${fixed(check.hd95Mm.simulated, 2)} mm.`,
        check.fits ? 'The model fits.' : `The model does not fit: ${check.misfits.join('; ')}.`,
      ]
    : ['', 'The annotators do not differ: there is no noise to fit.']
  const [first] = fit.leftOut
  const left = first
    ? [`${fit.leftOut.length} cases without outlines to compare, such as ${first.case}: ${first.reason}.`]
    : []
  return [title, '', table(['', 'estimate', '95 % interval'], rows), ...unknown, ...tail, ...left].join('\n')
}

function several(value: unknown, digits: number): string {
  return [value]
    .flat()
    .map((each) => fixed(each as number, digits))
    .join(',')
}
