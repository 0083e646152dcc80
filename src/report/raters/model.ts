import type { AnnotatorFit } from '../../annotators/fit.ts'
import type { AnnotatorSlice } from './annotator-slice.ts'

/** How the annotators of one case agree on a label. */
export interface PageCase {
  readonly case: string
  /** Who drew it. */
  readonly present: readonly string[]
  /** Means over pairs; undefined of one annotator, and where there is no distance. */
  readonly dice: number | undefined
  readonly hd95Mm: number | undefined
  readonly leastMl: number
  readonly mostMl: number
}

/** What the annotators' noise leaves to a network, as means over cases. */
export interface PageOptimum {
  readonly cases: number
  readonly supDice: number
  readonly threshold: number
  readonly diceAtHalf: number
  /** The expected Dice of an empty mask. */
  readonly emptyDice: number
}

/** One label of the page. */
export interface PageLabel {
  readonly title: string
  readonly fit?: AnnotatorFit | undefined
  /** Why there is no fit. */
  readonly reason?: string | undefined
  /** Those who agree least first. */
  readonly cases: readonly PageCase[]
  readonly optimum?: PageOptimum | undefined
  readonly drawn: readonly { readonly case: PageCase; readonly slice: AnnotatorSlice }[]
}

export interface AnnotatorsPage {
  readonly annotators: readonly string[]
  readonly anonymous: boolean
  readonly labels: readonly PageLabel[]
  readonly failures: readonly string[]
  readonly version: string
}
