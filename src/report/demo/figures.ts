import type { MeanInterval } from '../../decision/sampled-dice.ts'
import type { DemoOrgan, DemoResults } from '../../study/demo.ts'
import { chart } from '../kit/chart.ts'
import { histogramMark, reliabilityDiagram } from '../kit/distributions.ts'
import { type Estimated, estimateDecimals, intervalText } from '../kit/estimate.ts'
import type { Block } from '../kit/html.ts'
import { contourColour, contourColours, lineColour, markers } from '../kit/palette.ts'
import { cropPlane, largestSlice, type Plane } from '../kit/plane.ts'
import { type Layer, type SlicePanel, slicePanels } from '../kit/slices.ts'
import type { Table } from '../kit/table.ts'

/** The CT window in which abdominal organs are read, HU: centre 40, width 400. */
const softTissue = [-160, 240] as const

export function phantomFigure({ phantom, organs }: DemoResults): Block {
  const panels = organs.map((organ): SlicePanel => {
    const plane = organPlane(phantom.labels, organ.label)
    return {
      title: organ.name,
      note: `axial slice ${plane.index}, ${organ.volumeMl.toFixed(0)} ml in all`,
      grid: phantom.image.grid,
      plane,
      layers: [grey(phantom), ...organs.map((o, i) => reference(phantom, o.label, contourColour(i), o.name))],
    }
  })
  const svg = slicePanels({
    panels,
    description:
      `Axial slices of the phantom through ${organs.map((o) => o.name).join(', ')}, with the outlines ` +
      'of all four.',
  })
  return {
    kind: 'figure',
    svgs: [svg],
    caption: 'The slice with the largest section of each organ, at −160 to 240 HU, the patient’s right on the left.',
  }
}

export function drawsFigure({ phantom, organs, draws }: DemoResults): Block {
  const shown = organs.filter((o) => o.name === 'liver' || o.name === 'gallbladder')
  const panels = shown.flatMap((organ) =>
    draws.map((draw): SlicePanel => {
      const sigma = draw.noise.sigmaMm[0]
      return {
        title: `${organ.name}, σ = ${sigma} mm`,
        note: `ℓ = ${draw.noise.lengthMm} mm`,
        grid: phantom.image.grid,
        plane: organPlane(phantom.labels, organ.label, 24),
        layers: [
          grey(phantom),
          ...draw.labels.map(
            (labels, i): Layer => ({
              kind: 'contour',
              values: (at) => Number(labels[at] === organ.label),
              level: 0.5,
              colour: noisyColours[i % noisyColours.length],
              width: 1.1,
              label: `noisy label ${i + 1}`,
            }),
          ),
          { ...reference(phantom, organ.label, '#ffffff', 'reference'), width: 2 },
        ],
      }
    }),
  )
  const svg = slicePanels({
    panels,
    columns: draws.length,
    description:
      `Reference and ${draws[0].labels.length} noisy outlines of ` +
      `${shown.map((o) => o.name).join(' and ')} at σ of ` +
      `${draws.map((d) => d.noise.sigmaMm[0]).join(', ')} mm.`,
  })
  return { kind: 'figure', svgs: [svg], caption: 'The reference (white) and five noisy labels at three strengths.' }
}

const noisyColours = contourColours.filter((c) => c !== '#ffffff')

export function marginalFigure({ phantom, organs }: DemoResults): Block {
  const panels = organs.map((organ): SlicePanel => {
    const { optimum } = organ
    return {
      title: organ.name,
      note:
        `D* ${optimum.supDice.toFixed(2)} · t* ${optimum.threshold.toFixed(2)} · max m ` +
        `${organ.marginal.reduce((a, b) => Math.max(a, b), 0).toFixed(2)}`,
      grid: phantom.image.grid,
      plane: organPlane(phantom.labels, organ.label, 24),
      layers: [
        grey(phantom),
        { kind: 'heat', values: organ.marginal },
        { ...reference(phantom, organ.label, '#ffffff', 'reference'), width: 1.3 },
        contour(organ.marginal, 0.5, '#33bbee', 'cut at ½', '5 3'),
        contour(organ.marginal, optimum.threshold, '#7ddc5a', 'cut at t*'),
      ],
    }
  })
  const svg = slicePanels({
    panels,
    heatLabel: 'probability m',
    description:
      `Heat maps of the marginal probability of ${organs.map((o) => o.name).join(', ')}, with the ` +
      'outlines of the reference and of the cuts at one half and at t*.',
  })
  return {
    kind: 'figure',
    svgs: [svg],
    caption:
      'Marginal probabilities over the image. An organ without a dashed line has no voxel in this slice above ½.',
  }
}

export function curveTable(organs: readonly DemoOrgan[]): Block {
  const table: Table = {
    columns: [
      { key: 'organ' },
      { key: 'sigmaMm', title: 'σ (mm)', decimals: 1 },
      { key: 'supDice', title: 'D*' },
      { key: 'threshold', title: 't*' },
      { key: 'diceAtHalf', title: 'Dice of the ½ cut' },
      { key: 'volumeRatio', title: 'volume of t* cut / ‖m‖', decimals: 2 },
      { key: 'volumeRatioHalf', title: 'volume of ½ cut / ‖m‖', decimals: 2 },
    ],
    rows: organs.flatMap(({ name, curve }) =>
      curve.map(({ sigmaMm, supDice, threshold, diceAtHalf, volumeRatio, volumeRatioHalf }) => ({
        organ: name,
        sigmaMm,
        supDice,
        threshold,
        diceAtHalf,
        volumeRatio,
        volumeRatioHalf,
      })),
    ),
  }
  return {
    kind: 'details',
    summary: 'The numbers behind the curves',
    blocks: [{ kind: 'table', table, name: 'optimum', caption: 'Optimal predictions by organ and noise strength.' }],
  }
}

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

export function expectedTable(organs: readonly DemoOrgan[]): Block {
  const decimals = gainDecimals(organs)
  return {
    kind: 'table',
    name: 'expected-dice',
    caption:
      'Expected Dice at ½ and at t*; 95 % intervals of the paired differences. The regret compares ' +
      'with the best threshold on the same samples, which flatters that one a little.',
    table: {
      columns: [
        { key: 'organ' },
        { key: 'threshold', title: 't*' },
        { key: 'softDice', title: 'D* (soft-Dice)' },
        { key: 'atHalf', title: 'Dice at ½' },
        { key: 'atOptimum', title: 'Dice at t*' },
        { key: 'gain', title: 'gain of t*', decimals },
        { key: 'gainInterval', title: '95 %' },
        { key: 'best', title: 'best t', decimals: 2 },
        { key: 'regret', title: 'regret of t*', decimals: 4 },
      ],
      rows: organs.map(({ name, optimum, expected }) => ({
        organ: name,
        threshold: optimum.threshold,
        softDice: optimum.supDice,
        atHalf: expected.atHalf.mean,
        atOptimum: expected.atOptimum.mean,
        gain: expected.gain.mean,
        gainInterval: intervalText(asEstimate(expected.gain), { decimals }),
        best: expected.best.threshold,
        regret: expected.regret.mean,
      })),
    },
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

export function tornFigure({ phantom, organs, draws, folded }: DemoResults): Block {
  const smooth = draws[draws.length - 1]
  const organ = organs[0]
  const panels = [smooth, folded].flatMap((draw) =>
    [0, 1].map((i): SlicePanel => {
      const { sigmaMm, lengthMm } = draw.noise
      return {
        title: `σ = ${sigmaMm[0]} mm, ℓ = ${lengthMm} mm`,
        note: `label ${i + 1}, folding ${percent(draw.foldProbability)}`,
        grid: phantom.image.grid,
        plane: organPlane(phantom.labels, organ.label, 24),
        layers: [
          grey(phantom),
          { kind: 'fill', inside: (at) => draw.labels[i][at] === organ.label, colour: '#ffb000', label: 'noisy label' },
          { ...reference(phantom, organ.label, '#ffffff', 'reference'), width: 1.3 },
        ],
      }
    }),
  )
  const description = `Noisy ${organ.name} labels: whole for a long length scale, torn to crumbs for a short one.`
  const caption =
    'The same strength with a long and with a short length scale. The marginals, and so t*, are the ' + 'same for both.'
  return { kind: 'figure', svgs: [slicePanels({ panels, description })], caption }
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

function organPlane(labels: DemoResults['phantom']['labels'], label: number, marginMm?: number): Plane {
  const inside = (at: number): boolean => labels.data[at] === label
  const plane = largestSlice(labels.grid, 'axial', inside)
  return marginMm === undefined ? plane : cropPlane(labels.grid, plane, inside, marginMm)
}

const grey = ({ image }: DemoResults['phantom']): Layer => ({ kind: 'grey', values: image.data, window: softTissue })

function reference({ labels }: DemoResults['phantom'], label: number, colour: string, name: string) {
  return {
    kind: 'contour',
    values: (at: number) => Number(labels.data[at] === label),
    level: 0.5,
    colour,
    label: name,
  } as const
}

function contour(values: Float32Array, level: number, colour: string, label: string, dash?: string): Layer {
  return { kind: 'contour', values, level, colour, label, width: 2, ...(dash ? { dash } : {}) }
}

/** The decimals of all gains on the page. */
export const gainDecimals = (organs: readonly DemoOrgan[]): number =>
  estimateDecimals(
    organs.map(({ expected }) => expected.gain),
    3,
  )

export const asEstimate = ({ mean, low, high }: MeanInterval): Estimated => ({ value: mean, low, high })

/** Three decimals, a true minus sign, and no minus zero. */
export const decimals = (value: number): string =>
  value
    .toFixed(3)
    .replace(/^-(?=0\.0*$)/, '')
    .replace('-', '−')

export const percent = (p: number): string => `${(100 * p).toPrecision(2)} %`

function twoCuts({ name, expected, optimum }: DemoOrgan): string {
  const [half, best] = [expected.atHalf.mean, expected.atOptimum.mean].map((dice) => dice.toFixed(3))
  return `${name}: ${half} at one half, ${best} at t* = ${optimum.threshold.toFixed(2)}`
}
