import { Command, Option } from 'commander'
import { several } from '../datasets/image-folder.ts'
import { describeMasks } from '../datasets/mask-labels.ts'
import { reviewOf, type ThresholdReview } from '../maps/review.ts'
import { type ThresholdCase, type ThresholdRun, thresholdCases } from '../maps/threshold-cases.ts'
import { classMeans, withFlags } from '../maps/threshold-result.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { CaseWarnings } from './case-warnings.ts'
import { withLabels } from './labels.ts'
import { realNumber } from './numbers.ts'
import { withJson, withPresence, withThreads } from './options.ts'
import { checkOutputFile, protect } from './outputs.ts'
import { printResult, tell, warn } from './print.ts'
import { startProgress } from './progress.ts'
import { findJobs } from './threshold-jobs.ts'
import type { ThresholdOptions } from './threshold-options.ts'
import { describeCases, gainSentence, otherCut } from './threshold-table.ts'
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
      'mask file (also .dcm, .seg.nrrd); where there are several cases a folder, or FOLDER/{case}.dcm; - for .npy on ' +
        'standard output',
    )
    .addOption(
      new Option('--scope <scope>', 'a threshold of its own for each case, or one for all of them pooled')
        .choices(['case', 'dataset'])
        .default('case'),
    )
    .addOption(
      new Option(
        '--metric <metric>',
        'what the mask is to be best for (IoU has the same mask as Dice; accuracy takes the likeliest; volume: the ' +
          'expected volume, nearest to the outline that annotators mean)',
      )
        .choices(['dice', 'iou', 'accuracy', 'volume'])
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
      'take geometry and header of the masks from this image, or from a folder of them by case name; for .dcm the ' +
        'DICOM series that they belong to',
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
    .option('--suffix <text>', "what file names have more than the case's name: _prob for CASE_prob.nii.gz")
    .option('--stdin-npy', 'read one .npy array [class, z, y, x] from standard input')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice threshold prob.nii.gz -o mask.nii.gz
  $ halfdice threshold predictions/*.nii.gz -o masks                 a threshold for each case
  $ halfdice threshold predictions/*.nii.gz -o masks --scope dataset   one for all, best for the pooled Dice
  $ halfdice threshold nnunet_output/ -o masks                 a folder of CASE.npz and CASE.pkl, with dataset.json
  $ halfdice threshold softmax.nii.gz -o labels.nii.gz --decode exclusive   a 4-D softmax as a label map
  $ halfdice threshold nnunet_output/ -o masks --report report.html --references labelsTr --images imagesTr
  $ halfdice threshold new_cases/ -o masks --tuned tuned.json        as 'halfdice tune' chose on validation cases
  $ halfdice threshold nnunet_output/ -o masks --labels liver        this class only, whatever others claim
  $ halfdice threshold prob.nii.gz -o mask.nii.gz --at 0.5 --json    what the usual cut would be worth
  $ halfdice threshold posterior.nii.gz -o mask.nii.gz --scale 255   probabilities stored as 0…255
  $ halfdice threshold prob.nii.gz -o mask.dcm --like series/        a DICOM segmentation beside its series
  $ halfdice threshold nnunet_output/ -o 'masks/{case}.seg.nrrd'     for 3D Slicer, with names and colours

A 4-D image whose maps add up to 1 gives one label map, any other a 4-D mask, each class cut on its own, unless
--decode says otherwise. A class whose probabilities are no evidence that it is there at all stays empty; standard
error says so (--presence, docs/pipelines.md). The Dice values are what the probabilities promise: they hold as far as
the network is calibrated ('halfdice evaluate' measures that where there are references).`,
    )
    .action(run)
  return withJson(
    withThreads(withPresence(withLabels(command, 'cut these classes only, the others count as background'))),
  )
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
  if (metric === 'volume' && scope === 'dataset') {
    throw new InputError('--metric volume', 'asks for the volume of each case; leave --scope dataset out')
  }
  if (inputs.length === 0) throw new InputError('threshold', "needs probabilities; see 'halfdice threshold --help'")
  if (output === '-') throw new InputError('-o -', 'writes the mask of --stdin-npy; give a file or folder')
  if (options.references !== undefined && options.report === undefined && !options.json) {
    throw new InputError('--references', 'is told in a report; add --report FILE.html (or --json)')
  }
  if (options.images !== undefined && options.report === undefined) {
    throw new InputError('--images', 'is for the pictures of a report; add --report FILE.html')
  }
  const tuning = options.tuned === undefined ? undefined : await import('./threshold-tuned.ts')
  const tuned = await tuning?.readTuned(options.tuned ?? '', options)
  const { jobs: found, inFolder, warnings } = await findJobs(inputs, options)
  const { report, references } = options
  // Loaded only when it is asked for.
  const page = report === undefined ? undefined : await import('../report/threshold/write.ts')
  if (page && report !== undefined) {
    for (const path of Object.values(page.reportFiles(report))) checkOutputFile(path, inputs)
  }
  const images = page?.imagesIn(options.images)
  const byName = references === undefined ? undefined : await referencesFor(found, references, options.suffix)
  const jobs = found.map((each) => ({ ...each, reference: byName?.get(each.found.name) }))
  const progress = startProgress('thresholding', jobs.length * (scope === 'dataset' ? 3 : 1))
  let done = 0
  const { cases, pooled, failures } = await thresholdCases(
    jobs,
    { ...options, tuned },
    {
      threads: options.threads,
      review: page !== undefined || references !== undefined,
      onCase: () => progress.update(++done),
    },
  ).finally(progress.end)
  const written = cases.map(({ job, labels }) => ({ path: job.output, labels }))
  if (tuned) tuning?.warnOfTuned(found, tuned, options.tuned ?? '')
  for (const warning of [...warnings, ...(inFolder ? await describeMasks(written) : [])]) warn(warning)
  tellWarnings(cases)
  for (const { error } of failures) tell(error.message)
  const review = reviewOf(cases, options.presence)
  const results = cases.map(({ result }, i) => withFlags(result, review.flags[i]))
  const messages = failures.map(({ error }) => error.message)
  if (page && images && report !== undefined) {
    const otherwise = otherCut({ ...options, tuned })
    const about = { review, cases, failures: messages, images, scope, otherwise, version: version() }
    await page.writeThresholdReport({ report, ...about })
  }
  for (const warning of [...withoutReference(jobs, byName), ...(images?.warnings ?? [])]) warn(warning)
  const optima = pooled?.flatMap((each) =>
    each ? [{ threshold: each.threshold, supDice: each.supDice, diceAtHalf: each.diceAtHalf }] : [],
  )
  const failed = failures.map(({ input, error }) => ({ input, error: error.message }))
  printResult(
    options.json,
    {
      scope,
      metric,
      ...(optima && { dataset: optima.length === 1 ? optima[0] : { maps: optima } }),
      cases: results,
      summary: { classes: classMeans(results), common: review.common },
      ...(review.comparisons.length > 0 && { references: { classes: review.comparisons.map(comparisonJson) } }),
      ...(report !== undefined && { report }),
      ...(failed.length > 0 && { failed }),
    },
    // Where every case failed, there is nothing to tell but their faults.
    () => {
      if (results.length === 0) return undefined
      const told = report === undefined ? [] : ['', `${report}: open it in a browser; ${gainSentence(results)}`]
      return [describeCases(results, { ...options, tuned }, optima), ...told].join('\n')
    },
  )
  if (failures.length > 0) {
    const [bad, all] = [failures.length, jobs.length]
    throw new RunError(
      'threshold',
      bad === all ? `all ${all} cases failed` : `${bad} of ${all} cases failed; the others are done`,
    )
  }
}

/** What a user should know of the cases: what holds for many is told once, as is how references were read. */
function tellWarnings(cases: ThresholdRun['cases']): void {
  const told = new CaseWarnings()
  const notes = new Set<string>()
  for (const { result, warnings, note } of cases) {
    // Of many cases with the same labels one is enough.
    const own = note?.slice(note.indexOf(': '))
    told.add(result.input, [...(note !== undefined && own !== undefined && !notes.has(own) ? [note] : []), ...warnings])
    if (own !== undefined) notes.add(own)
  }
  told.finish()
}

/** The label map of each case that has one. Throws InputError where none has. */
async function referencesFor(
  cases: readonly ThresholdCase[],
  path: string,
  suffix: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { findLabelCases } = await import('../datasets/label-cases.ts')
  const found = await findLabelCases([path], { suffix })
  for (const warning of found.warnings) warn(warning)
  protect(found.cases.map(({ input }) => input))
  const byName = new Map(found.cases.map(({ name, input }) => [name, input]))
  const names = cases.map((each) => each.found.name)
  if (names.some((name) => byName.has(name))) return byName
  const [are, others] = [names, [...byName.keys()]].map(several)
  throw new InputError(path, `has no reference called as a case (${are}), only ${others}; rename them`)
}

function withoutReference(cases: readonly ThresholdCase[], byName: ReadonlyMap<string, string> | undefined): string[] {
  const names = byName ? cases.map(({ found }) => found.name).filter((name) => !byName.has(name)) : []
  if (names.length === 0) return []
  const missing = `${names.length} ${names.length === 1 ? 'case has' : 'cases have'} no reference: ${several(names)}`
  return [`${missing}; the masks are written, and not scored`]
}

/** What references say of a class, as `--json` tells it. */
function comparisonJson({ class: name, comparison }: ThresholdReview['comparisons'][number]): object {
  return {
    name,
    cases: comparison.cases.length,
    meanDice: comparison.means,
    differenceToHalf: comparison.differences,
    fixedThreshold: comparison.fixedThreshold,
    calibration: comparison.calibration,
    calibrationError: comparison.calibrationError,
  }
}
