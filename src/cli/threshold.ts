import { Command, Option } from 'commander'
import { several } from '../datasets/image-folder.ts'
import { findLabelCases } from '../datasets/label-cases.ts'
import { thresholdCases } from '../maps/threshold-cases.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { CaseWarnings } from './case-warnings.ts'
import { realNumber } from './numbers.ts'
import { withJson, withPresence } from './options.ts'
import { checkOutputFile, protect } from './outputs.ts'
import { printResult, tell, warn } from './print.ts'
import { startProgress } from './progress.ts'
import { type NamedJob, openJobs } from './threshold-jobs.ts'
import type { ThresholdOptions } from './threshold-options.ts'
import { describeCases, gainSentence } from './threshold-table.ts'
import { readTuned, warnOfTuned } from './threshold-tuned.ts'
import { version } from './version.ts'

/** `halfdice threshold`: masks from a network's probabilities. */
export function command(): Command {
  const command = new Command('threshold')
    .description(
      'Cuts probability maps where the expected Dice is largest: at t* = D*/2, half of the best Dice that the map ' +
        'allows, instead of at 1/2. Needs no labels and no retraining.',
    )
    .argument(
      '[probabilities...]',
      'images (3-D: one class, 4-D: one map a class), .npz of nnU-Net with its .pkl, .npy, or folders of them; ' +
        '- for standard input',
    )
    .requiredOption(
      '-o, --output <path>',
      'mask file; a folder where there are several cases; - for .npy on standard output',
    )
    .addOption(
      new Option('--scope <scope>', 'a threshold of its own for each case, or one for all of them pooled')
        .choices(['case', 'dataset'])
        .default('case'),
    )
    .addOption(
      new Option(
        '--metric <metric>',
        'what the mask is to maximise (IoU has the same mask as Dice; accuracy takes the likeliest)',
      )
        .choices(['dice', 'iou', 'accuracy'])
        .default('dice'),
    )
    .addOption(
      new Option(
        '--decode <how>',
        'one label map of classes that exclude each other or of nested regions, or separate masks (default: as ' +
          'dataset.json says; else exclusive for arrays and for images that add up to 1, separate for others)',
      ).choices(['exclusive', 'regions', 'separate']),
    )
    .option(
      '--classes <names>',
      'names of the maps in order, with labels if not 0, 1, 2 …: background,liver,tumour or whole=1+2',
    )
    .option('--dataset-json <file>', 'nnU-Net dataset.json with names and regions (default: the one beside the arrays)')
    .option(
      '--at <threshold>',
      'cut here instead, and tell what it is worth',
      realNumber('--at', (t) => t > 0 && t <= 1, 'greater than 0 and at most 1'),
    )
    .option('--tuned <file>', "cut each class as 'halfdice tune' chose on validation cases of the same network")
    .option(
      '--scale <number>',
      'what stands for probability 1 in the files (255, 65535, 100 …)',
      realNumber('--scale', (s) => s > 0, 'greater than 0'),
    )
    .addOption(
      new Option(
        '--logits <function>',
        'the files hold logits: of a softmax over all maps, or of a sigmoid each',
      ).choices(['softmax', 'sigmoid']),
    )
    .option(
      '--like <image>',
      'take geometry and header of the masks from this image, or from a folder of them by case name',
    )
    .option('--assume-present', 'the same as --presence always')
    .option('--report <file>', 'write an HTML page: what changed, flags, slices; and all rows as CSV beside it')
    .option(
      '--references <path>',
      'label maps called like the cases (a folder, a pattern): scores, calibration, tuned thresholds, for --report',
    )
    .option(
      '--images <folder>',
      'the images that the maps were computed from (CASE_0000.nii.gz or CASE.nii.gz), for the pictures of --report',
    )
    .option('--stdin-npy', 'read one .npy array [class, z, y, x] from standard input')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice threshold prob.nii.gz -o mask.nii.gz
  $ halfdice threshold predictions/*.nii.gz -o masks                 a threshold for each case
  $ halfdice threshold predictions/*.nii.gz -o masks --scope dataset one for all, best for the pooled Dice
  $ halfdice threshold nnunet_output/ -o masks                 a folder of CASE.npz and CASE.pkl, with dataset.json
  $ halfdice threshold softmax.nii.gz -o labels.nii.gz --decode exclusive  a 4-D softmax as a label map
  $ halfdice threshold nnunet_output/ -o masks --report report.html --references labelsTr --images imagesTr
  $ halfdice threshold new_cases/ -o masks --tuned tuned.json        as 'halfdice tune' chose on validation cases
  $ halfdice threshold prob.nii.gz -o mask.nii.gz --at 0.5 --json    what the usual cut would be worth
  $ halfdice threshold posterior.nii.gz -o mask.nii.gz --scale 255   probabilities stored as 0…255

A 4-D image whose maps add up to 1 gives one label map, any other a 4-D mask, each class cut on its own, unless
--decode says otherwise. A class whose probabilities are no evidence that it is there at all stays empty; standard
error says so (--presence, docs/pipelines.md). The Dice values are what the probabilities promise: they hold as far as
the network is calibrated ('halfdice evaluate' measures that where there are references).`,
    )
    .action(run)
  return withJson(withPresence(command))
}

async function run(inputs: readonly string[], given: ThresholdOptions): Promise<void> {
  const options = given.assumePresent ? { ...given, presence: 'always' as const } : given
  const { output, scope, metric } = options
  if (options.stdinNpy || inputs.join() === '-') {
    if (inputs.length > 0 && inputs.join() !== '-') {
      throw new InputError('--stdin-npy', 'reads standard input; give no files beside it')
    }
    if (scope === 'dataset') throw new InputError('--stdin-npy', 'is one case; leave --scope dataset out')
    return (await import('./threshold-stdin.ts')).runStdin(options)
  }
  if (inputs.length === 0) throw new InputError('threshold', "needs probabilities; see 'halfdice threshold --help'")
  if (output === '-') throw new InputError('-o -', 'writes the mask of --stdin-npy; give a file or folder')
  if (options.references !== undefined && options.report === undefined && !options.json) {
    throw new InputError('--references', 'is told in a report; add --report FILE.html (or --json)')
  }
  if (options.images !== undefined && options.report === undefined) {
    throw new InputError('--images', 'is for the pictures of a report; add --report FILE.html')
  }
  const tuned = options.tuned === undefined ? undefined : await readTuned(options.tuned, options)
  const cases = await openJobs(inputs, options)
  if (tuned && options.references !== undefined) warnOfTuned(cases, tuned, options.tuned ?? '')
  const watched = options.report !== undefined || options.references !== undefined
  const reviewer = watched ? await review(inputs, cases, options) : undefined
  const progress = startProgress('thresholding', cases.length * (scope === 'dataset' ? 3 : 1))
  const told = new CaseWarnings()
  let done = 0
  const { results, pooled, failures } = await thresholdCases(
    cases,
    { ...options, tuned },
    {
      onCase: () => progress.update(++done),
      onWarnings: (input, warnings) => told.add(input, warnings),
      review: reviewer && ((opened) => reviewer.begin(opened.source, opened.scheme)),
    },
  ).finally(progress.end)
  told.finish()
  for (const { error } of failures) tell(error.message)
  const summary = pooled?.flatMap((each) =>
    each ? [{ threshold: each.threshold, supDice: each.supDice, diceAtHalf: each.diceAtHalf }] : [],
  )
  const dataset = summary && (summary.length === 1 ? summary[0] : { maps: summary })
  const reviewed = await reviewer?.finish(failures.map(({ error }) => error.message))
  for (const warning of reviewed?.warnings ?? []) warn(warning)
  const failed = failures.map(({ input, error }) => ({ input, error: error.message }))
  printResult(
    options.json,
    {
      scope,
      metric,
      ...(dataset && { dataset }),
      cases: results,
      ...(reviewed?.references && { references: reviewed.references }),
      ...(options.report !== undefined && { report: options.report }),
      ...(failed.length > 0 && { failed }),
    },
    // Where every case failed, there is nothing to tell but their faults.
    () => {
      if (results.length === 0) return undefined
      const page =
        options.report === undefined ? [] : ['', `${options.report}: open it in a browser; ${gainSentence(results)}`]
      return [describeCases(results, { ...options, tuned }, summary), ...page].join('\n')
    },
  )
  if (failures.length > 0) {
    const [bad, all] = [failures.length, cases.length]
    throw new RunError(
      'threshold',
      bad === all ? `all ${all} cases failed` : `${bad} of ${all} cases failed; the others are done`,
    )
  }
}

/** The label map of each case that has one. Throws InputError where none has. */
async function referencesFor(cases: readonly NamedJob[], path: string): Promise<ReadonlyMap<string, string>> {
  const found = await findLabelCases([path])
  for (const warning of found.warnings) warn(warning)
  protect(found.cases.map(({ input }) => input))
  const byName = new Map(found.cases.map(({ name, input }) => [name, input]))
  if (cases.some(({ name }) => byName.has(name))) return byName
  const [are, others] = [cases.map(({ name }) => name), [...byName.keys()]].map(several)
  throw new InputError(path, `has no reference called as a case (${are}), only ${others}; rename them`)
}

/** Checks where the report goes, before any work is done, and starts it. */
async function review(inputs: readonly string[], cases: readonly NamedJob[], options: ThresholdOptions) {
  // Loaded only when it is asked for.
  const { reportFiles, startReview } = await import('../report/threshold/reviewer.ts')
  const { report } = options
  if (report !== undefined) for (const path of Object.values(reportFiles(report))) checkOutputFile(path, inputs)
  const references = options.references === undefined ? undefined : await referencesFor(cases, options.references)
  return startReview({ ...options, references, version: version() })
}
