import { dirname } from 'node:path'
import { Command, Option } from 'commander'
import { patientRule } from '../datasets/dataset.ts'
import { several } from '../datasets/image-folder.ts'
import { findLabelCases } from '../datasets/label-cases.ts'
import { patientOf } from '../datasets/nnunet.ts'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { createFolder } from '../formats/output-folder.ts'
import { filesOf, matchCases } from '../maps/find-cases.ts'
import { toldCandidates } from '../maps/tune/choose-rule.ts'
import { candidateName, ruleSentence } from '../maps/tune/rule.ts'
import { type TuneResult, tuneCases } from '../maps/tune/tune-cases.ts'
import { gainJson, tunedText } from '../maps/tune/tuned.ts'
import { pageFile } from '../report/page-file.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { withLabels } from './labels.ts'
import { realNumber } from './numbers.ts'
import { type JsonOption, withJson, withThreads } from './options.ts'
import { checkOutputFile, protect } from './outputs.ts'
import { fixed, printResult, table, tell, warn } from './print.ts'
import { startProgress } from './progress.ts'
import { version } from './version.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly suffix?: string
  readonly patients?: string
  readonly decode?: 'separate' | 'exclusive' | 'regions'
  readonly classes?: string
  readonly datasetJson?: string
  readonly labels?: readonly string[]
  readonly scale?: number
  readonly logits?: 'softmax' | 'sigmoid'
  readonly report?: string
  readonly threads: number
}

/** `halfdice tune`: how to cut the maps of a network, learnt from validation cases. */
export function command(): Command {
  const command = new Command('tune')
    .description(
      'Chooses for each class of a network where its probabilities are cut, whether they are calibrated first and ' +
        'masks are post-processed, by cross-validation over patients, from validation cases with references; ' +
        'threshold --tuned applies it to new cases. Where nothing is better than 1/2 by its interval, 1/2 stays.',
    )
    .argument('<probabilities...>', 'as threshold takes them, and last the references: a folder or a pattern')
    .requiredOption('-o, --output <file>', 'what was chosen, as JSON for threshold --tuned')
    .option('--suffix <text>', "what names of references have more than the case's name: _seg for CASE_seg.nii.gz")
    .option('--patients <pattern>', "regular expression for a case's patient, whose cases are never parted")
    .addOption(
      new Option('--decode <how>', 'how maps are decoded (see threshold)').choices([
        'exclusive',
        'regions',
        'separate',
      ]),
    )
    .option('--classes <names>', 'names of the maps in order (see threshold)')
    .option('--dataset-json <file>', 'nnU-Net dataset.json with names and regions (default: that of the arrays)')
    .option(
      '--scale <number>',
      'what stands for probability 1 in the files',
      realNumber('--scale', (s) => s > 0, 'greater than 0'),
    )
    .addOption(
      new Option(
        '--logits <function>',
        'the files hold logits: of a softmax over all maps, or of a sigmoid each',
      ).choices(['softmax', 'sigmoid']),
    )
    .option('--report <file>', 'write an HTML page: what was chosen, from what, and what to expect')
    .addHelpText('after', help)
    .action(run)
  return withJson(withThreads(withLabels(command, 'tune these classes only, for threshold with the same --labels')))
}

const help = `
Examples:
  $ halfdice tune validation/ labelsTr -o tuned.json
  $ halfdice threshold new_cases/ -o masks --tuned tuned.json
  $ halfdice tune model/fold_*/validation labelsTr -o tuned.json       nnU-Net's own cross-validation, with its .npz
  $ halfdice tune maps/ 'refs/{case}_seg.nii.gz' -o tuned.json --patients '^(p\\d+)'

Tried for each class: 1/2; each case's own t*, and its cut by the reciprocal-moment approximation (RMA); t* of all cases
pooled; the single threshold with the best mean Dice; and each case's t* after temperature scaling and after beta
calibration. With each of them: holes filled, the largest component kept, components below a volume removed. The gain
that is printed is that of the whole procedure in cases that neither the choice nor the fits have seen, with its 95 %
bootstrap interval over patients. Scores are those of each class's own mask: where classes exclude each other, the few
voxels that two of them claim are counted for both (docs/tune.md).`

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { output, suffix, patients, json, report, threads, ...opening } = options
  if (paths.length < 2) throw new InputError('tune', "needs probabilities and references; see 'halfdice tune --help'")
  const { cases, warnings } = await matchCases(paths.slice(0, -1), { suffix })
  const references = await findLabelCases(paths.slice(-1), { suffix })
  for (const warning of [...warnings, ...references.warnings]) warn(warning)
  protect([options.datasetJson, ...cases.flatMap(filesOf), ...references.cases.map(({ input }) => input)])
  for (const path of [output, ...(report === undefined ? [] : [pageFile(report)])]) checkOutputFile(path, [])
  const progress = startProgress('tuning', cases.length)
  const patientOfCase = patientRule(patients, patientOf)
  const result = await tuneCases(cases, references.cases, {
    ...opening,
    threads,
    patientOf: patientOfCase,
    patientPattern: patients,
    onCase: progress.update,
  }).finally(progress.end)
  const { tuned, choices, failures, withoutReference } = result
  for (const warning of result.warnings) warn(warning)
  if (withoutReference.length > 0) {
    warn(`no reference for ${counted(withoutReference.length)}: ${several(withoutReference)}; not used`)
  }
  for (const { error } of failures) tell(error.message)
  await createFolder(dirname(output))
  await writeTextAtomically(output, tunedText(tuned))
  if (report !== undefined) {
    // Loaded only when it is asked for.
    const { tuneReport } = await import('../report/tune/page.ts')
    await createFolder(dirname(report))
    await writeTextAtomically(report, tuneReport({ result, output, version: version() }))
  }
  const printed = {
    output,
    choices: choices.map(({ name, candidate: _, rule, dice, gain, gainOfNew, meanDice: _curve, ...rest }) => ({
      label: name,
      rule: ruleSentence(rule),
      ...rule,
      meanDice: dice,
      gain: gainJson(gain, gainOfNew),
      ...rest,
    })),
    cases: tuned.cases,
    ...(report !== undefined && { report }),
    ...(failures.length > 0 && { failed: failures.map(({ input, error }) => ({ input, error: error.message })) }),
  }
  printResult(json, printed, () => describe(output, result, report))
  if (failures.length > 0) {
    throw new RunError('tune', `${failures.length} of ${cases.length} cases failed; tuned on the others`)
  }
}

const counted = (n: number): string => (n === 1 ? '1 case' : `${n} cases`)

function describe(output: string, { choices, tuned }: TuneResult, report: string | undefined): string {
  const [{ cases, patients }] = choices
  const count = tuned.classes.length
  const people = patients === cases ? 'each a patient of its own' : `of ${patients} patients`
  const rows = choices.map(({ name, rule, diceAtHalf, dice, gain, gainOfNew }) => [
    name,
    ruleSentence(rule),
    fixed(diceAtHalf, 4),
    fixed(dice, 4),
    `${signed(gain.value)} (${signed(gain.low)} to ${signed(gain.high)})`,
    `${signed(gainOfNew.low)} to ${signed(gainOfNew.high)}`,
  ])
  const header = ['class', 'rule', 'Dice at 1/2', 'tuned', 'gain to expect (95 %)', `mean of ${patients} new patients`]
  const tried = choices.flatMap((choice) =>
    toldCandidates(choice).map(({ dice, difference: d, ...candidate }) => [
      choice.name,
      candidateName(candidate),
      fixed(dice, 4),
      candidateName(candidate) === '1/2' ? '' : `${signed(d.value)} (${signed(d.low)} to ${signed(d.high)})`,
    ]),
  )
  const few = `With fewer than seven patients nothing is told from chance, and 1/2 stays.`
  return [
    `${output}: ${count === 1 ? 'a class' : `${count} classes`} tuned on ${counted(cases)}, ${people}`,
    '',
    table(header, rows),
    '',
    ...(tried.length === 0
      ? [few]
      : ['What was tried, cross-fitted:', '', table(['class', 'cut at', 'mean Dice', 'against 1/2 (95 %)'], tried)]),
    ...(report === undefined ? [] : ['', `${report}: open it in a browser`]),
  ].join('\n')
}

function signed(x: number): string {
  return `${x < 0 ? '' : '+'}${x.toFixed(4)}`
}
