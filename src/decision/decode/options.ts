import { InputError } from '../../volume/errors.ts'
import { checkLabelNumber } from '../../volume/label-numbers.ts'
import type { MaskGrid, PostProcessing } from './post-process.ts'
import type { PresenceRule } from './presence.ts'

/** How the maps of a case are decoded. */
export interface DecodeOptions {
  /**
   * `separate`: a mask a map. `exclusive`: classes that share no voxel, one label map. `regions`: overlapping sets of
   * labels, one label map. Default: `separate`.
   */
  readonly kind?: 'separate' | 'exclusive' | 'regions' | undefined
  /**
   * For each map the labels that it stands for: one for a class, several for a region; undefined for the background's
   * map. Default: 1, 2, 3 … (kept for `separate` too, where masks hold 0 and 1).
   */
  readonly labelSets?: readonly (readonly number[] | undefined)[] | undefined
  /** For regions: the label that each region paints, from the outermost to the innermost (`regions_class_order`). */
  readonly paint?: readonly number[] | undefined
  /** Default: `dice`. */
  readonly metric?: Metric | undefined
  /**
   * Thresholds to cut at, one a map or one for all, instead of each map's own. Then neither metric nor presence are
   * asked.
   */
  readonly at?: number | readonly (number | undefined)[] | undefined
  /** Whether a class with little evidence is left out (see `presenceOf`); not asked for `accuracy`. Default: `auto`. */
  readonly presence?: PresenceRule | undefined
  /** For each map, ‖m‖ in voxels of the smallest other case where its class is clearly there. */
  readonly smallestElsewhere?: readonly (number | undefined)[] | undefined
  /** Whether no other class was looked for in the image (see `presenceOf`). Default: whether the maps have but one. */
  readonly alone?: boolean | undefined
  /** Also tell how flat the Dice curve is, which costs another pass. */
  readonly flatness?: boolean | undefined
}

/** What rules that were tuned on validation cases ask of a decoder beside that, for each map. */
export interface TunedOptions {
  /** Cut by the reciprocal-moment approximation (see `rmaOptimum`) in place of t*. */
  readonly criteria?: readonly ('rma' | undefined)[] | undefined
  /** What ½ of the map as it was given has become: where it was calibrated, another number. Default: ½. */
  readonly halves?: readonly (number | undefined)[] | undefined
  /** What is done to the masks in the end. Maps must then be given twice (see `CaseDecoder.needsReview`). */
  readonly postProcessing?:
    | { readonly grid: MaskGrid; readonly maps: readonly (PostProcessing | undefined)[] }
    | undefined
}

/** Options with their defaults filled in and checked. */
export interface CheckedOptions {
  readonly kind: 'separate' | 'exclusive' | 'regions'
  readonly labelSets: readonly (readonly number[] | undefined)[]
  readonly paint: readonly number[] | undefined
  readonly metric: Metric
  /** One a map where thresholds are given. */
  readonly at: readonly (number | undefined)[]
  readonly presence: PresenceRule
  readonly smallestElsewhere: readonly (number | undefined)[]
  readonly flatness: boolean
  readonly criteria: readonly ('rma' | undefined)[]
  readonly halves: readonly (number | undefined)[]
  readonly alone: boolean
  readonly postProcessing: TunedOptions['postProcessing']
}

const kinds = ['separate', 'exclusive', 'regions'] as const
const metrics = ['dice', 'iou', 'accuracy', 'volume'] as const
/** What masks are best for; `volume`: masks of the expected volume (see `volumeCut`). */
export type Metric = (typeof metrics)[number]
const rules = ['auto', 'always', 'likely'] as const

/** @throws InputError naming the option that does not fit, and what would */
export function checkOptions(channels: number, options: DecodeOptions & TunedOptions): CheckedOptions {
  const kind = oneOf('kind', options.kind ?? 'separate', kinds)
  const labelSets = options.labelSets ?? Array.from({ length: channels }, (_, c) => [c + 1])
  requireOneAMap('labelSets', labelSets, channels)
  for (const labels of labelSets) checkLabels(labels, kind)
  if (kind === 'exclusive') checkDistinct(labelSets)
  const paint = options.paint
  for (const label of paint ?? []) checkLabelNumber(label, 'paint', 'a label')
  const { at } = options
  const thresholds = typeof at === 'object' ? at : Array.from({ length: channels }, () => at)
  requireOneAMap('at', thresholds, channels)
  for (const threshold of thresholds) {
    if (threshold !== undefined && !(threshold > 0 && threshold <= 1)) {
      throw new InputError('at', `is ${threshold}; give a threshold above 0 and at most 1`)
    }
  }
  const smallestElsewhere = options.smallestElsewhere ?? new Array<undefined>(channels).fill(undefined)
  requireOneAMap('smallestElsewhere', smallestElsewhere, channels)
  return {
    kind,
    labelSets,
    paint,
    metric: oneOf('metric', options.metric ?? 'dice', metrics),
    at: thresholds,
    presence: oneOf('presence', options.presence ?? 'auto', rules),
    smallestElsewhere,
    flatness: options.flatness === true,
    criteria: options.criteria ?? [],
    halves: options.halves ?? [],
    alone: options.alone ?? labelSets.filter((labels) => labels !== undefined).length === 1,
    postProcessing: options.postProcessing?.maps.some((each) => each) ? options.postProcessing : undefined,
  }
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw new InputError(name, `is '${value}'; give ${allowed.join(', ')}`)
}

function requireOneAMap(name: string, list: readonly unknown[], channels: number): void {
  if (list.length === channels) return
  throw new InputError(name, `has ${list.length} entries for ${channels} maps; give one for each`)
}

function checkLabels(labels: readonly number[] | undefined, kind: DecodeOptions['kind']): void {
  if (labels === undefined) return
  if (labels.length === 0) throw new InputError('labelSets', 'has an empty set; give undefined for the background')
  for (const label of labels) checkLabelNumber(label, 'labelSets', 'a label')
  if (kind === 'separate') return
  if (labels.includes(0)) throw new InputError('labelSets', 'gives a class label 0; give undefined for the background')
  if (kind === 'exclusive' && labels.length > 1) {
    throw new InputError('labelSets', `gives one class the labels ${labels.join(' and ')}; decode them as regions`)
  }
}

function checkDistinct(labelSets: readonly (readonly number[] | undefined)[]): void {
  const all = labelSets.flatMap((labels) => labels ?? [])
  const twice = all.find((label, i) => all.indexOf(label) !== i)
  if (twice !== undefined) throw new InputError('labelSets', `gives label ${twice} to two classes; each needs its own`)
}
