import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeProbabilities, labelMapOf, marginal } from '../src/index.ts'
import { readVolume } from '../src/node.ts'
import { hasSharedData, sharedData } from './support/halfdice.ts'

const folder = sharedData('Dataset004_Hippocampus/labelsTr')

// Both parts are in every hippocampus: whatever the noise does to their marginals, no mask may be left empty.
describe.skipIf(!hasSharedData)('hippocampi under noise up to their size (skipped without ../shared/data)', () => {
  const files = (hasSharedData ? readdirSync(folder) : []).filter((name) => /^hip.*\.nii\.gz$/.test(name))
  test.each([2, 3, 4, 5, 6])('σ = %d mm: none of 32 parts is left out', async (sigma) => {
    let parts = 0
    for (const file of files.slice(0, 16)) {
      const volume = await readVolume(join(folder, file))
      const { values } = labelMapOf(volume, file)
      const maps = [1, 2].map((label) => marginal(values, volume.grid, label, [sigma, sigma, sigma]))
      const data = new Float32Array(2 * maps[0].length)
      for (const [c, map] of maps.entries()) data.set(map, c * map.length)
      for (const kind of ['separate', 'exclusive'] as const) {
        const decoded = decodeProbabilities({ data, shape: [2, maps[0].length] }, { kind })
        for (const each of decoded.maps) expect(each).toMatchObject({ present: true, presence: { mask: 'optimal' } })
      }
      parts += 2
    }
    expect(parts).toBe(32)
  })
})
