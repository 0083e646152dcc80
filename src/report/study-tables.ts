import type { ComparisonRow, SummaryRow, Target } from '../study/summary.ts'
import type { Block } from './html.ts'
import { METHOD_NAMES } from './study-words.ts'

/** Means by organ, strength and method. */
export function summaryTable(summary: readonly SummaryRow[], target: Target): Block {
  const rows = summary
    .filter((row) => row.target === target)
    .map((row) => ({ ...row, method: METHOD_NAMES[row.method] }) as Record<string, string | number>)
  return {
    kind: 'table',
    name: `summary-${target}`,
    caption: `Dice with the ${target} labels by organ, strength and method: mean over cases, 95 % interval, deviation of the folds' means; and means of what the map promises, threshold, volume over the clean label's, and calibration.`,
    table: {
      columns: [
        { key: 'organ' },
        { key: 'sigma_mm', title: 'σ, mm' },
        { key: 'method' },
        { key: 'cases', decimals: 0 },
        { key: 'dice_mean', title: 'Dice' },
        { key: 'dice_low', title: 'low' },
        { key: 'dice_high', title: 'high' },
        { key: 'dice_fold_sd', title: '± folds' },
        { key: 'predicted_dice_mean', title: 'promised' },
        { key: 'threshold_mean', title: 'threshold' },
        { key: 'volume_ratio_mean', title: 'volume' },
        { key: 'ece_mean', title: 'ECE', decimals: 4 },
        { key: 'brier_mean', title: 'Brier', decimals: 4 },
      ],
      rows,
    },
  }
}

/** Paired differences. */
export function comparisonTable(comparisons: readonly ComparisonRow[], target: Target): Block {
  const rows = comparisons
    .filter((row) => row.target === target)
    .map(
      (row) =>
        ({ ...row, first: METHOD_NAMES[row.first], second: METHOD_NAMES[row.second] }) as Record<
          string,
          string | number
        >,
    )
  return {
    kind: 'table',
    name: `comparisons-${target}`,
    caption: `Differences in Dice with the ${target} labels, the first method minus the second, paired by case.`,
    table: {
      columns: [
        { key: 'organ' },
        { key: 'sigma_mm', title: 'σ, mm' },
        { key: 'first' },
        { key: 'second' },
        { key: 'patients', decimals: 0 },
        { key: 'difference' },
        { key: 'low' },
        { key: 'high' },
        { key: 'better', decimals: 0 },
        { key: 'worse', decimals: 0 },
        { key: 'p', decimals: 4 },
        { key: 'p_holm', title: 'p (Holm)', decimals: 4 },
      ],
      rows,
    },
  }
}
