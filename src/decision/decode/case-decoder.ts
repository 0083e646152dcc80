import { InputError } from '../../volume/errors.ts'
import { type NearOptimalThresholds, nearOptimalThresholds } from '../dice-curve.ts'
import { thresholdMask } from '../mask.ts'
import { type Holding, LabelDecoder, type MapCut, scoreWeight } from './label-decoder.ts'
import { decideMap, type MapDecision } from './map-cut.ts'
import { type CheckedOptions, checkOptions, type DecodeOptions, type TunedOptions } from './options.ts'
import { postProcessed, postProcessLabels } from './post-process.ts'
import { type LabelRegions, RegionDecoder } from './region-decoder.ts'
import { orderContradiction, RegionPainter } from './region-painter.ts'
import { describeMap, type MapResult, type Outcome, sharingLoss } from './result.ts'

export interface DecodedCase {
  /** One label a voxel (`exclusive`, `regions`), or one mask a map after each other (`separate`). */
  readonly data: Uint8Array | Uint16Array
  /** Maps in `data`: 1 for a label map. */
  readonly channels: number
  /** One a map; undefined for the background. */
  readonly maps: readonly (MapResult | undefined)[]
  /**
   * Only for label maps that are not an argmax: how much mean soft Dice, over the classes that are present, sharing out
   * the voxels cost. No labelling can do better than this one by more.
   */
  readonly sharingLoss?: number
}

/** How a map was cut on its own. Volumes are in voxels. */
export interface OwnCut {
  readonly threshold: number
  readonly volume: number
  readonly volumeHalf: number
}

interface Draft {
  readonly decision: MapDecision
  readonly near: NearOptimalThresholds | undefined
  /** Counted by `review`. */
  reviewed: Pick<Outcome, 'final' | 'shared' | 'kept'> | undefined
}

/**
 * Decodes the maps of one case, given one after the other and not kept: `add` each in order, then `finish`. Regions
 * that overlap, and masks that are post-processed, need the maps a second time (`review`), to state what their masks
 * are worth.
 */
export class CaseDecoder {
  readonly #options: CheckedOptions
  readonly #voxels: number
  readonly #exclusive: LabelDecoder | undefined
  readonly #regions: RegionDecoder | RegionPainter | undefined
  readonly #masks: Uint8Array<ArrayBuffer> | undefined
  readonly #drafts: (Draft | undefined)[] = []
  /** Which map each claim on exclusive voxels is of. */
  readonly #claims: number[] = []
  /** Σ over maps, where the background has no map of its own and accuracy asks for it. */
  readonly #totals: Float32Array | undefined
  /** Whether exclusive voxels go to the most probable class. */
  readonly #argmax: boolean
  /** The label map or masks as they are written, and before post-processing. */
  #data: Uint8Array | Uint16Array | undefined
  #shared: Uint8Array | Uint16Array | undefined

  constructor(voxels: number, channels: number, options: DecodeOptions & TunedOptions) {
    if (!(channels >= 1)) throw new InputError('maps', 'are none; give at least one')
    this.#options = checkOptions(channels, options)
    const { kind, labelSets, metric, at } = this.#options
    this.#voxels = voxels
    this.#argmax = kind === 'exclusive' && metric === 'accuracy' && at.every((threshold) => threshold === undefined)
    if (kind === 'exclusive') this.#exclusive = new LabelDecoder(voxels)
    else if (kind === 'regions') this.#regions = regionDecoder(voxels, this.#options)
    else this.#masks = new Uint8Array(voxels * channels)
    if (this.#argmax && !labelSets.includes(undefined)) this.#totals = new Float32Array(voxels)
  }

  /** Whether `review` must see the maps again before `finish`. */
  get needsReview(): boolean {
    return this.#regions !== undefined || this.#options.postProcessing !== undefined
  }

  /**
   * Takes in the next map; returns its own cut, before other classes are looked at, but for the background.
   *
   * @throws InputError where a value is not a probability, or there are more maps than announced
   */
  add(m: Float32Array): OwnCut | undefined {
    const index = this.#drafts.length
    this.#checkMap(m, index)
    const labels = this.#options.labelSets[index]
    if (labels === undefined) {
      if (this.#argmax) this.#claim(index, m, 0, argmaxCut)
      this.#drafts.push(undefined)
      return undefined
    }
    const decision = decideMap(m, index, this.#options)
    const near = this.#options.flatness ? nearOptimalThresholds(m) : undefined
    this.#drafts.push({ decision, near, reviewed: undefined })
    this.#paint(index, m, labels, decision)
    const { threshold, own, optimum } = decision
    return { threshold, volume: own.count, volumeHalf: optimum.volumeHalf }
  }

  #checkMap(m: Float32Array, index: number): void {
    const channels = this.#options.labelSets.length
    if (index >= channels) throw new InputError('maps', `are more than the ${channels} announced`)
    if (m.length === this.#voxels) return
    throw new InputError(`map ${index}`, `has ${m.length} voxels, not ${this.#voxels}; give maps of one grid`)
  }

  #paint(
    index: number,
    m: Float32Array,
    labels: readonly number[],
    { threshold, own, optimum, half }: MapDecision,
  ): void {
    const { metric } = this.#options
    if (this.#masks) {
      const mask = this.#masks.subarray(index * this.#voxels, (index + 1) * this.#voxels)
      if (own.count > 0) thresholdMask(m, threshold, mask)
      return
    }
    if (this.#argmax) {
      if (this.#totals) for (let i = 0; i < m.length; i++) this.#totals[i] += m[i]
      this.#claim(index, m, labels[0], argmaxCut)
      return
    }
    // For accuracy every voxel counts alike; otherwise one of a small class counts more.
    const sums = { ...own, total: optimum.probabilityVolume }
    const weight = metric === 'accuracy' ? 1 : scoreWeight(metric === 'iou' ? 'iou' : 'dice', sums)
    const cut = own.count > 0 ? { threshold, weight, half } : undefined
    if (this.#regions) this.#regions.add(index, m, cut)
    else if (cut) this.#claim(index, m, labels[0], cut)
  }

  #claim(index: number, m: Float32Array, label: number, cut: MapCut): void {
    this.#claims.push(index)
    this.#exclusive?.add(m, label, cut)
  }

  /** Takes in the maps again, in order, after all were added. */
  review(index: number, m: Float32Array): void {
    const labels = this.#options.labelSets[index]
    const draft = this.#drafts[index]
    if (!this.needsReview || !labels || !draft) return
    const data = this.#finishData()
    const before = this.#shared ?? data
    const own = this.#masks ? undefined : new Set(labels)
    const offset = this.#masks ? index * this.#voxels : 0
    const shared = countInside(m, before, offset, own, draft.decision)
    const final = before === data ? shared : countInside(m, data, offset, own, draft.decision)
    draft.reviewed = { final, shared, kept: draft.decision.own.count === 0 ? 0 : shared.kept }
  }

  /** The label map or the masks, shared out and post-processed; nothing can be added afterwards. */
  #finishData(): Uint8Array | Uint16Array {
    if (this.#data) return this.#data
    if (this.#totals) this.#exclusive?.yieldToRest(this.#totals)
    const data = this.#masks ?? this.#exclusive?.finish() ?? this.#regions?.finish() ?? new Uint8Array(0)
    const { postProcessing: post, labelSets } = this.#options
    if (post) {
      this.#shared = data.slice()
      if (this.#masks) {
        for (const [index, own] of post.maps.entries()) {
          if (own === undefined || labelSets[index] === undefined) continue
          const mask = this.#masks.subarray(index * this.#voxels, (index + 1) * this.#voxels)
          mask.set(postProcessed(mask, post.grid, own))
        }
      } else postProcessLabels(data, post.grid, labelSets, post.maps)
    }
    this.#data = data
    return data
  }

  finish(): DecodedCase {
    const missing = this.#options.labelSets.length - this.#drafts.length
    if (missing > 0) throw new InputError('maps', `are ${missing} too few`)
    const data = this.#finishData()
    const held: (Holding | undefined)[] = []
    for (const [i, holding] of this.#exclusive?.holdings().entries() ?? []) held[this.#claims[i]] = holding
    const outcomes = this.#drafts.map((draft, index) => draft && this.#outcome(draft, held[index]))
    return {
      data,
      channels: this.#masks ? outcomes.length : 1,
      maps: outcomes.map((outcome) => outcome && describeMap(outcome)),
      ...(!this.#masks && !this.#argmax && { sharingLoss: sharingLoss(outcomes) }),
    }
  }

  #outcome({ decision, near, reviewed }: Draft, held: Holding | undefined): Outcome {
    const known = { decision, near, isCut: !this.#argmax }
    if (reviewed) return { ...known, ...reviewed }
    if (this.#masks) return { ...known, final: decision.own, shared: decision.own, kept: decision.own.count }
    const final = held ?? nothing
    // Of an argmax the map's own mask is {m ≥ ½}; else a class holds nothing but voxels of its own mask.
    return { ...known, final, shared: final, kept: this.#argmax ? final.countHalf : final.count }
  }
}

const nothing: Holding = { sum: 0, count: 0, countHalf: 0 }

/** Every voxel is claimed by the probability itself: the largest wins, the first of equal ones. */
const argmaxCut: MapCut = { threshold: 2 ** -149, zero: 0, weight: 1 }

function regionDecoder(voxels: number, { labelSets, paint }: CheckedOptions): RegionDecoder | RegionPainter {
  const regions = labelSets.map((labels) => labels ?? [])
  if (paint?.length === regions.length && orderContradiction(regions, paint)) return new RegionPainter(voxels, paint)
  const painted = paint ?? [...new Set(regions.flat())]
  const lies = (label: number) => regions.flatMap((labels, region) => (labels.includes(label) ? [region] : []))
  return new RegionDecoder(
    voxels,
    painted.map((label): LabelRegions => [label, lies(label)]),
  )
}

/**
 * What a map holds in a label map, or in the masks from `offset` on where there are no labels, and how many of these
 * voxels are in its own mask.
 */
function countInside(
  m: Float32Array,
  data: Uint8Array | Uint16Array,
  offset: number,
  labels: ReadonlySet<number> | undefined,
  { threshold, half }: MapDecision,
): Holding & { readonly kept: number } {
  let [sum, count, countHalf, kept] = [0, 0, 0, 0]
  for (let i = 0; i < m.length; i++) {
    const label = data[offset + i]
    if (label === 0 || labels?.has(label) === false) continue
    sum += m[i]
    count++
    if (m[i] >= half) countHalf++
    if (m[i] >= threshold) kept++
  }
  return { sum, count, countHalf, kept }
}
