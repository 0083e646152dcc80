import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { consensus } from '../src/annotators/consensus.ts'
import { encodeNifti } from '../src/formats/nifti.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { createSampler } from '../src/noise/sampler.ts'
import { createGrid } from '../src/volume/grid.ts'
import { labelMapOf } from '../src/volume/labels.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'

const folder = temporaryFolder()
const grid = createGrid([30, 28, 24])
const ball = Uint8Array.from({ length: 30 * 28 * 24 }, (_, i) =>
  Number(Math.hypot((i % 30) - 14.7, (Math.floor(i / 30) % 28) - 13.6, Math.floor(i / 840) - 11.8) < 8),
)
const sampler = createSampler(ball, grid, { sigmaMm: [0.8, 0.8, 0.8], lengthMm: 5 })
const write = async (path: string, data: Uint8Array) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, await encodeNifti({ grid, channels: 1, data }))
}
for (const [r, name] of ['anna', 'bert', 'carla'].entries()) {
  for (const c of [1, 2, 3]) {
    await write(join(folder, name, `case_${c}.nii`), sampler.sample(c, r))
    await write(join(folder, 'cases', `case_${c}`, `${name}.nii`), sampler.sample(c, r))
  }
}
const people = ['anna', 'bert', 'carla'].map((name) => join(folder, name))

interface Fit {
  readonly annotators: readonly string[]
  readonly sigmaMm: { readonly estimate: number }
  readonly pairs: readonly { readonly meanDice: number }[]
}

describe('raters', () => {
  test('fits folders by case name and cases with a file for each annotator alike', async () => {
    const fit = join(folder, 'fit.json')
    const result = await halfdiceJson<Fit>(['raters', ...people, '--draws', '0', '-o', fit])
    expect(result.annotators).toEqual(['anna', 'bert', 'carla'])
    expect(result.sigmaMm.estimate).toBeGreaterThan(0.4)
    expect(result.sigmaMm.estimate).toBeLessThan(1.4)
    expect(result.pairs).toHaveLength(3)
    expect(JSON.parse(readFileSync(fit, 'utf8')).sigmaMm).toEqual(result.sigmaMm)
    const same = await halfdiceJson<Fit>(['raters', join(folder, 'cases'), '--draws', '0'])
    expect(same.sigmaMm).toEqual(result.sigmaMm)
  }, 60_000)

  test('writes the library’s consensus of each case', async () => {
    const out = join(folder, 'best')
    const { code } = await halfdice(['raters', ...people, '--consensus', 'dice', '-o', out])
    expect(code).toBe(0)
    expect(filesBelow(out)).toEqual(['case_1.nii.gz', 'case_2.nii.gz', 'case_3.nii.gz'])
    const written = labelMapOf(await readVolume(join(out, 'case_2.nii.gz')), 'case_2').values
    const maps = [0, 1, 2].map((r) => sampler.sample(2, r))
    expect([...written]).toEqual([...consensus(maps, 'dice').values])
  }, 60_000)

  test('refuses one annotator, and a consensus without a folder', async () => {
    expectRefusal(await halfdice(['raters', join(people[0], 'case_1.nii')]), 'is one annotator; give 2 to 20')
    expectRefusal(await halfdice(['raters', ...people, '--consensus', 'dice']), 'needs a folder for its masks')
  }, 60_000)
})
