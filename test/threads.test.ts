import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { softDiceOptimumBySort } from '../src/decision/soft-dice-by-sort.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { createGrid } from '../src/volume/grid.ts'
import { filesBelow, halfdice, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, obliqueGrid as grid, softBall, twoBalls, writeImage } from './support/images.ts'

const folder = temporaryFolder()
const flat = createGrid([30, 30, 1])
const at = (...parts: string[]) => join(folder, ...parts)

beforeAll(() => {
  for (const name of ['labels', 'anna', 'bert', 'maps']) mkdirSync(at(name))
  for (let i = 0; i < 4; i++) {
    writeImage(at('labels', `c${i}.nii.gz`), twoBalls())
    // Annotators differ, and each case is another one.
    const disc = (radius: number) =>
      Uint8Array.from(distanceMm(flat, [15.3, 14.7, 0]), (d) => Number(d < radius + i / 2))
    writeImage(at('anna', `c${i}.nii.gz`), disc(8), flat)
    writeImage(at('bert', `c${i}.nii.gz`), disc(8.8), flat)
    const p = softBall(grid, 5 + i, 4).map((each) => 0.8 * each)
    writeImage(at('maps', `c${i}.nii.gz`), Float32Array.from([...p, ...p.map((x) => x / 2)]), grid, { channels: 2 })
  }
  // A label of its own, and a case that is damaged.
  writeImage(
    at('labels', 'c1.nii.gz'),
    twoBalls().map((label) => label && label + 1),
  )
  for (const name of ['labels', 'bert', 'maps']) writeFileSync(at(name, 'd.nii.gz'), 'no image')
  writeFileSync(at('anna', 'd.nii.gz'), 'no image')
})

test.each([
  ['marginal', [at('labels'), '--sigma', '2'], true],
  ['sample', [at('labels'), '--sigma', '2', '--length', '8', '-n', '2', '--json'], true],
  ['optimum', [at('labels'), '--sigma', '1', '3', '--length', '6', '--samples', '3'], false],
  ['raters', [at('anna'), at('bert'), '--draws', '0', '--json'], false],
  ['raters', [at('anna'), at('bert'), '--consensus', 'mean', '--json'], true],
  ['threshold', [at('maps'), '--json'], true],
])(
  '%s: as many threads as you like change no byte, and a bad case is named the same',
  async (command, args, writes) => {
    const runs = []
    for (const threads of ['1', '2', '3']) {
      const out = at('out', 'same')
      const output = writes ? ['-o', out] : []
      const { code, stdout, stderr } = await halfdice([command, ...args, ...output, '--threads', threads])
      expect(stderr).toMatch(/d\.nii\.gz: /)
      expect(code).toBe(1)
      const files = writes
        ? filesBelow(out).map((path) => [path, readFileSync(join(out, path)).toString('base64')])
        : []
      expect(files.length > 0).toBe(writes)
      runs.push({ stdout, stderr, files })
    }
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual(runs[0])
  },
)

test('pooled thresholds are those of all voxels, for any number of threads', async () => {
  const inputs = [0, 1, 2, 3].map((i) => at('maps', `c${i}.nii.gz`))
  const runs: string[] = []
  for (const threads of ['1', '3']) {
    const args = ['threshold', ...inputs, '-o', at('pooled'), '--scope', 'dataset', '--json', '--threads', threads]
    const { code, stdout } = await halfdice(args)
    expect(code).toBe(0)
    runs.push(stdout)
  }
  expect(runs[1]).toBe(runs[0])
  const { dataset } = JSON.parse(runs[0])
  for (const [channel, { threshold }] of dataset.maps.entries()) {
    const maps = await Promise.all(inputs.map(async (path) => (await readVolume(path)).data as Float32Array))
    const voxels = maps[0].length / 2
    const own = maps.map((data) => data.subarray(channel * voxels, (channel + 1) * voxels))
    expect(threshold).toBeCloseTo(softDiceOptimumBySort(own).threshold, 12)
  }
})
