import { dirname } from 'node:path'
import { Command, Option } from 'commander'
import { patientRule } from '../datasets/dataset.ts'
import { several } from '../datasets/image-folder.ts'
import { findLabelCases } from '../datasets/label-cases.ts'
import { patientOf } from '../datasets/nnunet.ts'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { createFolder } from '../formats/output-folder.ts'
import { filesOf, matchCases } from '../maps/find-cases.ts'
import { candidateNames, type TuneResult, tuneCases } from '../maps/tune/tune-cases.ts'
import { tunedText } from '../maps/tune/tuned.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { realNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFile, protect } from './outputs.ts'
import { fixed, printResult, table, tell, warn } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly suffix?: string
  readonly patients?: string
  readonly decode?: 'separate' | 'exclusive' | 'regions'
  readonly classes?: string
  readonly datasetJson?: string
  readonly scale?: number
  readonly logits?: 'softmax' | 'sigmoid'
}

/** `halfdice tune`: how to cut the maps of a network, learnt from validation cases. */
export function command(): Command {
  const command = new Command('tune')
    .description(
      'Chooses for each class of a network where its probabilities are cut and whether they are calibrated first, by ' +
        'cross-validation over patients, from validation cases with references; threshold --tuned applies it to new ' +
        'cases. Where nothing is better than 1/2 by its interval, 1/2 stays.',
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
    .addHelpText('after', help)
    .action(run)
  return withJson(command)
}

const help = `
Examples:
  $ halfdice tune validation/ labelsTr -o tuned.json
  $ halfdice threshold new_cases/ -o masks --tuned tuned.json
  $ halfdice tune model/fold_*/validation labelsTr -o tuned.json       nnU-Net's own cross-validation, with its .npz
  $ halfdice tune maps/ 'refs/{case}_seg.nii.gz' -o tuned.json --patients '^(p\\d+)'

Tried for each class: 1/2; each case's own t*; t* of all cases pooled; the single threshold with the best mean Dice; and
each case's t* after temperature scaling and after beta calibration. The gain that is printed is that of the whole
procedure in cases that neither the choice nor the fits have seen, with its 95 % bootstrap interval over patients.
Scores are those of each class's own mask: where classes exclude each other, the few voxels that two of them claim are
counted for both (docs/tune.md).`

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { output, suffix, patients, json, ...opening } = options
  if (paths.length < 2) throw new InputError('tune', "needs probabilities and references; see 'halfdice tune --help'")
  const { cases, warnings } = await matchCases(paths.slice(0, -1), { suffix })
  const references = await findLabelCases(paths.slice(-1), { suffix })
  for (const warning of [...warnings, ...references.warnings]) warn(warning)
  protect([options.datasetJson, ...cases.flatMap(filesOf), ...references.cases.map(({ input }) => input)])
  checkOutputFile(output, [])
  const progress = startProgress('tuning', cases.length)
  const patientOfCase = patientRule(patients, patientOf)
  const result = await tuneCases(cases, references.cases, {
    ...opening,
    patientOf: patientOfCase,
    onCase: progress.update,
  }).finally(progress.end)
  const { tuned, choices, failures, withoutReference } = result
  for (const warning of result.warnings) warn(warning)
  if (withoutReference.length > 0) {
    warn(`no reference for ${withoutReference.length} cases: ${several(withoutReference)}; not used`)
  }
  for (const { error } of failures) tell(error.message)
  await createFolder(dirname(output))
  await writeTextAtomically(output, tunedText(tuned))
  const printed = {
    output,
    choices: choices.map(({ name, candidate, rule, dice, gain: { value, low, high }, ...rest }) => ({
      label: name,
      rule: candidateNames[candidate],
      ...rule,
      meanDice: dice,
      gain: { mean: value, low, high },
      ...rest,
    })),
    cases: tuned.cases,
    ...(failures.length > 0 && { failed: failures.map(({ input, error }) => ({ input, error: error.message })) }),
  }
  printResult(json, printed, () => describe(output, result))
  if (failures.length > 0) {
    throw new RunError('tune', `${failures.length} of ${cases.length} cases failed; tuned on the others`)
  }
}

function describe(output: string, { choices, tuned }: TuneResult): string {
  const [{ cases, patients }] = choices
  const count = tuned.classes.length
  const people = patients === cases ? 'each a patient of its own' : `of ${patients} patients`
  const rows = choices.map(({ name, candidate, rule, diceAtHalf, dice, gain }) => [
    name,
    candidateNames[candidate],
    fixed(rule.at, 4),
    fixed(diceAtHalf, 4),
    fixed(dice, 4),
    `${signed(gain.value)} (${signed(gain.low)} to ${signed(gain.high)})`,
  ])
  const header = ['class', 'cut at', 'threshold', 'Dice at 1/2', 'tuned', 'gain to expect (95 %)']
  const tried = choices.flatMap(({ name, tried: all }) =>
    all.map(({ candidate, dice, difference: d }) => [
      name,
      candidateNames[candidate],
      fixed(dice, 4),
      candidate === 'half' ? '' : `${signed(d.value)} (${signed(d.low)} to ${signed(d.high)})`,
    ]),
  )
  return [
    `${output}: ${count === 1 ? 'a class' : `${count} classes`} tuned on ${cases} cases, ${people}`,
    '',
    table(header, rows),
    '',
    'What was tried, cross-fitted:',
    '',
    table(['class', 'cut at', 'mean Dice', 'against 1/2 (95 %)'], tried),
  ].join('\n')
}

function signed(x: number): string {
  return `${x < 0 ? '' : '+'}${x.toFixed(4)}`
}
