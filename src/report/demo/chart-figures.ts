import type { DemoOrgan, DemoResults } from '../../study/demo.ts'
import { chart } from '../kit/chart.ts'
import { histogramMark, reliabilityDiagram } from '../kit/distributions.ts'
import type { Block } from '../kit/html.ts'
import { lineColour, markers } from '../kit/palette.ts'

/** Expected Dice against the threshold, by organ. */
export function expectedDiceChart({ organs, noise }: DemoResults): string {
  return chart({
    title: `Expected Dice by threshold, σ = ${noise.sigmaMm[0]} mm`,
    description: `Mean Dice against noisy labels by threshold, a curve an organ. ${organs.map(twoCuts).join('; ')}.`,
    width: 940,
    height: 360,
    x: { label: 'threshold on m', domain: [0, 1] },
    y: { label: 'expected Dice', domain: [0, 1] },
    marks: [
      { kind: 'rule', x: 0.5, colour: 'currentColor', dash: '4 3', label: 'cut at ½' },
      ...organs.flatMap(({ name, expected, optimum }, i) => [
        {
          kind: 'band' as const,
          colour: lineColour(i),
          points: expected.dice.map((d, t) => ({ x: expected.thresholds[t], y: d.mean, low: d.low, high: d.high })),
        },
        {
          kind: 'line' as const,
          colour: lineColour(i),
          label: name,
          points: expected.dice.map((d, t) => [expected.thresholds[t], d.mean] as const),
        },
        {
          kind: 'dots' as const,
          colour: lineColour(i),
          marker: markers[i % markers.length],
          radius: 5,
          points: [[optimum.threshold, expected.atOptimum.mean] as const],
        },
      ]),
      { kind: 'dots', colour: 'currentColor', label: 'at t*', points: [] },
    ],
  })
}

export function expectedFigure(results: DemoResults): Block {
  return {
    kind: 'figure',
    svgs: [expectedDiceChart(results)],
    caption:
      'Expected Dice of the mask {m ≥ t} for every t, with 95 % intervals over the samples (bands). ' +
      'The marked points are t*, computed without any sample.',
  }
}

export function agreementFigure({ zScores, frequencies }: DemoResults): Block {
  const svg = chart({
    title: 'z-scores of single voxels',
    description: 'Histogram of z-scores over voxels with the standard normal density drawn over it.',
    width: 460,
    height: 300,
    x: { label: 'z-score of a voxel', domain: [-5, 5] },
    y: { label: 'density' },
    marks: [
      histogramMark(zScores, [-5, 5], 40, {
        colour: lineColour(0),
        label: `${zScores.length.toLocaleString('en')} voxels`,
      }),
      {
        kind: 'line',
        colour: lineColour(1),
        label: 'standard normal',
        points: Array.from({ length: 101 }, (_, i) => {
          const z = -5 + i / 10
          return [z, Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)] as const
        }),
      },
    ],
  })
  const bins = frequencies.map(({ marginal, frequency, voxels }) => ({ probability: marginal, frequency, voxels }))
  const groups = reliabilityDiagram([{ label: 'voxels grouped by m', bins }], {
    title: 'Frequency against closed form',
    x: 'closed-form probability m',
    y: 'share of samples',
  })
  return {
    kind: 'figure',
    svgs: [svg, groups],
    caption:
      'Neighbouring voxels share their samples, so these are not independent numbers, and mean and ' +
      'width of the histogram wander more than its size suggests.',
  }
}

/** Folding probability against σ/ℓ. */
export function foldingChart({ folding, noise }: DemoResults): string {
  const used = noise.sigmaMm[0] / noise.lengthMm
  return chart({
    title: 'Probability of folding at a voxel',
    description: 'Folding probability against σ/ℓ in one, two and three dimensions, rising steeply.',
    width: 460,
    height: 300,
    x: { label: 'σ / ℓ', scale: 'log', ticks: [0.2, 0.3, 0.5, 0.7, 1], domain: [0.2, 1] },
    y: { label: 'probability', scale: 'log', domain: [1e-6, 1] },
    marks: [
      { kind: 'rule', y: 0.01, colour: lineColour(3), dash: '4 3', label: 'warning at 1 %' },
      { kind: 'rule', x: used, colour: 'currentColor', dash: '2 3', label: `ℓ = ${1 / used} σ` },
      ...[1, 2, 3].map((dimension, i) => ({
        kind: 'line' as const,
        colour: lineColour(i),
        label: `${dimension}-D`,
        points: folding.map((f) => [f.ratio, f.probability[i]] as const),
      })),
    ],
  })
}

export function foldFigure(results: DemoResults): Block {
  return {
    kind: 'figure',
    svgs: [foldingChart(results)],
    caption: 'Exact for the noise model; above 1 % halfdice warns.',
  }
}

function twoCuts({ name, expected, optimum }: DemoOrgan): string {
  const [half, best] = [expected.atHalf.mean, expected.atOptimum.mean].map((dice) => dice.toFixed(3))
  return `${name}: ${half} at one half, ${best} at t* = ${optimum.threshold.toFixed(2)}`
}
