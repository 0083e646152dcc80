import { sigmaText } from '../../noise/noise-seed.ts'
import type { ReliabilityRow } from '../../study/assemble.ts'
import { type StudyLoss, studyLosses } from '../../study/config.ts'
import type { StudyMethod } from '../../study/score-case.ts'
import type { SummaryRow, Target } from '../../study/summary.ts'
import type { TrainingCurve } from '../../study/training-curves.ts'
import { type ChartOptions, chart } from '../kit/chart.ts'
import { reliabilityDiagram } from '../kit/distributions.ts'
import type { Block } from '../kit/html.ts'
import type { Estimate, Mark, Point } from '../kit/marks.ts'
import { lineColour, markers } from '../kit/palette.ts'
import { strengthText } from '../kit/words.ts'
import { methodNames } from './words.ts'

/** Methods shown with whiskers, each with a colour of its own in every figure. */
const shown: readonly StudyMethod[] = [
  'soft-dice@half',
  'ce@half',
  'ce@case',
  'ce@dataset',
  'ce@rma',
  'ce@volume',
  'ce@calibrated',
  'ce@oracle',
  'dice-ce@half',
  'dice-ce@case',
  'dice-ce@calibrated',
]

/** The Dice that shows how far a network has learned, whatever the cut at ½ makes of it. */
const learnedLine = {
  'cross-entropy': 'validationDiceAtCaseThreshold',
  'soft-dice': 'validationDice',
  'dice+cross-entropy': 'validationDiceAtCaseThreshold',
} as const

const dashes: Partial<Record<StudyLoss, string>> = { 'soft-dice': '5 3', 'dice+cross-entropy': '2 3' }

/** Shares of fewer voxels, which lie side by side and move together, say nothing. */
const fewestVoxels = 100

const size = { width: 460, height: 340 }

/** Dice of every method against noise strength, one chart an organ. */
export function diceFigure(summary: readonly SummaryRow[], target: Target): Block {
  const rows = summary.filter((row) => row.target === target)
  const present = shown.filter((method) => rows.some((row) => row.method === method))
  return {
    kind: 'figure',
    svgs: byOrgan(rows).map(({ organ, own, sigmas }) =>
      chart({
        ...size,
        title: organ,
        description: `Dice of ${organ} with the ${target} labels against noise strength, for every method.`,
        x: strengthAxis(sigmas),
        y: { label: `Dice (${target} labels)` },
        marks: [
          theoryLine(own, sigmas, 'theory@case', undefined),
          theoryLine(own, sigmas, 'theory@half', '5 3'),
          ...(target === 'clean' ? [theoryLine(own, sigmas, 'theory@volume', '1 3')] : []),
          ...present.map((method, i): Mark => {
            const points = sigmas.flatMap((sigma, x): Estimate[] => {
              const row = own.find((one) => one.method === method && one.sigma_mm === sigma)
              return row === undefined ? [] : [{ x, y: row.dice_mean, low: row.dice_low, high: row.dice_high }]
            })
            const offset = (i - (present.length - 1) / 2) * 9
            return { kind: 'intervals', ...styleOf(method), points, offset }
          }),
        ],
      }),
    ),
    caption:
      `Mean Dice with the ${target} labels and 95 % intervals. Lines: what exact probabilities would score, ` +
      (target === 'clean'
        ? 'cut at t* (solid), at ½ (dashed) and at their volume (dotted).'
        : 'cut at t* (solid) and at ½ (dashed).'),
  }
}

/** Thresholds and volumes against noise strength. */
export function thresholdFigure(summary: readonly SummaryRow[]): Block {
  const rows = summary.filter(({ target }) => target === 'noisy')
  const lines = (
    own: readonly SummaryRow[],
    sigmas: readonly string[],
    methods: readonly StudyMethod[],
    key: keyof SummaryRow,
  ) =>
    methods.map(
      (method): Mark => ({
        kind: 'line',
        ...styleOf(method),
        ...(method.startsWith('theory') && { dash: '5 3' }),
        points: sigmas.map((sigma, x): Point => {
          const row = own.find((one) => one.method === method && one.sigma_mm === sigma)
          return [x, row === undefined ? Number.NaN : Number(row[key])]
        }),
      }),
    )
  return {
    kind: 'figure',
    svgs: byOrgan(rows).flatMap(({ organ, own, sigmas }) => [
      chart({
        ...size,
        title: `${organ}: threshold`,
        description: `Mean threshold of each method for ${organ} against noise strength.`,
        x: strengthAxis(sigmas),
        y: { label: 'threshold', domain: [0, 0.6] },
        marks: lines(own, sigmas, ['theory@case', 'ce@case', 'ce@dataset', 'ce@oracle'], 'threshold_mean'),
      }),
      chart({
        ...size,
        title: `${organ}: volume`,
        description: `Volume of the masks of each method over the clean volume for ${organ} against noise strength.`,
        x: strengthAxis(sigmas),
        y: { label: 'volume / clean volume' },
        marks: [
          { kind: 'rule', colour: 'currentColor', dash: '2 3', y: 1 },
          ...lines(
            own,
            sigmas,
            ['theory@half', 'theory@case', 'soft-dice@half', 'ce@half', 'ce@case', 'ce@volume'],
            'volume_ratio_mean',
          ),
        ],
      }),
    ]),
    caption: 'Mean over cases of the threshold (left) and of the volume relative to the clean label (right).',
  }
}

/** Forecast against reached, and promised against scored; one point for each organ and strength. */
export function forecastFigure(summary: readonly SummaryRow[]): Block {
  const rows = summary.filter(({ target }) => target === 'noisy')
  const forecast = (row: SummaryRow) =>
    rows.find((one) => one.method === 'theory@case' && one.organ === row.organ && one.sigma_mm === row.sigma_mm)
      ?.soft_dice_mean ?? Number.NaN
  const dots = (methods: readonly StudyMethod[], x: (row: SummaryRow) => number) =>
    methods.map(
      (method): Mark => ({
        kind: 'dots',
        ...styleOf(method),
        radius: 4,
        points: rows.filter((row) => row.method === method).map((row): Point => [x(row), row.dice_mean]),
      }),
    )
  const frame = (title: string, x: string, marks: readonly Mark[]): ChartOptions => ({
    ...size,
    title,
    description: `${title}, one point for each organ and noise strength.`,
    x: { label: x, domain: [0, 1] },
    y: { label: 'Dice (noisy labels)', domain: [0, 1] },
    marks: [
      {
        kind: 'line',
        colour: 'currentColor',
        dash: '3 3',
        width: 1,
        points: [
          [0, 0],
          [1, 1],
        ],
      },
      ...marks,
    ],
  })
  return {
    kind: 'figure',
    svgs: [
      chart(frame('Forecast and reached', 'forecast D*', dots(['soft-dice@half', 'ce@half', 'ce@case'], forecast))),
      chart(
        frame(
          'Promised and scored',
          "Dice promised by the network's probabilities",
          dots(['ce@half', 'ce@case', 'ce@dataset'], (row) => row.soft_dice_mean),
        ),
      ),
    ],
    caption: 'Each point is the mean over cases at one organ and strength; dashed: equality.',
  }
}

/** Reliability curves, one chart for each organ, one for each loss. */
export function reliabilityFigure(rows: readonly ReliabilityRow[]): Block[] {
  const sigmas = [...new Set(rows.map(({ sigma_mm }) => sigma_mm))]
  const organs = [...new Set(rows.map(({ organ }) => organ))]
  const losses = ['theory', ...studyLosses].filter((loss) => rows.some((row) => row.loss === loss))
  const diagram = (organ: string, loss: string) =>
    reliabilityDiagram(
      sigmas.map((sigma) => ({
        label: `σ = ${strengthText(sigma)} mm`,
        bins: rows
          .filter(
            (row) => row.organ === organ && row.loss === loss && row.sigma_mm === sigma && row.voxels >= fewestVoxels,
          )
          .map(({ voxels, probability_sum, label_voxels }) => ({
            probability: probability_sum / voxels,
            frequency: label_voxels / voxels,
            voxels,
          })),
      })),
      { title: `${organ}, ${loss}`, width: 300, height: 290, y: 'share in the noisy label' },
    )
  return organs.map((organ) => ({
    kind: 'figure',
    svgs: losses.map((loss) => diagram(organ, loss)),
    caption:
      `${organ}: predicted probability against the share of voxels in the noisy label, for exact ` +
      `marginals and networks. Groups of fewer than ${fewestVoxels} voxels are left out.`,
  }))
}

/** Loss and validation Dice against training steps. */
export function trainingFigure(curves: readonly TrainingCurve[]): Block[] {
  const groups = [...new Set(curves.map(({ group }) => group))]
  return groups.map((group) => {
    const own = curves.filter((curve) => curve.group === group)
    const sigmas = [...new Set(own.map(({ sigmaMm }) => sigmaText(sigmaMm)))]
    const mean = (loss: string, sigma: string, value: (epoch: TrainingCurve['epochs'][number]) => number): Point[] => {
      const folds = own.filter((curve) => curve.loss === loss && sigmaText(curve.sigmaMm) === sigma)
      const steps = folds[0]?.epochs.map(({ step }) => step) ?? []
      return steps.map((step, i) => [step, average(folds.map(({ epochs }) => value(epochs[i])))])
    }
    const losses = studyLosses.filter((loss) => own.some((curve) => curve.loss === loss))
    const lossChart = (loss: string) =>
      chart({
        ...size,
        title: `${loss} loss`,
        description: `Training loss of ${loss} against steps, for each noise strength.`,
        x: { label: 'training step' },
        y: { label: 'loss' },
        marks: sigmas.map(
          (sigma, i): Mark => ({
            kind: 'line',
            colour: lineColour(i),
            label: `σ = ${strengthText(sigma)} mm`,
            points: mean(loss, sigma, (epoch) => epoch.loss),
          }),
        ),
      })
    const diceCharts = (own[0]?.organs ?? []).map((organ, k) =>
      chart({
        ...size,
        title: `${organ}: validation Dice`,
        description: `Validation Dice of ${organ} against steps, for every loss and each noise strength.`,
        x: { label: 'training step' },
        y: { label: 'Dice (noisy labels)', domain: [0, 1] },
        marks: sigmas.flatMap((sigma, i) =>
          losses.map(
            (loss): Mark => ({
              kind: 'line',
              colour: lineColour(i),
              label: `${loss}, σ = ${strengthText(sigma)} mm`,
              ...(loss in dashes && { dash: dashes[loss] }),
              points: mean(loss, sigma, (epoch) => epoch[learnedLine[loss]]?.[k] ?? Number.NaN),
            }),
          ),
        ),
      }),
    )
    return {
      kind: 'figure',
      svgs: [...losses.map(lossChart), ...diceCharts],
      caption:
        `${group}: training loss, and Dice of up to 12 held-out cases after every epoch, probabilities ` +
        "cut at each case's t* (at ½ it can be small and yet have learned), soft-Dice at ½.",
    }
  })
}

function styleOf(method: StudyMethod) {
  const i = shown.indexOf(method)
  const label = methodNames[method]
  if (i < 0) return { colour: method === 'theory@case' ? '#555555' : '#999999', label }
  return { colour: lineColour(i), label, marker: markers[i % markers.length] }
}

function theoryLine(
  rows: readonly SummaryRow[],
  sigmas: readonly string[],
  method: StudyMethod,
  dash: string | undefined,
): Mark {
  const points = sigmas.map(
    (sigma, x): Point => [
      x,
      rows.find((row) => row.method === method && row.sigma_mm === sigma)?.dice_mean ?? Number.NaN,
    ],
  )
  return { kind: 'line', ...styleOf(method), dash, width: 1.5, points }
}

function strengthAxis(sigmas: readonly string[]) {
  return { label: 'noise strength σ (mm)', categories: sigmas.map(strengthText) }
}

function byOrgan(rows: readonly SummaryRow[]) {
  return [...new Set(rows.map(({ organ }) => organ))].map((organ) => {
    const own = rows.filter((row) => row.organ === organ)
    return { organ, own, sigmas: [...new Set(own.map(({ sigma_mm }) => sigma_mm))] }
  })
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
