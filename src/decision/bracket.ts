import { ceilBits, chunksOf, largestProbability, type Probabilities, voxelsOf } from './probabilities.ts'
import type { Offset } from './solve.ts'

/** Below this size a sweep over everything costs less than a sample. */
const smallestSampled = 1 << 16
/** Voxels taken together: a cache line, since memory brings them all. */
const lineLength = 16
/** About 8000 lines: the bounds then hold about 1 % of the voxels, and finding them costs a few percent of a sweep. */
const linesSampled = 8192
/** Independent parts of the sample; the spread of their thresholds gives the standard error. */
const parts = 8
/** Bounds at ± this many standard errors. With 7 degrees of freedom about one volume in 500 needs a second sweep. */
const standardErrors = 5

/**
 * Bits of two float32 numbers between which t* probably lies, from a stratified sample: one random cache line of every
 * run of lines. `undefined` where the volume is small or the sample says too little (a tiny organ in a large volume).
 */
export function bracketBySample(m: Probabilities, offset: Offset): [number, number] | undefined {
  const voxels = voxelsOf(m)
  if (voxels < smallestSampled) return undefined
  const samples = takeLines(m, Math.max(2, Math.floor(voxels / lineLength / linesSampled)))
  const thresholds: number[] = []
  for (const values of samples) {
    if (values.length < 64) return undefined
    thresholds.push(sampledThreshold(values, (offset * values.length) / voxels))
  }
  const mean = thresholds.reduce((a, b) => a + b) / parts
  const variance = thresholds.reduce((a, b) => a + (b - mean) ** 2, 0) / (parts - 1)
  const margin = standardErrors * Math.sqrt(variance / parts) + 1e-4 * mean
  return [ceilBits(Math.max(0, mean - margin)), ceilBits(Math.min(mean + margin, largestProbability))]
}

/** The positive values of the sampled lines, dealt in turn to the parts. */
function takeLines(m: Probabilities, stride: number): number[][] {
  const samples: number[][] = Array.from({ length: parts }, () => [])
  let random = 1
  let part = 0
  for (const chunk of chunksOf(m)) {
    const lines = Math.floor(chunk.length / lineLength)
    for (let run = 0; run + stride <= lines; run += stride) {
      // A fixed stride could meet the same column of every row; the Lehmer generator's low bits do not matter here.
      random = (random * 48271) % 0x7fffffff
      const start = (run + (random % stride)) * lineLength
      const values = samples[part]
      part = (part + 1) % parts
      for (let i = start; i < start + lineLength; i++) if (chunk[i] > 0) values.push(chunk[i])
    }
  }
  return samples
}

function sampledThreshold(values: readonly number[], offset: number): number {
  const total = values.reduce((a, b) => a + b, 0) + offset
  let threshold = 0
  while (true) {
    let [sum, count] = [0, 0]
    for (const x of values) {
      if (x >= threshold) {
        sum += x
        count++
      }
    }
    const next = sum / (count + total)
    if (!(next > threshold)) return threshold
    threshold = next
  }
}
