import { randomStream } from '../volume/random.ts'
import { drawSample } from './augment.ts'
import type { PreparedCase } from './patch.ts'
import type { TrainingConfig } from './training-config.ts'

/** The batch of a step: cases in an order shuffled anew in every pass, each sample with its own random stream. */
export function fillBatch(
  prepared: readonly PreparedCase[],
  patch: readonly [number, number, number],
  { batch, seed, augmentation }: TrainingConfig,
  step: number,
  image: Float32Array,
  target: Float32Array,
): void {
  for (let i = 0; i < batch; i++) {
    const sample = step * batch + i
    const source = prepared[shuffledIndex(prepared.length, sample, seed)]
    const part = (array: Float32Array) => array.subarray((i * array.length) / batch, ((i + 1) * array.length) / batch)
    drawSample(source, patch, augmentation, randomStream(seed, 'sample', sample), part(image), part(target))
  }
}

/** Element `sample` of the endless sequence of shuffled passes over n cases. */
export function shuffledIndex(n: number, sample: number, seed: number): number {
  const random = randomStream(seed, 'pass', Math.floor(sample / n))
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1))
    const [a, b] = [order[i], order[j]]
    order[i] = b
    order[j] = a
  }
  return order[sample % n]
}
