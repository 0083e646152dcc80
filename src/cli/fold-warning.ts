import { percent } from './print.ts'

/** What to tell where noise, or the worst of several, folds more than 1 % of space; else undefined. */
export function foldWarning(...shares: readonly number[]): string | undefined {
  const worst = Math.max(0, ...shares)
  if (worst <= 0.01) return undefined
  const share = `${shares.length > 1 ? 'up to ' : ''}${percent(worst)}`
  return `${share} of space is folded by this noise; a longer --length or a smaller --sigma avoids it`
}
