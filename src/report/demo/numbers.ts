import type { MeanInterval } from '../../decision/sampled-dice.ts'
import type { DemoOrgan } from '../../study/demo.ts'
import { type Estimated, estimateDecimals } from '../kit/estimate.ts'

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
