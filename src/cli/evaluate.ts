import { Command, Option } from 'commander'
import { runEvaluate } from './evaluate-run.ts'
import { withLabels } from './labels.ts'
import { numberList, realNumber } from './numbers.ts'
import { withJson, withPresence, withThreads } from './options.ts'

/** `halfdice evaluate`: how predictions compare with references. */
export function command(): Command {
  const what = 'what to score; a plus joins labels (1 2 1+2). For a 4-D prediction, what each of its maps is'
  const command = new Command('evaluate')
    .description(
      'Scores predictions against references, label by label: Dice, IoU, precision, recall, volumes, distances of ' +
        'the surfaces in mm, and lesion by lesion. Two files, or two folders whose cases have the same names: then ' +
        'with means and intervals over cases, or against other predictions. Of probabilities also the calibration.',
    )
    .argument('<prediction...>', 'label maps or probabilities: a file, a folder, a pattern; the last is the reference')
    .option('--references <path...>', 'the references, where all other paths are predictions')
    .option('--suffix <text>', "what file names have more than the case's name: _seg for CASE_seg.nii.gz")
    .option('--at <threshold>', "where probabilities are cut; 'auto' for each map's own t*", parseThreshold, 0.5)
    .option(
      '--scale <number>',
      'what stands for probability 1 in the prediction',
      realNumber('--scale', (s) => s > 0, 'greater than 0'),
    )
    .addOption(
      new Option('--distances <convention>', 'between voxels, as in MONAI, or weighted by area, as in surface-distance')
        .choices(['voxel', 'area'])
        .default('voxel'),
    )
    .option(
      '--tolerance <mm...>',
      'tolerances of the normalised surface Dice (default: 1 and 3)',
      numberList('--tolerance', (mm) => mm >= 0, 'of mm, 0 or more'),
    )
    .addOption(
      new Option('--lesions [matching]', 'score connected components: matched one to one by IoU, or by any overlap')
        .choices(['iou', 'overlap'])
        .preset('iou'),
    )
    .addOption(
      new Option('--connectivity <neighbours>', 'of the voxels of a lesion').choices(['6', '18', '26']).default('26'),
    )
    .option(
      '--min-iou <share>',
      'what the IoU of two lesions must exceed to match',
      realNumber('--min-iou', (x) => x >= 0 && x < 1, 'from 0 to below 1'),
      0.5,
    )
    .option('--noise <file>', 'the noise of annotators (halfdice raters -o): also the Dice that it leaves to reach')
    .option('--versus <path>', 'other predictions of the same cases, to compare with')
    .option(
      '--margin <dice>',
      'mean differences up to this are equivalent',
      realNumber('--margin', (x) => x > 0, 'greater than 0'),
      0.01,
    )
    .option('--patients <pattern>', "regular expression for a case's patient, whose cases are not independent")
    .addOption(
      new Option('--missing <rule>', 'a case without a prediction is left out, as by nnU-Net, or scored as empty')
        .choices(['skip', 'empty'])
        .default('skip'),
    )
    .option('--report <file>', 'write an HTML page: distributions, means, the worst cases with slices')
    .option(
      '--images <folder>',
      'the images of the cases (CASE_0000.nii.gz or CASE.nii.gz), for the pictures of --report',
    )
    .option('--csv <file>', 'all scores, a row for each case and label')
    .option('--summary <file>', "the scores as nnU-Net's summary.json has them")
    .addHelpText('after', help)
    .action(runEvaluate)
  return withJson(withThreads(withPresence(withLabels(command, what))))
}

const help = `
Examples:
  $ halfdice evaluate mask.nii.gz reference.nii.gz
  $ halfdice evaluate prob.nii.gz reference.nii.gz --at auto                 cut at t*, and calibration
  $ halfdice evaluate organs_prob.nii.gz organs.nii.gz --labels 1 2 1+2      three maps: label 1, label 2, and both
  $ halfdice evaluate predictions labelsTs --csv scores.csv                  two folders, paired by name
  $ halfdice evaluate predictions labelsTs --report scores.html --images imagesTs
  $ halfdice evaluate predictions labelsTs --versus others                   which predictions are better, by how much
  $ halfdice evaluate predictions labelsTs --noise fit.json                  as good as annotators are? (see raters)
  $ halfdice evaluate monai_output labels --suffix _seg                      CASE/CASE_seg.nii.gz against CASE.nii.gz
  $ halfdice evaluate 'a/{case}/seg.nii.gz' 'b/{case}/seg.nii.gz' --lesions  names of cases that are folders

Conventions: Dice and IoU are 1 where prediction and reference are both empty, 0 where one is; surface distances then do
not exist. --distances voxel (MONAI): surfaces are voxels with a neighbour (of 6) outside, distances run between voxel
centres. --distances area (google-deepmind/surface-distance): surface elements between voxels, weighted by their area.
In both, HD95 is the larger of the two directed 95th percentiles, ASSD the mean over both surfaces. The two differ by
some tenths of a voxel. Voxels that the reference labels 'ignore' (see its dataset.json) count in no score. ECE has 15
bins and, like Brier, counts all other voxels of the image: compare them between maps of the same image.

--noise takes the reference for what annotators of this noise move: 'two annotators' is the mean Dice of two of them,
'best mask' D*, the best expected Dice of any mask to one of them, and 'expected' what the prediction has. Where one
annotator drew the reference, compare Dice with these; where it is a consensus, 'expected' (docs/annotators.md).

Means are over cases; a label that is in neither map of a case counts with Dice 1 (nnU-Net leaves such cases out: so
does --summary). Intervals are of the bootstrap over patients (95 %). Cases of one patient are recognised by the ending
of their names (_frame01, _ses-2 …), or by --patients '^(p\\d+)'.`

function parseThreshold(text: string): number | 'auto' {
  if (text === 'auto') return text
  return realNumber('--at', (t) => t > 0 && t <= 1, "greater than 0 and at most 1, nor 'auto'")(text)
}
