import type { Example } from '../../study/examples.ts'
import type { StudyMethod } from '../../study/score-case.ts'
import type { ScoreRow } from '../../study/score-table.ts'
import type { Block } from '../kit/html.ts'
import { contourColour } from '../kit/palette.ts'
import { acquisitionView, viewPlane } from '../kit/plane.ts'
import { type Layer, type SlicePanel, slicePanels } from '../kit/slices.ts'
import { strengthText } from '../kit/words.ts'

/** Rows of slices: label, marginal, both networks, for each organ and strength. */
export function exampleFigure(examples: readonly Example[], results: readonly ScoreRow[]): Block[] {
  const organs = [...new Set(examples.map(({ organ }) => organ))]
  return organs.map((organ): Block => {
    const own = examples.filter((one) => one.organ === organ)
    return {
      kind: 'figure',
      svgs: [
        slicePanels({
          columns: 4,
          heatLabel: 'probability',
          description:
            `One slice of ${organ} at each noise strength: labels, marginal, and both networks' ` +
            'probabilities with their masks.',
          panels: own.flatMap((example) => examplePanels(example, results)),
        }),
      ],
      caption:
        `${organ}, case ${own[0].case}: one row for each noise strength. Dice is that of the whole ` +
        'case with its noisy label.',
    }
  })
}

function examplePanels(example: Example, results: readonly ScoreRow[]): SlicePanel[] {
  const { grid, image, clean, noisy, marginal, crossEntropy, softDice, organ, sigma_mm } = example
  const plane = viewPlane(grid, acquisitionView(grid), 0)
  const sorted = Float32Array.from(image).sort()
  const window = [sorted[Math.floor(0.02 * sorted.length)], sorted[Math.ceil(0.98 * (sorted.length - 1))]] as const
  const score = (method: StudyMethod) =>
    results.find(
      (row) => row.organ === organ && row.sigma_mm === sigma_mm && row.case === example.case && row.method === method,
    )
  const grey: Layer = {
    kind: 'grey',
    values: image,
    window: window[0] < window[1] ? window : [window[0], window[0] + 1],
  }
  const line = (values: Float32Array, level: number, colour: number, label: string, dash?: string): Layer => ({
    kind: 'contour',
    values,
    level,
    colour: contourColour(colour),
    label,
    ...(dash && { dash }),
  })
  const panel = (title: string, layers: readonly Layer[], note: string): SlicePanel => ({
    title,
    note,
    grid,
    plane,
    layers: [grey, ...layers],
  })
  const dice = (method: StudyMethod) => score(method)?.dice_noisy.toFixed(3) ?? '–'
  const threshold = (method: StudyMethod) => score(method)?.threshold ?? 0.5
  const map = (title: string, values: Float32Array, half: StudyMethod, own?: StudyMethod): SlicePanel =>
    panel(
      title,
      [
        { kind: 'heat', values },
        line(values, 0.5, 0, 'cut at ½'),
        ...(own === undefined ? [] : [line(values, threshold(own), 1, 'cut at t*')]),
      ],
      `Dice ½ ${dice(half)}${own === undefined ? '' : `, t* ${dice(own)}`}`,
    )
  return [
    panel(
      `σ = ${strengthText(sigma_mm)} mm`,
      [line(clean, 0.5, 3, 'clean label'), line(noisy, 0.5, 4, 'noisy label', '4 2')],
      'clean and noisy label',
    ),
    map('marginal', marginal, 'theory@half', 'theory@case'),
    map('cross-entropy', crossEntropy, 'ce@half', 'ce@case'),
    map('soft-Dice', softDice, 'soft-dice@half'),
  ]
}
