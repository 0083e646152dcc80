import { sigmaText } from '../../noise/noise-seed.ts'
import type { StudyConfig, StudyNoise } from '../../study/config.ts'
import { foldingOf, foldingText, muchFolding } from '../../study/folding.ts'
import type { StudyPlan } from '../../study/plan.ts'
import type { StudyFile } from '../../study/study-file.ts'
import type { Block } from '../kit/html.ts'
import { counted, strengthText } from '../kit/words.ts'

/** How many cases that were left out are named. */
const named = 20

/** What went into the study: cases, noise, grid, configuration. */
export function dataBlocks({ study, plan }: { readonly study: StudyFile; readonly plan: StudyPlan }): Block[] {
  const { config, yaml, dataset } = study
  const groups = plan.groups.map(({ name, cases, absent, organs }) => {
    const missing =
      absent.length === 0 ? '' : `, ${absent.length} left out for lack of ${organs.map((o) => o.name).join(' or ')}`
    return `${name}: ${counted(cases.length, 'case')}${missing}.`
  })
  const folding = config.noise.map(
    (noise) => `${noiseText(noise)}: the displacement folds in ${foldingText(noise)} of voxels.`,
  )
  return [
    { kind: 'list', items: [...groups, ...folding, ...gridSentences(config), noiseSentence(config)] },
    ...leftOutNote(dataset.leftOut),
    {
      kind: 'details',
      summary: 'Configuration',
      blocks: [
        { kind: 'text', text: 'To repeat the study, save this as study.yaml where its paths lead to the data:' },
        { kind: 'code', text: yaml.trimEnd() },
        { kind: 'text', text: 'With every default filled in:' },
        { kind: 'code', text: JSON.stringify(config, undefined, 1) },
      ],
    },
  ]
}

/** Whether what the study calls a label is not what the data set's files hold. */
export function resamplesLabels({ data, spacingMm }: StudyConfig): boolean {
  return isGiven(spacingMm) || (data.kind !== 'phantom' && data.resampleLabels === true)
}

/** A warning where the noise folds so much that labels are no longer what an annotator might draw. */
export function foldingNote({ noise }: StudyConfig): Block[] {
  const folded = noise.filter((one) => foldingOf(one) > muchFolding)
  if (folded.length === 0) return []
  const list = folded.map((one) => `${foldingText(one)} of voxels at ${noiseText(one)}`).join('; in ')
  const text =
    `The noise folds in ${list}. Above ${100 * muchFolding} % its labels are torn or repeated in ` +
    'places, which no annotator does: take what is said of ' +
    `${folded.length === 1 ? 'this strength' : 'these strengths'} with care. A longer length scale ` +
    '(noise.lengthOverSigma) avoids it.'
  return [{ kind: 'note', tone: 'warning', text }]
}

function gridSentences({ data, spacingMm }: StudyConfig): string[] {
  const sentences: string[] = []
  if (data.kind !== 'phantom' && data.resampleLabels) {
    sentences.push(
      'Label maps that lay on another grid than their image were resampled to it: each voxel took the nearest label.',
    )
  }
  if (isGiven(spacingMm)) {
    sentences.push(
      `Images and labels were resampled to ${spacingText(spacingMm)} before anything else, images ` +
        'linearly, labels to the nearest one. Noise, training and all scores live on that grid: noisy ' +
        'and clean labels are resampled ones.',
    )
  }
  return sentences.length === 0 ? ['Images and labels keep their own grids; none was resampled.'] : sentences
}

function isGiven(spacingMm: StudyConfig['spacingMm']): spacingMm is readonly (number | null)[] {
  return spacingMm?.some((s) => s !== null) === true
}

function spacingText(spacingMm: readonly (number | null)[]): string {
  if (spacingMm.every((s) => s === spacingMm[0])) return `${spacingMm[0]} mm`
  const kept = spacingMm.includes(null) ? ' (own: as each image has it)' : ''
  return `${spacingMm.map((s) => s ?? 'own').join(' × ')} mm${kept}`
}

function leftOutNote(bad: StudyFile['dataset']['leftOut']): Block[] {
  if (bad.length === 0) return []
  const list = bad.slice(0, named).map(({ id, reason }) => `${id} (${reason})`)
  const why = bad.length === 1 ? 'was left out because it' : 'were left out because they'
  const text =
    `${counted(bad.length, 'case')} ${why} could not be used: ` + `${list.join('; ')}${bad.length > named ? ' …' : ''}`
  return [{ kind: 'note', tone: 'warning', text }]
}

function noiseSentence({ joint }: StudyConfig): string {
  const field = joint ? 'one displacement field for all organs of a case' : 'a displacement field for each organ'
  return (
    `One noisy label was drawn for each case and strength (${field}), the same for every fold and both ` +
    'losses; networks never saw a clean label.'
  )
}

function noiseText({ sigmaMm, lengthMm }: StudyNoise): string {
  return `σ = ${strengthText(sigmaText(sigmaMm))} mm, ℓ = ${lengthMm} mm`
}
