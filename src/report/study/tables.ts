import { allMethods, type StudyMethod } from '../../study/score-case.ts'
import {
  type Compared,
  type ComparisonRow,
  comparedMethods,
  type SummaryRow,
  type Target,
} from '../../study/summary.ts'
import type { Block } from '../kit/html.ts'
import type { Column } from '../kit/table.ts'
import { pText, strengthText } from '../kit/words.ts'
import { comparedName, methodNames } from './words.ts'

/** Theory first. */
const shown = allMethods.toSorted((a, b) => Number(b.startsWith('theory')) - Number(a.startsWith('theory')))

const strengthColumn: Column = { key: 'sigma_mm', title: 'σ, mm', show: (sigma) => strengthText(String(sigma)) }

/** Mean Dice alone: a row an organ and strength, a column a method. */
export function diceTable(summary: readonly SummaryRow[], target: Target): Block {
  const rows = new Map<string, Record<string, string | number>>()
  for (const row of summary) {
    if (row.target !== target) continue
    const { organ, sigma_mm, cases } = row
    const key = JSON.stringify([organ, sigma_mm])
    rows.set(key, { ...(rows.get(key) ?? { organ, sigma_mm, cases }), [row.method]: row.dice_mean })
  }
  const isThere = (method: StudyMethod) => summary.some((row) => row.method === method)
  return {
    kind: 'table',
    name: `dice-${target}`,
    caption: `Mean Dice with the ${target} labels.`,
    table: {
      columns: [
        { key: 'organ' },
        strengthColumn,
        { key: 'cases', decimals: 0 },
        ...shown.filter(isThere).map((method) => ({ key: method, title: methodNames[method] })),
      ],
      rows: [...rows.values()],
    },
  }
}

/** Means by organ, strength and method. */
export function summaryTable(summary: readonly SummaryRow[], target: Target): Block {
  const rows = summary
    .filter((row) => row.target === target)
    .map((row) => ({ ...row, method: methodNames[row.method] }) as Record<string, string | number>)
  return {
    kind: 'table',
    name: `summary-${target}`,
    caption:
      `Dice with the ${target} labels by organ, strength and method: mean over cases, 95 % interval, ` +
      "deviation of the folds' means; and means of what the map promises, threshold, volume over the " +
      "clean label's, and calibration.",
    table: {
      columns: [
        { key: 'organ' },
        strengthColumn,
        { key: 'method' },
        { key: 'cases', decimals: 0 },
        { key: 'dice_mean', title: 'Dice' },
        { key: 'dice_low', title: 'low' },
        { key: 'dice_high', title: 'high' },
        { key: 'dice_fold_sd', title: '± folds' },
        { key: 'soft_dice_mean', title: 'promised' },
        { key: 'threshold_mean', title: 'threshold' },
        { key: 'volume_ratio_mean', title: 'volume' },
        { key: 'ece_mean', title: 'ECE', decimals: 4 },
        { key: 'brier_mean', title: 'Brier', decimals: 4 },
        { key: 'nll_mean', title: 'NLL', decimals: 4 },
      ],
      rows,
    },
  }
}

/** Paired differences. */
export function comparisonTable(
  comparisons: readonly ComparisonRow[],
  target: Target,
  pairs: readonly (readonly [Compared, Compared])[] = comparedMethods,
): Block {
  const rows = comparisons
    .filter((row) => row.target === target && pairs.some(([a, b]) => a === row.first && b === row.second))
    .map(
      (row) =>
        ({ ...row, first: comparedName(row.first), second: comparedName(row.second) }) as Record<
          string,
          string | number
        >,
    )
  return {
    kind: 'table',
    name: `comparisons-${target}${pairs === comparedMethods ? '' : '-main'}`,
    caption: `Differences in Dice with the ${target} labels, the first method minus the second, paired by case.`,
    table: {
      columns: [
        { key: 'organ' },
        strengthColumn,
        { key: 'first' },
        { key: 'second' },
        { key: 'patients', decimals: 0 },
        { key: 'difference' },
        { key: 'low' },
        { key: 'high' },
        { key: 'better', decimals: 0 },
        { key: 'worse', decimals: 0 },
        { key: 'p', show: (p) => pText(Number(p)) },
        { key: 'p_holm', title: 'p (Holm)', show: (p) => pText(Number(p)) },
      ],
      rows,
    },
  }
}
