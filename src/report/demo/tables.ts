import type { DemoOrgan } from '../../study/demo.ts'
import { intervalText } from '../kit/estimate.ts'
import type { Block } from '../kit/html.ts'
import type { Table } from '../kit/table.ts'
import { asEstimate, gainDecimals } from './numbers.ts'

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
