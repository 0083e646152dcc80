import type { Field } from './fields.ts'

/** A set of voxels: those whose value of the field passes. */
export interface Region {
  readonly field: Field
  readonly inside: (value: number) => boolean
  /** The same for the same values of one field: outlines are kept under it. */
  readonly key: string
}

/** What slices show, from the bottom up. */
export type Layer =
  /** Grey levels: `window[0]` and below black, `window[1]` and above white. */
  | { readonly kind: 'grey'; readonly field: Field; readonly window: readonly [number, number] }
  /** Probabilities: transparent at 0, dark to bright towards 1. */
  | { readonly kind: 'heat'; readonly field: Field }
  | { readonly kind: 'fill'; readonly region: Region; readonly colour: string }
  /** The edges of the region's voxels, exactly. */
  | {
      readonly kind: 'outline'
      readonly region: Region
      readonly colour: string
      readonly dash?: readonly number[]
      readonly width?: number
    }

/** At least this probability: the mask that a cut gives. */
export function cutRegion(field: Field, threshold: number): Region {
  // float32 probabilities are compared as the float64 that they equal, as the library does; zeros are never in.
  return { field, key: `from ${threshold}`, inside: (value) => value >= threshold && value > 0 }
}

export function labelRegion(field: Field, labels: readonly number[]): Region {
  const [only] = labels
  const key = `labels ${labels.join()}`
  if (labels.length === 1) return { field, key, inside: (value) => value === only }
  const all = new Set(labels)
  return { field, key, inside: (value) => all.has(value) }
}
