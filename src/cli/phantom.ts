import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { phantomCase, phantomNames } from '../datasets/phantom/phantom.ts'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { writeVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid, type Vec3, vec3 } from '../volume/grid.ts'
import { type Length, lengthPerAxisMm, parseLength } from './lengths.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFolder } from './outputs.ts'
import { millilitres, printResult, table } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly number: number
  readonly spacing: Vec3
  readonly seed: number
}

interface PhantomFiles {
  readonly image: string
  readonly label: string
  readonly labels: Readonly<Record<number, { readonly name: string; readonly volumeMl: number }>>
}

/** The part of the body that is shown, mm: what the phantom's default grid covers. */
const extentMm: Vec3 = [288, 240, 192]

/** `halfdice phantom`: example data, in the layout of an nnU-Net raw data set. */
export function command(): Command {
  const command = new Command('phantom')
    .description(
      'Writes example data made by formulas: CT-like images of the upper abdomen with labels, as an nnU-Net raw data ' +
        'set (imagesTr, labelsTr, dataset.json). To try the tool with; it is no anatomy to draw conclusions from.',
    )
    .requiredOption('-o, --output <folder>', 'folder of the data set')
    .option('-n, --number <count>', 'how many cases', wholeNumber('--number', 1, 10_000), 1)
    .option('--spacing <length>', 'voxel size in mm: 3, or one an axis 1.5,1.5,5', parseSpacing, [3, 3, 3] as Vec3)
    .option('--seed <number>', 'fixes every random number', wholeNumber('--seed', 0, 0xffffffff), 0)
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice phantom -o example
  $ halfdice sample example/labelsTr/phantom_000.nii.gz -o noisy --sigma 4 --length 12 -n 4
  $ halfdice phantom -o training -n 20 --spacing 2`,
    )
    .action(run)
  return withJson(command)
}

function parseSpacing(text: string): Vec3 {
  const length: Length = parseLength('--spacing', text)
  if (length.values.some(({ unit }) => unit === 'vx')) {
    throw new InputError('--spacing', `'${text}' is in voxels; give the voxel size in mm`)
  }
  const spacing = lengthPerAxisMm('--spacing', length, createGrid([9, 9, 9]))
  if (Math.min(...spacing) < 0.5 || Math.max(...spacing) > 20) {
    throw new InputError('--spacing', `'${text}' is not between 0.5 and 20 mm; choose another`)
  }
  return spacing
}

async function run({ output, number, spacing, seed, json }: Options): Promise<void> {
  checkOutputFolder(output)
  refuseDataSet(output)
  const shape = vec3((axis) => Math.round(extentMm[axis] / spacing[axis]))
  const ml = (spacing[0] * spacing[1] * spacing[2]) / 1000
  const progress = startProgress('drawing', number)
  const cases: PhantomFiles[] = []
  for (let index = 0; index < number; index++) {
    const name = `phantom_${String(index).padStart(3, '0')}`
    const { image, labels } = phantomCase(seed, index, { shape, spacing })
    const files = {
      image: join(output, 'imagesTr', `${name}_0000.nii.gz`),
      label: join(output, 'labelsTr', `${name}.nii.gz`),
    }
    await writeVolume(files.image, image)
    await writeVolume(files.label, labels)
    const counts = new Array<number>(phantomNames.length).fill(0)
    for (const label of labels.data) counts[label]++
    const volumes = Object.fromEntries(
      counts.map((count, label) => [label, { name: phantomNames[label], volumeMl: count * ml }]),
    )
    cases.push({ ...files, labels: volumes })
    progress.update(index + 1)
  }
  progress.end()
  await writeTextAtomically(join(output, 'dataset.json'), datasetJson(number))
  printResult(json, { output, seed, cases }, () => {
    const rows = cases.map(({ label, labels }) => [
      label,
      ...phantomNames.slice(1).map((_, c) => millilitres(labels[c + 1].volumeMl)),
    ])
    return [
      `${number} case${number > 1 ? 's' : ''} of ${shape.join('×')} voxels in ${output}; volumes in ml`,
      '',
      table(['labels', ...phantomNames.slice(1).map((name, c) => `${c + 1} ${name}`)], rows),
    ].join('\n')
  })
}

/** The phantom never mixes with, or replaces, a data set that is there. */
function refuseDataSet(folder: string): void {
  for (const name of ['dataset.json', 'imagesTr', 'labelsTr']) {
    const path = join(folder, name)
    if (!existsSync(path) || (name !== 'dataset.json' && readdirSync(path).length === 0)) continue
    throw new InputError(folder, `holds a data set already (${path}); give another folder, or delete it first`)
  }
}

function datasetJson(number: number): string {
  const labels = Object.fromEntries(phantomNames.map((name, label) => [name, label]))
  const description = { channel_names: { 0: 'CT' }, labels, numTraining: number, file_ending: '.nii.gz' }
  return `${JSON.stringify(description, undefined, 2)}\n`
}
