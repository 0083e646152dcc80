import { cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type DatasetSpec, openDataset } from '../src/datasets/open-dataset.ts'
import { readVolume, writeVolume } from '../src/formats/volume-file.ts'
import { indexCases } from '../src/study/case-index.ts'
import { CaseStore } from '../src/study/case-store.ts'
import { createGrid, voxelVolumeMm3, worldPosition } from '../src/volume/grid.ts'
import type { Volume } from '../src/volume/volume.ts'
import { hasSharedData, sharedData, temporaryFolder } from './support/halfdice.ts'

// From folders to what a study knows of its cases, as `halfdice study` goes about it.

const root = temporaryFolder()

async function indexOf(spec: DatasetSpec, parts: string[], spacingMm?: number[], skipBad = false) {
  const dataset = await openDataset(spec, parts)
  const store = new CaseStore(dataset, spacingMm, join(root, 'cache'), [spec, parts])
  return { dataset, store, index: await indexCases(dataset, store, { skipBad }) }
}

describe('one bad case among good ones', () => {
  const grid = createGrid([8, 6, 4], [2, 2, 3])
  const image = (channels = 1) => ({
    grid,
    channels,
    data: Float32Array.from({ length: 192 * channels }, (_, at) => at % 50),
  })
  const labels = { grid, channels: 1, data: Uint8Array.from({ length: 192 }, (_, at) => (at % 8 < 4 ? 1 : 0)) }
  const ids = ['c0', 'c1', 'c2', 'c3']
  const bad = 'c2_0001.nii.gz'

  async function make(name: string): Promise<string> {
    const folder = join(root, name)
    for (const sub of ['imagesTr', 'labelsTr']) mkdirSync(join(folder, sub), { recursive: true })
    for (const id of ids) {
      for (const channel of [0, 1]) await writeVolume(join(folder, `imagesTr/${id}_000${channel}.nii.gz`), image())
      await writeVolume(join(folder, `labelsTr/${id}.nii.gz`), labels)
    }
    const names = { channel_names: { 0: 'T1', 1: 'T2' }, labels: { background: 0, thing: 1 } }
    writeFileSync(join(folder, 'dataset.json'), JSON.stringify(names))
    return folder
  }

  const damages: [what: string, damage: (folder: string) => unknown, file: string, says: string][] = [
    ['a missing image', (folder) => rmSync(join(folder, 'imagesTr', bad)), bad, 'is missing for the label c2.nii.gz'],
    [
      'a missing label',
      (folder) => rmSync(join(folder, 'labelsTr/c2.nii.gz')),
      'c2.nii.gz',
      'is missing for the image',
    ],
    ['a cut image', (folder) => truncateSync(join(folder, 'imagesTr', bad), 60), bad, ''],
    [
      'NaN',
      (folder) => {
        const data = image().data.fill(Number.NaN, 7, 8)
        return writeVolume(join(folder, 'imagesTr', bad), { ...image(), data })
      },
      bad,
      'holds the intensity NaN',
    ],
    ['two channels in a file', (folder) => writeVolume(join(folder, 'imagesTr', bad), image(2)), bad, '2 channels'],
  ]
  test.each(damages)('%s is named by its file, or left out if asked', async (what, damage, file, says) => {
    const folder = join(root, what.replaceAll(' ', '-'))
    cpSync(await make('whole'), folder, { recursive: true })
    await damage(folder)
    const spec = { kind: 'nnunet', folder } as const
    await expect(indexOf(spec, [])).rejects.toThrow(new RegExp(`/${file}: .*${says}.*; --skip-bad leaves such cases`))
    const { cases, leftOut } = (await indexOf(spec, [], undefined, true)).index
    expect(cases.map(({ id }) => id)).toEqual(['c0', 'c1', 'c3'])
    expect(leftOut.map(({ id }) => id)).toEqual(['c2'])
    expect(leftOut[0].reason).toContain(`/${file}: `)
  })
})

// Real images, skipped where ../shared/data is absent.
describe.skipIf(!hasSharedData)('TotalSegmentator as downloaded', () => {
  const folder = sharedData('Totalsegmentator_dataset')
  const organs = ['clavicula_left', 'autochthon_left']

  test('rotated images on a coarse grid, an organ that one case lacks, cases without an image', async () => {
    const { dataset, store, index } = await indexOf({ kind: 'totalsegmentator', folder }, organs, [6, 6, 6])
    expect(dataset.name).toBe('Totalsegmentator_dataset')
    expect(index.leftOut).toEqual(['s0004', 's0327'].map((id) => ({ id, reason: 'has no ct.nii.gz or mri.nii.gz' })))
    expect(index.cases.map(({ id, patient, volumesMl }) => [id, patient, Object.keys(volumesMl)])).toEqual([
      ['s0002', 's0002', ['1', '2']],
      ['s0009', 's0009', ['2']],
    ])
    for (const [i, one] of dataset.cases.entries()) {
      const { image, labels } = await store.load(one)
      for (const mm of image.grid.spacing) expect(Math.abs(mm - 6)).toBeLessThan(0.1)
      // s0002 is rotated, and must stay so.
      if (one.id === 's0002') expect(image.grid.direction[2]).toBeCloseTo(-0.034, 3)
      for (const path of one.labels) {
        const label = organs.indexOf(basename(path, '.nii.gz')) + 1
        const mask = await readVolume(path)
        const [coarse, fine] = [extentOf(labels, (x) => x === label), extentOf(mask, (x) => x !== 0)]
        expect(index.cases[i].volumesMl[label]).toBeCloseTo(coarse.ml, 9)
        // 4³ voxels become one: measured 1 to 3 % of the volume, and at most 2 mm of the centre. Losing the rotation
        // would move it by 8 mm.
        expect(Math.abs(coarse.ml / fine.ml - 1), path).toBeLessThan(0.05)
        expect(Math.hypot(...coarse.centre.map((c, axis) => c - fine.centre[axis])), path).toBeLessThan(3)
      }
    }
  })
})

/** Volume in ml and centre of mass in world mm of the voxels that are inside. */
function extentOf({ grid, data }: Volume, inside: (value: number) => boolean) {
  const [nx, ny] = grid.shape
  const sum = [0, 0, 0]
  let count = 0
  for (let at = 0; at < data.length; at++) {
    if (!inside(data[at])) continue
    count++
    const world = worldPosition(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)])
    for (const axis of [0, 1, 2]) sum[axis] += world[axis]
  }
  return { ml: (count * voxelVolumeMm3(grid)) / 1000, centre: sum.map((s) => s / count) }
}
