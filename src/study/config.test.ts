import { expect, test } from 'vitest'
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
