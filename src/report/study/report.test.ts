import { expect, test } from 'vitest'
import type { CaseIndex } from '../../study/case-index.ts'
import { parseStudyConfig } from '../../study/config.ts'
import { planStudy } from '../../study/plan.ts'
import { studyReport } from './report.ts'

/** The report of a study of six cases whose cells gave no numbers. */
function report(yaml: string, leftOut: CaseIndex['leftOut'] = [], patients = 6): string {
  const config = parseStudyConfig(
    `
organs: [liver]
folds: 2
training: {steps: 10, channels: [4, 8], modality: ct}
${yaml}`,
    'study.yaml',
  )
  const cases = Array.from({ length: 6 }, (_, i) => ({
    id: `case${i}`,
    patient: `patient${i % patients}`,
    digest: String(i),
    voxels: 1000,
    channels: 1,
    volumesMl: i === 0 && patients < 6 ? {} : { 1: 100 },
  }))
  const dataset = { name: 'set', labels: { liver: [1] }, cases, leftOut }
  const plan = planStudy(config, new Map([['liver', [1]]]), dataset)
  const versions = { halfdice: '1', node: '20', 'onnxruntime-node': '1', platform: 'linux-x64' }
  const study = { format: 2, versions, config, yaml, dataset } as const
  const tables = { results: [], summary: [], comparisons: [], reliability: [] }
  return studyReport({ study, plan, tables, examples: [], curves: [] })
}

const ownDataset = 'data: {kind: nnunet, folder: D}'
const warnings = (html: string) =>
  [...html.matchAll(/<p class="note warning"[^>]*>(.*?)<\/p>/g)].map(([, text]) => text)
const item = (html: string, start: string) =>
  [...html.matchAll(/<li>(.*?)<\/li>/g)].map(([, text]) => text).filter((text) => text.startsWith(start))

test('folding above 1 % of voxels is warned of, where results are read first', () => {
  // A million draws of det(I + ∇X) in two dimensions at σ/ℓ = ½ (docs/theory.md, "A noise model for contours") fall
  // below 0 in 6.8 %; at ¼ in three, 0.06 %.
  const html = report(`${ownDataset}\nnoise: {sigma: [4, [8, 8, 0]], length: 16}`)
  expect(warnings(html)).toEqual([
    'The noise folds in 6.8 % of voxels at σ = 8 × 8 × 0 mm, ℓ = 16 mm. ' +
      'Above 1 % its labels are torn or repeated in places, which no annotator does: ' +
      'take what is said of this strength with care. ' +
      'A longer length scale (noise.lengthOverSigma) avoids it.',
  ])
  expect(html.indexOf('note warning')).toBeLessThan(html.indexOf('Dice of the held-out cases'))
  expect(item(html, 'σ =').length).toBe(2)
  expect(warnings(report(`${ownDataset}\nnoise: {sigma: [4, 8]}`))).toEqual([])
  expect(warnings(report(`${ownDataset}\nnoise: {sigma: [4, 8], lengthOverSigma: 2}`))[0]).toMatch(
    /at σ = 4 mm, ℓ = 8 mm; in .* at σ = 8 mm, ℓ = 16 mm\. .* these strengths with care/,
  )
})

test('that labels were resampled is said, above and in the section on data', () => {
  const noise = 'noise: {sigma: [4]}'
  const [own, spaced, axes, maps] = [
    ownDataset,
    'data: {kind: nnunet, folder: D, spacing: 3}',
    'data: {kind: nnunet, folder: D, spacing: [2, 2, null]}',
    'data: {kind: nnunet, folder: D, resampleLabels: true}',
  ].map((data) => report(`${data}\n${noise}`))
  expect(item(own, 'Images and labels')).toEqual(['Images and labels keep their own grids; none was resampled.'])
  expect(own).not.toContain('Labels were resampled')
  expect(item(spaced, 'Images and labels were resampled to 3 mm before anything else').length).toBe(1)
  expect(spaced).toContain('noisy and clean labels are resampled ones')
  expect(item(axes, 'Images and labels were resampled to 2 × 2 × own mm (own: as each image has it)').length).toBe(1)
  expect(item(maps, 'Label maps that lay on another grid than their image were resampled to it').length).toBe(1)
  for (const html of [spaced, axes, maps]) expect(html).toContain('Labels were resampled first')
  const phantom = report(`data: {kind: phantom, cases: 6, spacing: 6}\n${noise}`)
  expect(phantom).toContain('none was resampled')
})

test('the foot names the files that numbers come from', () => {
  const [, foot] = /<footer>(.*)<\/footer>/.exec(report(`${ownDataset}\nnoise: {sigma: [4]}`))!
  for (const file of ['results.csv', 'reliability.csv', 'log.jsonl', 'study.json']) expect(foot).toContain(file)
  expect(foot).not.toContain('All numbers')
})

test('cases are counted in the singular and in the plural', () => {
  const noise = 'noise: {sigma: [4]}'
  const bad = (id: string) => ({ id, reason: `${id}.nii.gz: is truncated` })
  const one = report(`${ownDataset}\n${noise}`, [bad('a')])
  expect(warnings(one)).toEqual(['1 case was left out because it could not be used: a (a.nii.gz: is truncated)'])
  expect(warnings(report(`${ownDataset}\n${noise}`, [bad('a'), bad('b')]))[0]).toMatch(
    /^2 cases were left out because they /,
  )
  expect(one).toContain('6 cases of 6 patients (set), 2-fold cross-validation, 4 networks, one for each organ,')
  expect(report(`${ownDataset}\n${noise}`, [], 2)).toContain('liver: 5 cases, 1 left out for lack of liver.')
})
