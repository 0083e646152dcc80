import type { MeanInterval } from '../../decision/sampled-dice.ts'
import type { DemoResults } from '../../study/demo.ts'
import { estimateText } from '../kit/estimate.ts'
import { htmlReport, type ReportSection } from '../kit/html.ts'
import { optimumCharts } from '../optimum/figure.ts'
import { agreementFigure, expectedFigure, foldFigure } from './chart-figures.ts'
import { asEstimate, decimals, gainDecimals, percent } from './numbers.ts'
import { drawsFigure, marginalFigure, phantomFigure, tornFigure } from './slice-figures.ts'
import { curveTable, expectedTable } from './tables.ts'

/**
 * The demo's report, one HTML page. `extra` sections (the training study's) come before the notes on repeating it, and
 * their `findings` after the summary.
 *
 * @example
 * const results = demoResults({ samples: 3, phantom: { shape: [24, 20, 16], spacing: [12, 12, 12] } })
 * demoReport(results, '0.2.0').startsWith('<!') // true
 */
export function demoReport(
  results: DemoResults,
  version: string,
  extra: readonly ReportSection[] = [],
  findings: readonly string[] = [],
): string {
  return htmlReport({
    title: 'Half the Dice: label noise and Dice-optimal masks on a phantom',
    summary: [...demoSummary(results), ...findings],
    sections: [...demoSections(results), ...extra],
    footer: [
      `Made by halfdice ${version} with the command: halfdice demo --seed ${results.seed}. ` +
        `${results.samples} noisy labels were drawn; the same version and seed give the same page.`,
      'The images are a procedural phantom, not a patient. The theory is in docs/theory.md; its source is Nordström, ' +
        'Hult and Maki, Marginal Thresholding in Noisy Image Segmentation, arXiv 2304.04116.',
    ],
  })
}

/**
 * What the page comes to, computed from its own numbers.
 *
 * @example
 * const results = demoResults({ samples: 3, phantom: { shape: [24, 20, 16], spacing: [12, 12, 12] } })
 * demoSummary(results).length // 2
 */
export function demoSummary({ organs, noise }: DemoResults): string[] {
  const sigma = noise.sigmaMm[0]
  const by = [...organs].sort((a, b) => b.expected.gain.mean - a.expected.gain.mean)
  const [most, least] = [by[0], by[by.length - 1]]
  const style = { decimals: gainDecimals(organs), signed: true }
  const withInterval = (gain: MeanInterval): string => estimateText(asEstimate(gain), style)
  const worstRegret = Math.max(...organs.map((o) => o.expected.regret.mean))
  return [
    `When annotators’ contours wander by σ = ${sigma} mm, even a perfect probability map, cut at ½, ` +
      'gives masks that are too small for Dice. The best cut is t* = ½D*, half the best Dice that can ' +
      `be reached: here ${Math.min(...organs.map((o) => o.optimum.threshold)).toFixed(2)} to ` +
      `${Math.max(...organs.map((o) => o.optimum.threshold)).toFixed(2)}, depending on the organ.`,
    'Against sampled noisy labels, moving the cut from ½ to t* changes the expected Dice of the ' +
      `${most.name} by ${withInterval(most.expected.gain)} and of the ${least.name} by ` +
      `${withInterval(least.expected.gain)}. No other threshold beats t* on these samples by ` +
      `${worstRegret < 0.001 ? 'as much as 0.001' : `more than ${(Math.ceil(worstRegret * 1000) / 1000).toFixed(3)}`}.`,
  ]
}

export function demoSections(results: DemoResults): ReportSection[] {
  const { organs, noise, zScores, samples } = results
  const sigma = noise.sigmaMm[0]
  const sd = deviation(zScores)
  const wide = zScores.filter((z) => Math.abs(z) > 1.96).length / zScores.length
  return [
    {
      title: 'The phantom',
      blocks: [
        {
          kind: 'text',
          text:
            `One case of a procedural CT-like body, ${results.phantom.image.grid.shape.join(' × ')} ` +
            `voxels of ${results.phantom.image.grid.spacing.join(' × ')} mm, with four labelled ` +
            `organs: ${organs.map((o) => `${o.name} (${o.volumeMl.toFixed(0)} ml)`).join(', ')}. They ` +
            'differ in size and shape because that decides how much noise matters.',
        },
        phantomFigure(results),
      ],
    },
    {
      title: 'Noisy labels',
      blocks: [
        {
          kind: 'text',
          text:
            'A smooth Gaussian displacement field bends the reference: σ says how far a point of the contour strays, ' +
            'ℓ over which distance neighbours stray together. Each thin line is another annotator who means the same ' +
            'organ.',
        },
        drawsFigure(results),
      ],
    },
    {
      title: 'Marginal probabilities',
      blocks: [
        {
          kind: 'text',
          text:
            'The share of annotators who would include a voxel has a closed form; no sampling is ' +
            `needed. At σ = ${sigma} mm the thin organs are nowhere certain, and the cut at ½ shrinks ` +
            'or vanishes while the cut at t* keeps a sensible mask.',
        },
        marginalFigure(results),
      ],
    },
    {
      title: 'The optimal masks by noise strength',
      blocks: [
        {
          kind: 'text',
          text:
            'From the reference and σ alone, theory gives the best Dice D* that any prediction can expect, the ' +
            'threshold t* = ½D* that reaches it, and what the cut at ½ gets instead. Small and thin organs feel the ' +
            'same noise much earlier than large ones.',
        },
        {
          kind: 'figure',
          svgs: optimumCharts(
            organs.flatMap((o) => o.curve.map((row) => ({ ...row, label: o.name, volumeRatioDice: row.volumeRatio }))),
            { width: 460, height: 330 },
          ),
          caption:
            'Soft-Dice, threshold and volume against σ; solid lines are the Dice-optimal mask, dashed lines the cut ' +
            'at ½. Where a dashed line reaches zero, no voxel is likelier than ½ and the mask is empty.',
        },
        curveTable(organs),
      ],
    },
    {
      title: 'Does it hold for Dice itself?',
      blocks: [
        {
          kind: 'text',
          text:
            `t* optimises a ratio of expectations; what people report is the expected Dice. ${samples} ` +
            'sampled labels say how far apart the two are: the curves below are the mean Dice of every ' +
            'threshold, and the regret is what t* leaves to the best of them.',
        },
        expectedFigure(results),
        expectedTable(organs),
      ],
    },
    {
      title: 'Do samples and closed form agree?',
      blocks: [
        {
          kind: 'text',
          text:
            `For every uncertain voxel, the share of ${samples} samples that include it is compared ` +
            'with its marginal. If both are right, these z-scores have mean 0 and standard deviation ' +
            `1; here they are ${decimals(average(zScores))} and ${sd.toFixed(3)}, and ` +
            `${(100 * wide).toFixed(1)} % lie beyond ±1.96 (5 % expected).`,
        },
        agreementFigure(results),
      ],
    },
    {
      title: 'Where the noise model ends',
      blocks: [
        {
          kind: 'text',
          text:
            'Where σ is too large for ℓ, the field folds: the label is torn or repeated, which no ' +
            `annotator does. With ℓ = ${noise.lengthMm / sigma} σ, as elsewhere on this page, the ` +
            `field folds at ${percent(results.draws[results.draws.length - 1].foldProbability)} of the ` +
            `voxels; with ℓ = ${results.folded.noise.lengthMm / sigma} σ, at ` +
            `${percent(results.folded.foldProbability)}.`,
        },
        tornFigure(results),
        foldFigure(results),
      ],
    },
  ]
}

function deviation(values: Float32Array): number {
  const mean = average(values)
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
}

function average(values: Float32Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
