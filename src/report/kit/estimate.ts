import { signed as withSign } from './words.ts'

/** A number that was estimated, and the interval in which it lies. */
export interface Estimated {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** How an estimate is printed. */
export interface EstimateStyle {
  /** Decimals of all three numbers. Default: `estimateDecimals`. */
  readonly decimals?: number
  /** A difference: its sign is written even where it is a plus. */
  readonly signed?: boolean
}

/** An estimate and the ends of its interval, as they are printed. */
export interface EstimateParts {
  readonly value: string
  readonly low: string
  readonly high: string
}

/** Digits beyond these say nothing about a Dice or a length. */
const mostDecimals = 6

/** An interval spans so many units of the last digit: its ends are told apart, and where the estimate lies in it. */
const leastUnits = 4

/**
 * The decimals that estimates deserve, by the narrowest of their intervals: one column, or one sentence, prints them
 * all alike. Three where no interval has a width.
 *
 * @param least no fewer than these, 3 for a Dice
 */
export function estimateDecimals(estimates: readonly Omit<Estimated, 'value'>[], least = 0): number {
  const widths = estimates.flatMap(({ low, high }) => {
    // The same number many times over has an interval of round-off.
    const isWide = high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high))
    return isWide && Number.isFinite(high - low) ? [high - low] : []
  })
  if (widths.length === 0) return Math.max(3, least)
  return Math.min(mostDecimals, Math.max(least, Math.ceil(Math.log10(leastUnits / Math.min(...widths)))))
}

/**
 * Estimate and interval with the same decimals: rounded alike, an estimate within its interval is printed within it.
 * What is not finite is a dash.
 */
export function estimateParts(estimate: Estimated, style: EstimateStyle = {}): EstimateParts {
  const { decimals = estimateDecimals([estimate]), signed = false } = style
  const print = (number: number): string => {
    if (!Number.isFinite(number)) return '–'
    const text = withSign(number, decimals)
    return signed ? text : text.replace(/^\+/, '')
  }
  return { value: print(estimate.value), low: print(estimate.low), high: print(estimate.high) }
}

/** `0.0053 (95 % 0.0046 to 0.0061)`. */
export function estimateText(estimate: Estimated, style?: EstimateStyle): string {
  const { value, low, high } = estimateParts(estimate, style)
  return `${value} (95 % ${low} to ${high})`
}

/** The interval alone, for a column beside the estimate's: `0.0046 to 0.0061`, in one piece. */
export function intervalText(estimate: Estimated, style?: EstimateStyle): string {
  const { low, high } = estimateParts(estimate, style)
  return `${low}\u00a0to\u00a0${high}`
}
