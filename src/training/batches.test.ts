import { expect, test } from 'vitest'
import { noAugmentation } from './augment.ts'
import { fillBatch, shuffledIndex } from './batches.ts'
import type { PreparedCase } from './patch.ts'
import { defaultTraining } from './training-defaults.ts'

test('every pass over the cases is a permutation, in an order of its own', () => {
  const n = 8
  const passes = Array.from({ length: 50 }, (_, pass) =>
    Array.from({ length: n }, (_, i) => shuffledIndex(n, pass * n + i, 5)),
  )
  const inOrder = Array.from({ length: n }, (_, i) => i)
  for (const pass of passes) expect([...pass].sort()).toEqual(inOrder)
  // Of 8! orders, 50 passes meet the same one twice in 3 of 100 seeds; in order is none.
  expect(new Set(passes.map(String)).size).toBe(50)
  expect(passes.map(String)).not.toContain(String(inOrder))
  // Each case is as often first as any other: 50/8 times, standard deviation 2.3.
  for (let i = 0; i < n; i++) expect(passes.filter(([first]) => first === i).length).toBeLessThan(16)
  expect(inOrder.map((i) => shuffledIndex(n, i, 6))).not.toEqual(passes[0])
})

test('a batch takes its samples from the cases in that order', () => {
  const size = [2, 2, 2] as const
  const cases = Array.from({ length: 5 }, (_, i): PreparedCase => {
    const placement = { full: size, start: [0, 0, 0], region: size, size, spacingMm: [1, 1, 1] } as const
    const image = { data: new Float32Array(8).fill(i), channels: 1, outside: [0], placement }
    return { id: String(i), image, bits: new Uint8Array(8), foreground: new Int32Array(0) }
  })
  const config = {
    ...defaultTraining,
    outputs: [{ name: 'a', labels: [1] }],
    batch: 2,
    seed: 3,
    augmentation: noAugmentation,
  }
  const seen: number[] = []
  for (let step = 0; step < 10; step++) {
    const [image, target] = [new Float32Array(16), new Float32Array(16)]
    fillBatch(cases, size, config, step, image, target)
    seen.push(image[0], image[8])
  }
  expect(seen).toEqual(Array.from({ length: 20 }, (_, sample) => shuffledIndex(5, sample, 3)))
})
