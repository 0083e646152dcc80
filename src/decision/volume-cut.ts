import { CoarseCounts, FineCounts } from './dice-counts.ts'
import { ceilBits, chunksOf, floatOfBits, type Probabilities } from './probabilities.ts'

/** The cut whose mask has the expected volume. Volumes are in voxels. */
export interface VolumeCut {
  /** The mask is {m ≥ threshold}; ½ where ‖m‖ = 0. */
  readonly threshold: number
  /** #{m ≥ threshold}: of all cuts the nearest to ‖m‖, the larger of two that are equally near. */
  readonly volume: number
  /** ‖m‖, the expected volume. */
  readonly probabilityVolume: number
}

/**
 * The threshold whose mask has the volume that the probabilities add up to: where annotators err without bias, that of
 * the outline they all mean, and nearly that outline itself (docs/theory.md, "The outline they mean"). It is no optimum
 * of the Dice with their labels: that is what `softDiceOptimum` is for.
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled. ‖m‖ = 0: the empty mask, threshold ½.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * volumeCut(new Float32Array([0.9, 0.6, 0.4, 0.1])).threshold // 0.60000…: two voxels, as many as they add up to
 */
export function volumeCut(m: Probabilities): VolumeCut {
  const chunks = chunksOf(m)
  const coarse = new CoarseCounts()
  for (const chunk of chunks) coarse.add(chunk)
  const probabilityVolume = coarse.sums.reduce((a, b) => a + b, 0)
  if (probabilityVolume === 0) return { threshold: 0.5, volume: 0, probabilityVolume }
  const { bin, above } = reaching(coarse.counts, 0, probabilityVolume)
  const fine = new FineCounts(bin)
  for (const chunk of chunks) fine.add(chunk)
  const { values, counts } = fine.levels
  const last = reaching(counts, above, probabilityVolume)
  const threshold = values[last.bin]
  const volume = last.above + counts[last.bin]
  // Without the voxels of this value the mask may come nearer.
  if (probabilityVolume - last.above < volume - probabilityVolume) {
    return { threshold: smallestAbove(chunks, threshold), volume: last.above, probabilityVolume }
  }
  return { threshold, volume, probabilityVolume }
}

/**
 * The largest bin at which the counts from above add up to `wanted`, and what they add up to before it; the lowest that
 * holds anything where they do not.
 */
function reaching(counts: Float64Array, before: number, wanted: number): { bin: number; above: number } {
  let lowest = { bin: 0, above: before }
  let count = before
  for (let bin = counts.length - 1; bin >= 0; bin--) {
    if (counts[bin] === 0) continue
    lowest = { bin, above: count }
    count += counts[bin]
    if (count >= wanted) break
  }
  return lowest
}

/** The smallest of the numbers above one; the next float32 where there is none. */
function smallestAbove(chunks: readonly Float32Array[], value: number): number {
  let smallest = Number.POSITIVE_INFINITY
  for (const chunk of chunks) for (const own of chunk) if (own > value && own < smallest) smallest = own
  return Number.isFinite(smallest) ? smallest : floatOfBits(ceilBits(value) + 1)
}
