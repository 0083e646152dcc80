import type { ThresholdSettings } from '../maps/threshold-cases.ts'
import type { JsonOption } from './options.ts'

/** What the command line gives to `halfdice threshold`. */
export interface ThresholdOptions extends JsonOption, Omit<ThresholdSettings, 'tuned'> {
  readonly tuned?: string
  readonly output: string
  readonly decode?: 'separate' | 'exclusive' | 'regions'
  readonly classes?: string
  readonly datasetJson?: string
  readonly labels?: readonly string[]
  readonly scale?: number
  readonly logits?: 'softmax' | 'sigmoid'
  readonly like?: string
  readonly assumePresent?: boolean
  readonly stdinNpy?: boolean
  readonly report?: string
  readonly references?: string
  readonly images?: string
  readonly suffix?: string
  readonly threads: number
}
