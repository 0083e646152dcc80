import type { FitCheck } from '../../annotators/fit-check.ts'
import { chart } from '../kit/chart.ts'
import type { Block } from '../kit/html.ts'
import { lineColour } from '../kit/palette.ts'
import type { PageCase } from './model.ts'

const [real, simulated, fitted] = [0, 1, 2].map(lineColour)

/** Whether simulated annotators look like the real ones: distances, and how they go together. */
export function checkFigures({ quantiles, correlogram }: FitCheck): Block {
  const ends = [quantiles[0], quantiles[quantiles.length - 1]].flatMap(({ realMm, simulatedMm }) => [
    realMm,
    simulatedMm,
  ])
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const distances = chart({
    title: 'Distances of outlines from their mean',
    description: `Quantiles of real against simulated distances, from ${low.toFixed(2)} to ${high.toFixed(2)} mm`,
    x: { label: 'simulated (mm)' },
    y: { label: 'real (mm)' },
    marks: [
      {
        kind: 'line',
        points: [
          [low, low],
          [high, high],
        ],
        colour: '#8888',
        dash: '4 3',
        label: 'alike',
      },
      {
        kind: 'dots',
        points: quantiles.map(({ simulatedMm, realMm }) => [simulatedMm, realMm] as const),
        colour: real,
        label: 'quantiles from 1 to 99 %',
        titles: quantiles.map(({ share }) => `${(100 * share).toFixed(0)} %`),
      },
    ],
  })
  const farthest = Math.max(...correlogram.map(({ lagMm }) => lagMm))
  const together = chart({
    title: 'How outlines go together',
    description: `Correlation of displacements over distances up to ${farthest.toFixed(0)} mm`,
    x: { label: 'distance of two points (mm)' },
    y: { label: 'correlation', domain: [Math.min(-0.2, ...correlogram.map((p) => p.real)), 1.1] },
    marks: [
      {
        kind: 'line',
        points: correlogram.map((p) => [p.lagMm, p.fitted] as const),
        colour: fitted,
        label: 'ρ of the fit',
      },
      { kind: 'dots', points: correlogram.map((p) => [p.lagMm, p.real] as const), colour: real, label: 'real' },
      {
        kind: 'dots',
        points: correlogram.map((p) => [p.lagMm, p.simulated] as const),
        colour: simulated,
        label: 'simulated',
        marker: 'square',
      },
    ],
  })
  return {
    kind: 'figure',
    svgs: [distances, together],
    caption:
      'Real annotators beside ones simulated with the fit. Left: points on the line mean that distances are spread ' +
      'alike; ends above and below it are tails that a Gaussian field does not have. Right: correlation of outlines ' +
      'over the distance of two points, as both show it through voxels, and the curve of the fitted field.',
  }
}

/** Each case's agreement: Dice and HD95 of its pairs. */
export function agreementFigure(cases: readonly PageCase[]): Block {
  const known = cases.filter(({ dice, hd95Mm }) => dice !== undefined && hd95Mm !== undefined)
  const svg = chart({
    title: 'Agreement case by case',
    description: `Mean Dice and HD95 of the pairs of annotators in ${known.length} cases`,
    x: { label: 'mean Dice of pairs' },
    y: { label: 'mean HD95 of pairs (mm)' },
    marks: [
      {
        kind: 'dots',
        points: known.map(({ dice, hd95Mm }) => [dice ?? 0, hd95Mm ?? 0] as const),
        titles: known.map((one) => one.case),
        colour: real,
        opacity: 0.8,
      },
    ],
  })
  return { kind: 'figure', svgs: [svg], caption: 'Every case by how far its annotators agree.' }
}
