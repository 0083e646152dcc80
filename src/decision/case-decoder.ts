import { InputError } from '../volume/errors.ts'
import { type NearOptimalThresholds, nearOptimalThresholds } from './dice-curve.ts'
import { LabelDecoder, type Loss, scoreWeight } from './label-decoder.ts'
import { thresholdMask } from './mask.ts'
import { type Presence, presence } from './presence.ts'
import { bitsOf, floatOfBits } from './probabilities.ts'
import { RegionDecoder } from './region-decoder.ts'
import { orderContradiction, RegionPainter } from './region-painter.ts'
import { type SoftDiceOptimum, softDiceOptimum } from './soft-dice.ts'
import { softDiceAt } from './soft-dice-at.ts'

/** How the maps of a case are decoded. */
export interface DecodeOptions {
  /**
   * `separate`: a mask a map. `exclusive`: classes that share no voxel, one label map. `regions`: overlapping sets of labels, one label
   * map. Default: `separate`.
   */
  readonly kind?: 'separate' | 'exclusive' | 'regions' | undefined
  /** For each map its label in the label map, or its labels (regions); undefined for the background's map. Default: 1, 2, 3 … */
  readonly labels?: readonly (readonly number[] | undefined)[] | undefined
  /** For regions: the labels to give, from the outermost region's to the innermost's. */
  readonly paint?: readonly number[] | undefined
  /** Default: `dice`. */
  readonly metric?: 'dice' | 'iou' | 'accuracy' | undefined
  /** Thresholds to cut at, one a map or one for all, instead of each map's own; the rule of presence is then not asked. */
  readonly at?: number | readonly number[] | undefined
  /** Every class is known to be in the image: no mask is left empty for lack of evidence (see `presence`). */
  readonly assumePresent?: boolean | undefined
  /** Also tell how flat the Dice curve is, which costs another pass. */
  readonly flatness?: boolean | undefined
}

/** What a map's mask is worth, by the map's own probabilities. Volumes are in voxels. */
export interface MapResult {
  readonly threshold: number
  /** D*, the most that any mask of this map can be expected to reach. */
  readonly supDice: number
  /** The soft Dice of the mask as it is written, after presence and other classes had their say. 1 where both are empty. */
  readonly dice: number
  readonly diceAtHalf: number
  readonly volume: number
  readonly volumeHalf: number
  /** ‖m‖. */
  readonly probabilityVolume: number
  /** The largest probability. */
  readonly largest: number
  /** Evidence that the class is there at all; undefined where thresholds were given. */
  readonly presence?: Presence
  /** Thresholds whose soft Dice is within 0.01 of D*. */
  readonly near?: NearOptimalThresholds
  /** Voxels of the map's own best set that went to other classes. */
  readonly lostVolume: number
  /** Dice of the mask with {m ≥ ½}: how much changed. 1 where both are empty. */
  readonly agreementWithHalf: number
}

/** How a map was cut on its own. Volumes are in voxels. */
export interface OwnCut {
  readonly threshold: number
  readonly present: boolean
  readonly volume: number
  readonly volumeHalf: number
}

export interface DecodedCase {
  /** One label a voxel (`exclusive`, `regions`), or one mask a map after each other (`separate`). */
  readonly data: Uint8Array | Uint16Array
  /** Maps in `data`: 1 for a label map. */
  readonly channels: number
  /** One a map; undefined for the background. */
  readonly maps: readonly (MapResult | undefined)[]
  /**
   * Only for label maps: how much mean Dice (over the classes that are present) sharing out the voxels cost. No labelling can do better
   * than this labelling by more.
   */
  readonly sharingLoss?: number
}

/**
 * Decodes the maps of one case, given one after the other and not kept: `add` each in order, then `finish`. Regions that
 * overlap need the maps a second time (`review`) to state what their masks are worth.
 */
export class CaseDecoder {
  readonly #options: DecodeOptions
  readonly #voxels: number
  readonly #labels: readonly (readonly number[] | undefined)[]
  readonly #exclusive: LabelDecoder | undefined
  readonly #regions: RegionDecoder | RegionPainter | undefined
  readonly #masks: Uint8Array<ArrayBuffer> | undefined
  readonly #results: (Draft | undefined)[] = []
  readonly #claims: number[] = []
  #data: Uint8Array | Uint16Array | undefined

  constructor(voxels: number, channels: number, options: DecodeOptions) {
    this.#options = options
    this.#voxels = voxels
    this.#labels = options.labels ?? Array.from({ length: channels }, (_, c) => [c + 1])
    const kind = options.kind ?? 'separate'
    if (kind === 'exclusive') this.#exclusive = new LabelDecoder(voxels)
    else if (kind === 'regions') this.#regions = this.#regionDecoder(options.paint)
    else this.#masks = new Uint8Array(voxels * channels)
  }

  #regionDecoder(paint: readonly number[] | undefined): RegionDecoder | RegionPainter {
    const regions = this.#labels.map((labels) => labels ?? [])
    if (paint?.length === regions.length && orderContradiction(regions, paint)) {
      return new RegionPainter(this.#voxels, paint)
    }
    const all = paint ?? [...new Set(regions.flat())]
    const within = (label: number) => regions.flatMap((labels, region) => (labels.includes(label) ? [region] : []))
    return new RegionDecoder(
      this.#voxels,
      all.map((label) => [label, within(label)]),
    )
  }

  /** Whether `review` must see the maps again before `finish`. */
  get needsReview(): boolean {
    return this.#regions !== undefined
  }

  /**
   * Takes in the next map; returns its own cut, before other classes have their say, but for the background. Throws InputError
   * where a value is no probability.
   */
  add(m: Float32Array): OwnCut | undefined {
    const index = this.#results.length
    const labels = this.#labels[index]
    const { metric, at, assumePresent } = this.#options
    const accuracy = metric === 'accuracy' && at === undefined
    if (labels === undefined) {
      // For accuracy the background competes: its voxels are those where no class is more probable.
      if (this.#exclusive && accuracy) this.#claim(index, m, 0, Number.MIN_VALUE, 1)
      this.#results.push(undefined)
      return undefined
    }
    const optimum = softDiceOptimum(m)
    const given = typeof at === 'number' ? at : at?.[index]
    const threshold = given ?? (accuracy ? 0.5 : optimum.threshold)
    const cut = threshold === optimum.threshold ? bestCut(optimum) : cutAt(m, threshold, optimum)
    const largest = largestOf(m)
    const evidence =
      given === undefined && !accuracy ? presence({ largest, total: optimum.probabilityVolume, ...cut }) : undefined
    const present = assumePresent || (evidence?.present ?? true)
    const outcome = { threshold, present, volume: present ? cut.count : 0, volumeHalf: optimum.volumeHalf }
    this.#results.push({
      optimum,
      threshold,
      largest,
      presence: evidence,
      near: this.#options.flatness ? nearOptimalThresholds(m) : undefined,
      own: present ? cut : { sum: 0, count: 0 },
      final: present ? cut : { sum: 0, count: 0 },
      present,
    })
    if (this.#masks) {
      const mask = this.#masks.subarray(index * this.#voxels, (index + 1) * this.#voxels)
      if (present) thresholdMask(m, threshold, mask)
      return outcome
    }
    const weight = scoreWeight(metric === 'iou' ? 'iou' : 'dice', { ...cut, total: optimum.probabilityVolume })
    if (this.#regions) this.#regions.add(index, m, present && cut.count > 0 ? { threshold, weight } : undefined)
    else if (present && cut.count > 0) {
      if (accuracy) this.#claim(index, m, labels[0], Number.MIN_VALUE, 1)
      else this.#claim(index, m, labels[0], threshold, weight)
    }
    return outcome
  }

  #claim(index: number, m: Float32Array, label: number, threshold: number, weight: number): void {
    this.#claims.push(index)
    this.#exclusive?.add(m, label, { threshold, weight })
  }

  /** Takes in the maps again, in order, after all were added. */
  review(index: number, m: Float32Array): void {
    const labels = this.#labels[index]
    const result = this.#results[index]
    if (!this.#regions || !labels || !result) return
    const data = (this.#data ??= this.#regions.finish())
    const inside = new Set(labels)
    let [sum, count] = [0, 0]
    for (let i = 0; i < m.length; i++) {
      if (data[i] === 0 || !inside.has(data[i])) continue
      sum += m[i]
      count++
    }
    result.final = { sum, count }
  }

  finish(): DecodedCase {
    const losses: (Loss | undefined)[] = []
    for (const [i, loss] of this.#exclusive?.losses().entries() ?? []) losses[this.#claims[i]] = loss
    if (this.#options.metric !== 'accuracy') {
      for (const [index, result] of this.#results.entries()) {
        const loss = losses[index]
        if (!result || !loss) continue
        result.final = { sum: result.own.sum - loss.sum, count: result.own.count - loss.count }
      }
    }
    const data = this.#masks ?? this.#data ?? this.#exclusive?.finish() ?? this.#regions?.finish()
    if (data === undefined) throw new InputError('maps', 'are none; give at least one')
    const maps = this.#results.map((result) => result && describe(result))
    const shared = this.#masks ? undefined : sharingLoss(this.#results)
    return {
      data,
      channels: this.#masks ? this.#results.length : 1,
      maps,
      ...(shared !== undefined && { sharingLoss: shared }),
    }
  }
}

interface Cut {
  readonly sum: number
  readonly count: number
}

interface Draft {
  readonly optimum: SoftDiceOptimum
  readonly threshold: number
  readonly largest: number
  readonly presence: Presence | undefined
  readonly near: NearOptimalThresholds | undefined
  /** The map's own set at its threshold, and what it has in the end. */
  readonly own: Cut
  final: Cut
  readonly present: boolean
}

function bestCut({ supDice, volume, probabilityVolume }: SoftDiceOptimum): Cut {
  return { sum: (supDice * (volume + probabilityVolume)) / 2, count: volume }
}

function cutAt(m: Float32Array, threshold: number, { probabilityVolume }: SoftDiceOptimum): Cut {
  const { dice, volume } = softDiceAt(m, threshold)
  return { sum: volume === 0 ? 0 : (dice * (volume + probabilityVolume)) / 2, count: volume }
}

const diceOf = ({ sum, count }: Cut, total: number): number => (count + total === 0 ? 1 : (2 * sum) / (count + total))

function describe({ optimum, threshold, largest, presence, near, own, final }: Draft): MapResult {
  const { supDice, diceAtHalf, volumeHalf, probabilityVolume } = optimum
  // {m ≥ t} and {m ≥ ½} are nested; what other classes took away is counted as taken from their difference last.
  const common = Math.min(final.count, volumeHalf)
  return {
    threshold,
    supDice,
    dice: diceOf(final, probabilityVolume),
    diceAtHalf,
    volume: final.count,
    volumeHalf,
    probabilityVolume,
    largest,
    ...(presence && { presence }),
    ...(near && { near }),
    lostVolume: Math.max(0, own.count - final.count),
    agreementWithHalf: final.count + volumeHalf === 0 ? 1 : (2 * common) / (final.count + volumeHalf),
  }
}

function sharingLoss(results: readonly (Draft | undefined)[]): number {
  const present = results.filter((result) => result?.present && result.own.count > 0)
  const lost = present.reduce((sum, result) => {
    if (!result) return sum
    const total = result.optimum.probabilityVolume
    return sum + diceOf(result.own, total) - diceOf(result.final, total)
  }, 0)
  return present.length === 0 ? 0 : lost / present.length
}

/** Probabilities of several classes in one array, the class the slowest axis. */
export interface ClassProbabilities {
  readonly data: Float32Array
  /** [class, z, y, x], or any number of axes after the class. */
  readonly shape: readonly number[]
}

/**
 * Decodes an array of probabilities, as a network gives it, into Dice-optimal masks or a label map: each class by its own threshold
 * t* = D*⁄2 (docs/theory.md, "Optimal predictions"), conflicts and absent classes as docs/pipelines.md tells.
 *
 * @throws InputError where the shape does not fit the data, or a value is no probability
 * @example
 * // A softmax of background and two organs, 64 × 64 × 64
 * const { data, maps } = decodeProbabilities({ data: p, shape: [3, 64, 64, 64] }, { kind: 'exclusive', labels: [undefined, [1], [2]] })
 */
export function decodeProbabilities({ data, shape }: ClassProbabilities, options: DecodeOptions = {}): DecodedCase {
  const [channels, ...rest] = shape
  const voxels = rest.reduce((a, b) => a * b, 1)
  if (!(channels >= 1) || channels * voxels !== data.length) {
    throw new InputError('shape', `(${shape.join(', ')}) does not fit ${data.length} numbers; give [class, …voxels]`)
  }
  if (options.labels && options.labels.length !== channels) {
    throw new InputError(
      'labels',
      `names ${options.labels.length} classes, the array has ${channels}; give one a class`,
    )
  }
  const decoder = new CaseDecoder(voxels, channels, options)
  const map = (c: number) => data.subarray(c * voxels, (c + 1) * voxels)
  for (let c = 0; c < channels; c++) decoder.add(map(c))
  if (decoder.needsReview) for (let c = 0; c < channels; c++) decoder.review(c, map(c))
  return decoder.finish()
}

/** The largest probability, by its bits, four voxels at a time: a sixth of the time of comparing numbers. */
function largestOf(m: Float32Array): number {
  const bits = bitsOf(m)
  let [a, b, c, d] = [0, 0, 0, 0]
  const whole = bits.length & ~3
  for (let i = 0; i < whole; i += 4) {
    a = Math.max(a, bits[i])
    b = Math.max(b, bits[i + 1])
    c = Math.max(c, bits[i + 2])
    d = Math.max(d, bits[i + 3])
  }
  for (let i = whole; i < bits.length; i++) a = Math.max(a, bits[i])
  return floatOfBits(Math.max(a, b, c, d))
}
