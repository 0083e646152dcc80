import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/support/halfdice.ts'
import { completeTraining } from '../training/training-defaults.ts'
import { parseStudyConfig } from './config.ts'
import { exampleConfig } from './presets.ts'

const base = `
data: {kind: nnunet, folder: D}
organs: [a, b+c]
training: {steps: 10, channels: [4, 8], modality: mr}
noise: {sigma: [1, [2, 2, 0]]}
`
const parse = (text: string) => parseStudyConfig(text, 'x/study.yaml')

test('defaults, presets and relative paths', () => {
  const config = parse(base)
  expect(config.data).toEqual({ kind: 'nnunet', folder: 'D', resampleLabels: false })
  expect(config.folds).toBe(5)
  expect(config.noise).toEqual([
    { sigmaMm: [1, 1, 1], lengthMm: 4 },
    { sigmaMm: [2, 2, 0], lengthMm: 8 },
  ])
  expect(config.training).toMatchObject({ dimensions: 3, steps: 10, stepsPerEpoch: 1, batch: 2, modality: 'mr' })
  const quick = parse('preset: quick\ntraining: {steps: 30}')
  expect(quick).toMatchObject({ joint: true, data: { kind: 'phantom', spacing: [6, 6, 6] }, name: 'phantom' })
  expect(quick.training).toMatchObject({ steps: 30, dimensions: 2, batch: 12 })
  const own = parse('preset: quick\norgans: [a]\ndata: {kind: nnunet, folder: D}')
  expect(own.maxCases ?? own.spacingMm).toBeUndefined()
  expect(parse(`${base}seed: 7\nfolds: 2`)).toMatchObject({ seed: 7, folds: 2 })
})

test('what `study init` writes is a valid configuration', () => {
  const config = parse(exampleConfig)
  expect(config.data).toEqual({ kind: 'totalsegmentator', folder: 'Totalsegmentator_dataset', resampleLabels: false })
  expect(config.noise.length).toBe(4)
  expect(config.organs.length).toBe(3)
})

test('the noise of annotators, by hand or from a file', () => {
  const noise = (text: string, path = 'x/study.yaml') =>
    parseStudyConfig(base.replace('{sigma: [1, [2, 2, 0]]}', text), path).noise
  expect(noise('{sigma: [1], length: 5, presence: 0.8, bias: -0.5, tau: 0.4}')).toEqual([
    { sigmaMm: [1, 1, 1], lengthMm: 5, presence: 0.8, biasMm: -0.5, biasSdMm: 0.4 },
  ])
  expect(noise('{sigma: [1], length: 5, presence: 1, bias: 0, tau: 0}')).toEqual([{ sigmaMm: [1, 1, 1], lengthMm: 5 }])
  expect(() => noise('{sigma: [1], presence: 0}')).toThrow("'noise.presence' is 0; give a number above 0")
  expect(() => noise('{sigma: [1], label: 2}')).toThrow("'noise.label' chooses from a file of annotators")

  const folder = temporaryFolder()
  const fitted = (sigma: number) => ({
    noise: { sigmaMm: [sigma, sigma, 0.123456], lengthMm: 7.654321, presence: 0.9 },
  })
  writeFileSync(join(folder, 'fit.json'), JSON.stringify({ labels: { 1: fitted(1), 2: fitted(2) } }))
  const beside = join(folder, 'study.yaml')
  expect(noise('{file: fit.json, label: 2}', beside)).toEqual([
    { sigmaMm: [2, 2, 0.1235], lengthMm: 7.654, presence: 0.9 },
  ])
  expect(() => noise('{file: fit.json}', beside)).toThrow('has a noise for each of the labels 1, 2')
  expect(() => noise('{file: fit.json, sigma: [1]}', beside)).toThrow("'noise.file' gives all of the noise")
  expect(() => noise('{file: other.json}', beside)).toThrow('no such file')
  // A preset's strengths do not count as written.
  const quick = parseStudyConfig('preset: quick\nnoise: {file: fit.json, label: 1}\ntraining: {steps: 30}', beside)
  expect(quick.noise).toHaveLength(1)
})

/** Nine levels of nine references each: 9⁹ values in 300 characters. */
const aliasBomb = Array.from({ length: 9 }, (_, i) =>
  i === 0
    ? 'a0: &a0 [x]'
    : `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
).join('\n')

test.each([
  ['a: [', 'is no valid YAML'],
  ['[1, 2]', 'the configuration must hold keys'],
  ['preset: huge', "'preset' is 'huge'; choose one of paper, quick"],
  [base.replace('organs', 'organ'), "'organs' is missing"],
  [`${base}fold: 3`, "'fold' is unknown here; known are"],
  [`${base}folds: 1`, "'folds' is 1; give a whole number from 2"],
  [base.replace('steps: 10', 'steps: many'), `'training.steps' is "many"`],
  [base.replace('steps: 10', 'setps: 10, steps: 1'), "'training.setps' is unknown here"],
  [base.replace('nnunet', 'dicom'), "'data.kind' is 'dicom'; choose one of nnunet"],
  [base.replace('[1, [2, 2, 0]]', '[0]'), "'noise.sigma' 0 is no length in mm"],
  [base.replace('[1, [2, 2, 0]]', '[1, 1]'), "'noise.sigma' names a strength twice"],
  [base.replace('[a, b+c]', '[a, a]'), "'organs' names something twice"],
  [base.replace('folder: D', 'spacing: [1, 2]'), "'data.spacing' is [1,2]; give one number"],
  [base.replace('steps: 10', 'steps: 10, patch: [8, 8]'), "'training.patch' has 2 numbers; give 3"],
  [
    base.replace('sigma:', 'length: 4, lengthOverSigma: 4, sigma:'),
    "'noise.lengthOverSigma' and length are both given",
  ],
  [aliasBomb, 'is no valid YAML: Excessive alias count'],
  [`${base}name: *nobody`, 'is no valid YAML: Unresolved alias'],
  ['['.repeat(20_000), 'is no valid YAML: nesting is too deep'],
  ['data: 3', "'data' must hold keys with values"],
])('%# is refused by key', (text, says) => {
  expect(() => parse(text)).toThrow(`x/study.yaml: ${says}`)
})

test('what train and study do not name has one default for both', () => {
  const { training } = parse(base)
  expect(training).toEqual(completeTraining({ dimensions: 3, steps: 10, channels: [4, 8], modality: 'mr' }))
  const said = parse(base.replace('steps: 10', 'steps: 10, flip: ij, convolutions: 1, learningRate: 0.1, up: resize'))
  expect(said.training).toEqual(
    completeTraining({
      steps: 10,
      channels: [4, 8],
      convolutions: 1,
      up: 'resize',
      flip: [true, true, false],
      optimiser: { learningRate: 0.1 },
    }),
  )
})
