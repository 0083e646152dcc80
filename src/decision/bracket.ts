import { ceilBits, largestProbability, voxelsOf } from './probabilities.ts'
import type { Criterion } from './solve.ts'
import { criterionOffset } from './solve.ts'

/** Below this size a sweep over everything costs less than a sample. */
const smallestSampled = 1 << 16
/** Voxels taken together: a cache line, since memory brings them all. */
const lineLength = 16
/**
 * So many that the bounds hold less than 1 % of the voxels, and so few that finding them costs a fraction of a sweep.
 */
const linesSampled = 4096
/** Independent parts of the sample; the spread of their thresholds gives the standard error. */
const parts = 8
/** Bounds at ± this many standard errors. With 7 degrees of freedom about one volume in 500 needs a second sweep. */
const standardErrors = 5

/**
 * Bits of two float32 numbers between which t* probably lies, from a stratified sample: one random cache line of every
 * run of lines. `undefined` where the volume is small or the sample says too little (a tiny organ in a large volume).
 */
export function bracketBySample(m: readonly Float32Array[], criterion: Criterion): [number, number] | undefined {
  const voxels = voxelsOf(m)
  if (voxels < smallestSampled) return undefined
  const offset = criterionOffset[criterion]
  const samples = takeLines(m, voxels)
  const thresholds: number[] = []
  for (const values of samples) {
    if (values.length < 64) return undefined
    // The parts agree nearly, so each one's iteration starts near its end.
    thresholds.push(sampledThreshold(values, (offset * values.length) / voxels, thresholds.at(-1) ?? 0.4))
  }
  const mean = thresholds.reduce((a, b) => a + b) / parts
  const variance = thresholds.reduce((a, b) => a + (b - mean) ** 2, 0) / (parts - 1)
  const margin = standardErrors * Math.sqrt(variance / parts) + 1e-4 * mean
  return [ceilBits(Math.max(0, mean - margin)), ceilBits(Math.min(mean + margin, largestProbability))]
}

/** The positive values of the sampled lines, dealt in turn to the parts. */
function takeLines(m: readonly Float32Array[], voxels: number): Float32Array[] {
  const stride = Math.max(2, Math.floor(voxels / lineLength / linesSampled))
  const samples = Array.from({ length: parts }, () => new Float32Array((2 * linesSampled * lineLength) / parts))
  const lengths = new Uint32Array(parts)
  let random = 1
  let part = 0
  for (const chunk of m) {
    const lines = Math.floor(chunk.length / lineLength)
    for (let run = 0; run + stride <= lines; run += stride) {
      // A fixed stride could meet the same column of every row; the Lehmer generator's low bits do not matter here.
      random = (random * 48271) % 0x7fffffff
      const start = (run + (random % stride)) * lineLength
      const values = samples[part]
      let length = lengths[part]
      for (let i = start; i < start + lineLength; i++) {
        const x = chunk[i]
        values[length] = x
        length += x > 0 ? 1 : 0
      }
      lengths[part] = length
      part = (part + 1) % parts
    }
  }
  return samples.map((values, k) => values.subarray(0, lengths[k]))
}

/** Dinkelbach's iteration from any threshold; the constant offset is scaled to the sample's share of the volume. */
function sampledThreshold(values: Float32Array, offset: number, start: number): number {
  let total = offset
  for (let i = 0; i < values.length; i++) total += values[i]
  const halfDice = (threshold: number) => {
    let [sum, count] = [0, 0]
    for (let i = 0; i < values.length; i++) {
      const x = values[i]
      const isIn = x >= threshold ? 1 : 0
      sum += x * isIn
      count += isIn
    }
    return sum / (count + total)
  }
  let threshold = halfDice(start)
  while (true) {
    const next = halfDice(threshold)
    if (!(next > threshold)) return threshold
    threshold = next
  }
}
