import { describe, expect, test } from 'vitest'
import { voxelVolumeMm3 } from '../../volume/grid.ts'
import { type PhantomCase, phantomCase, phantomNames } from './phantom.ts'

/** Half the default resolution, the same field of view: an eighth of the work, the same anatomy. */
const coarse = { shape: [48, 40, 32], spacing: [6, 6, 6] } as const

function volumesMl({ labels, names }: PhantomCase): number[] {
  const voxels = new Array<number>(names.length).fill(0)
  for (const label of labels.data) voxels[label]++
  return voxels.map((n) => (n * voxelVolumeMm3(labels.grid)) / 1000)
}

function dice(a: Uint8Array, b: Uint8Array, label: number): number {
  let both = 0
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const inA = a[i] === label
    const inB = b[i] === label
    if (inA && inB) both++
    sum += Number(inA) + Number(inB)
  }
  return (2 * both) / sum
}

/** Share of the label's voxels in its largest face-connected component. */
function largestComponentShare({ data, grid }: PhantomCase['labels'], label: number): number {
  const [nx, ny, nz] = grid.shape
  const seen = new Uint8Array(data.length)
  let total = 0
  let largest = 0
  for (let start = 0; start < data.length; start++) {
    if (data[start] !== label) continue
    total++
    if (seen[start]) continue
    seen[start] = 1
    const stack = [start]
    let size = 0
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      size++
      const i = at % nx
      const j = Math.floor(at / nx) % ny
      const k = Math.floor(at / (nx * ny))
      const next: number[] = []
      if (i > 0) next.push(at - 1)
      if (i + 1 < nx) next.push(at + 1)
      if (j > 0) next.push(at - nx)
      if (j + 1 < ny) next.push(at + nx)
      if (k > 0) next.push(at - nx * ny)
      if (k + 1 < nz) next.push(at + nx * ny)
      for (const n of next) {
        if (data[n] === label && !seen[n]) {
          seen[n] = 1
          stack.push(n)
        }
      }
    }
    largest = Math.max(largest, size)
  }
  return largest / total
}

describe('phantomCase', () => {
  // Bounds: about ± 3 sd of what 50 seeds give, and inside or near the ranges found in adults (a slim one: liver
  // 0.8–2 l, gall bladder 10–60 ml, the abdominal aorta with 19 cm in view 30–100 ml, pancreas 20–100 ml).
  test('has its four organs, of plausible size and in one piece, for 50 seeds', () => {
    const bounds = [
      [0, 1e6],
      [450, 1500],
      [5, 60],
      [25, 110],
      [12, 100],
    ]
    for (let seed = 0; seed < 50; seed++) {
      const phantom = phantomCase(seed, seed % 7, coarse)
      expect(phantom.names).toEqual(['background', 'liver', 'gallbladder', 'aorta', 'pancreas'])
      volumesMl(phantom).forEach((ml, label) => {
        expect(ml, `${phantom.names[label]} of seed ${seed}`).toBeGreaterThan(bounds[label][0])
        expect(ml, `${phantom.names[label]} of seed ${seed}`).toBeLessThan(bounds[label][1])
      })
      for (const label of [1, 2, 3]) {
        expect(largestComponentShare(phantom.labels, label), `${phantom.names[label]} of seed ${seed}`).toBeGreaterThan(
          0.9,
        )
      }
    }
  })

  test('the same key gives the same bytes; other cases and seeds differ in place and shape', () => {
    const a = phantomCase(3, 5, coarse)
    const again = phantomCase(3, 5, coarse)
    expect(again.image.data).toEqual(a.image.data)
    expect(again.labels.data).toEqual(a.labels.data)
    for (const other of [phantomCase(3, 6, coarse), phantomCase(4, 5, coarse)]) {
      const overlap = [1, 2, 3, 4].map((label) => dice(a.labels.data, other.labels.data, label))
      for (const value of overlap) expect(value).toBeLessThan(0.93)
      expect(overlap[1]).toBeLessThan(0.85)
    }
  })

  test('is in Hounsfield units: air outside, each organ at its own density', () => {
    for (let index = 0; index < 4; index++) {
      const { image, labels } = phantomCase(0, index)
      expect(image.data[0]).toBeLessThan(-900)
      // Medians: the rim of a small organ is mixed with what surrounds it.
      const [, liver, gallbladder, aorta] = phantomNames.map((_, label) => {
        const values = image.data.filter((_hu, at) => labels.data[at] === label).sort()
        return values[values.length >> 1]
      })
      expect(liver).toBeGreaterThan(50)
      expect(liver).toBeLessThan(130)
      expect(gallbladder).toBeLessThan(liver - 15)
      expect(aorta).toBeGreaterThan(liver)
    }
  })

  test('the body keeps its size in mm on another grid', () => {
    const fine = volumesMl(phantomCase(1, 2))
    const rough = volumesMl(phantomCase(1, 2, coarse))
    // 6 mm voxels cut the small organs coarsely; the large one must agree closely.
    expect(rough[1] / fine[1]).toBeCloseTo(1, 1)
    expect(rough[3] / fine[3]).toBeGreaterThan(0.8)
    expect(rough[3] / fine[3]).toBeLessThan(1.25)
  })
})
