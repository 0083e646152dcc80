import type { SoftDiceOptimum } from '../../src/decision/soft-dice.ts'
import { chart } from '../../src/report/kit/chart.ts'
import { reliabilityDiagram } from '../../src/report/kit/distributions.ts'
import type { Mark, Point } from '../../src/report/kit/marks.ts'
import { chartColours } from '../page/colours.ts'
import type { DiceCurve, Realised } from '../protocol.ts'

const size = { width: 340, height: 230 } as const

/** Soft Dice over the threshold, with ½, t* and the cut in use; the realised Dice beside it. */
export function curveChart(curve: DiceCurve, optimum: SoftDiceOptimum, cut: number, realised?: Realised): string {
  const every = (n: number, of: number) => n % Math.ceil(of / 250) === 0
  const points = (x: Float64Array, y: Float64Array): Point[] => {
    const all: Point[] = []
    for (let i = 0; i < x.length; i++) if (every(i, x.length) || i === x.length - 1) all.push([x[i], y[i]])
    return all
  }
  const marks: Mark[] = [
    { kind: 'rule', x: 0.5, colour: chartColours.half, dash: '5 3', label: '½' },
    { kind: 'rule', x: optimum.threshold, colour: chartColours.optimum, label: 't*' },
    { kind: 'rule', x: cut, colour: chartColours.cut, dash: '1 3', label: 'cut' },
    { kind: 'line', points: points(curve.thresholds, curve.dice), colour: 'currentColor', width: 2, label: 'promised' },
  ]
  if (realised) {
    marks.push({
      kind: 'line',
      points: points(realised.thresholds, realised.dice),
      colour: chartColours.reference,
      dash: '6 3',
      width: 2,
      label: 'realised',
    })
  }
  return chart({
    ...size,
    description:
      `Soft Dice over the threshold: ${optimum.supDice.toFixed(3)} at t* = ${optimum.threshold.toFixed(3)}, ` +
      `${optimum.diceAtHalf.toFixed(3)} at one half.`,
    x: { label: 'threshold', domain: [0, 1] },
    y: { label: 'Dice', domain: [0, 1] },
    marks,
  })
}

export function reliability({ calibration }: Realised): string {
  const bins = calibration.bins.flatMap(({ meanProbability, frequency, voxels }) =>
    meanProbability === null || frequency === null ? [] : [{ probability: meanProbability, frequency, voxels }],
  )
  return reliabilityDiagram([{ label: `this map (ECE ${calibration.ece.toFixed(3)})`, bins }], size)
}
