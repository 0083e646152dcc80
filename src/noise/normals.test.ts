import { expect, test } from 'vitest'
import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/field.ts'

/** Philox4x32 as Salmon et al. write it, with big integers. */
function philox(counter: readonly number[], key: readonly number[], rounds: number): number[] {
  let [x0, x1, x2, x3] = counter.map((v) => BigInt(v >>> 0))
  let [k0, k1] = key.map((v) => BigInt(v >>> 0))
  const word = 0xffffffffn
  for (let round = 0; round < rounds; round++) {
    const a = 0xd2511f53n * x0
    const b = 0xcd9e8d57n * x2
    ;[x0, x1, x2, x3] = [(b >> 32n) ^ x1 ^ k0, b & word, (a >> 32n) ^ x3 ^ k1, a & word]
    k0 = (k0 + 0x9e3779b9n) & word
    k1 = (k1 + 0xbb67ae85n) & word
  }
  return [x0, x1, x2, x3].map(Number)
}

test('the reference Philox gives the published vectors of 7 and 10 rounds (Random123, kat_vectors)', () => {
  expect(philox([0, 0, 0, 0], [0, 0], 7)).toEqual([0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48])
  expect(philox([0, 0, 0, 0], [0, 0], 10)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
})

test('normals are Box–Muller on Philox at the address of each node', () => {
  const arena = new Arena()
  const groups = 37 // two batches of the kernel and part of one
  const at = arena.reserve(16 * 4 * (groups + 1))
  const { normals } = instantiate<{ normals(...args: number[]): void }>(wasmBase64, arena)
  let worst = 0
  for (const [group, y, c2, c3, k0, k1] of [
    [0, 0, 0, 0, 0, 0],
    [-5, -7, -123, 4, 99, -1],
    [1e6, 12, 4 * 77 + 2, 2 ** 31 - 1, -(2 ** 31), 5],
  ]) {
    normals(at, groups, group, y, c2, c3, k0, k1)
    const values = arena.floats(at, 16 * groups)
    for (let row = 0; row < 4; row++) {
      for (let g = 0; g < groups; g++) {
        const bits = philox([group + g, y + row, c2, c3], [k0, k1], 7)
        const expected = [0, 2].flatMap((i) => {
          const r = Math.sqrt(-2 * Math.log((bits[i] + 0.5) / 2 ** 32))
          // The top two bits choose the quadrant, the others an angle around its axis.
          const angle = (bits[i + 1] >>> 30) * (Math.PI / 2) + ((bits[i + 1] << 2) * Math.PI) / 2 ** 33
          return [r * Math.cos(angle), r * Math.sin(angle)]
        })
        expected.forEach((v, o) => {
          worst = Math.max(worst, Math.abs(values[(4 * g + o) * 4 + row] - v))
        })
      }
    }
  }
  expect(worst).toBeLessThan(5e-5) // float32, and 24-bit uniforms near 1 (where r is small and steep)
})
