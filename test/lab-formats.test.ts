import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeNifti } from '../src/formats/nifti.ts'
import { writeNpy, writeNpz } from '../src/formats/npz.ts'
import { dicomSlice, encapsulatedFile } from '../src/formats/testing/dicom-bytes.ts'
import { compressedCases, twoFrames } from '../src/formats/testing/dicom-compressed.ts'
import { seriesRecipes, writeSeries } from '../src/formats/testing/dicom-series.ts'
import { readVolume, writeVolume } from '../src/formats/volume-file.ts'
import { hasBrowser, openPage, startLab } from './support/browser.ts'
import { halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { contentHash, download, numbersWith } from './support/lab-page.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)

const [nx, ny, nz] = [20, 18, 12]
/** Oblique, so that a geometry that is lost shows. */
const grid = {
  shape: [nx, ny, nz],
  spacing: [0.9, 1.1, 2.5],
  origin: [-31.5, 12.25, 80],
  direction: [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1],
} as const
const data = Float32Array.from({ length: nx * ny * nz }, (_, n) => {
  const [i, j, k] = [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]
  return Math.fround(1 / (1 + Math.exp(0.9 * (Math.hypot(i - 9, j - 8, 2 * (k - 6)) - 5))))
})
const volume = { grid, channels: 1, data }
const images = ['p.nii', 'p.nii.gz', 'p.hdr', 'p.nrrd', 'p.nhdr', 'p.mha', 'p.mhd']

beforeAll(async () => {
  for (const name of images) await writeVolume(at(name), volume)
  const both = new Float32Array(2 * data.length)
  both.set(data.map((p) => 1 - p))
  both.set(data, data.length)
  mkdirSync(at('nnunet'))
  await writeNpz(at('nnunet/case.npz'), { probabilities: { shape: [2, nz, ny, nx], data: both } })
  await writeVolume(at('nnunet/case.nii.gz'), {
    grid,
    channels: 1,
    data: Uint8Array.from(data, (p) => Number(p > 0.5)),
  })
  writeFileSync(
    at('nnunet/dataset.json'),
    JSON.stringify({ labels: { background: 0, lesion: 1 }, file_ending: '.nii.gz' }),
  )
  await writeNpy(at('bare.npy'), { shape: [nz, ny, nx], data })
  await writeVolume(at('bytes.nii.gz'), { grid, channels: 1, data: Uint8Array.from(data, (p) => Math.round(255 * p)) })
  mkdirSync(at('series'))
  for (let k = 0; k < 5; k++) {
    const pixels = Int16Array.from({ length: 24 }, (_, n) => 40 * k + n - 700)
    const slice = { rows: 4, columns: 6, pixels, position: [0, 0, 3 * k], instance: k + 1 } as const
    writeFileSync(at(`series/IM${k}`), dicomSlice(slice))
  }
})

interface Told {
  readonly cases: readonly { readonly supDice?: number; readonly maps?: readonly { readonly supDice: number }[] }[]
}

describe.skipIf(!hasBrowser)('the lab reads', () => {
  test.each([...images, 'nnunet/case.npz'])('%s, and saves its mask as the command line does', async (name) => {
    const lab = await startLab([at(name)])
    const { page, complaints } = await openPage(lab.url)
    const shown = await numbersWith(page, 'Promised Dice')
    const mask = at('mask.nii.gz')
    const { cases } = await halfdiceJson<Told>(['threshold', at(name), '-o', mask])
    const supDice = cases[0].supDice ?? cases[0].maps?.[0].supDice
    expect(shown['Promised Dice'][1]).toBe(supDice?.toFixed(3))
    const saved = await download(page, 'Mask at t*')
    expect(contentHash(saved.bytes)).toBe(contentHash(readFileSync(mask)))
    expect(complaints).toEqual([])
    await lab.stop()
  })

  test('an array without geometry, whose mask is an array', async () => {
    const lab = await startLab([at('bare.npy')])
    const { page } = await openPage(lab.url)
    const shown = await numbersWith(page, 'Volume')
    expect(shown.Volume[1]).toMatch(/^\d+ voxels$/)
    await halfdice(['threshold', at('bare.npy'), '-o', at('bare_mask.npy')])
    const saved = await download(page, 'Mask at t*')
    expect(saved.name).toBe('bare_mask.npy')
    expect(saved.bytes.equals(readFileSync(at('bare_mask.npy')))).toBe(true)
  })

  test('probabilities stored as bytes, once it is told that they are', async () => {
    const lab = await startLab([at('bytes.nii.gz')])
    const { page } = await openPage(lab.url)
    await page.getByRole('combobox', { name: 'What bytes.nii.gz is' }).selectOption('probabilities')
    await page.getByRole('tab', { name: 'Threshold' }).click()
    await page.getByRole('spinbutton', { name: '1 stored as' }).fill('255')
    await page.keyboard.press('Enter')
    const mask = at('bytes_mask.nii.gz')
    const { cases } = await halfdiceJson<Told>(['threshold', at('bytes.nii.gz'), '-o', mask, '--scale', '255'])
    await numbersWith(page, 'Promised Dice', ([, best]) => best === cases[0].supDice?.toFixed(3))
    expect(contentHash((await download(page, 'Mask at t*')).bytes)).toBe(contentHash(readFileSync(mask)))
  })

  test('a folder of DICOM as one image', async () => {
    const lab = await startLab([at('series')])
    const { page, complaints } = await openPage(lab.url)
    const slice = page.getByRole('slider', { name: 'Axial slice' })
    await expect.poll(() => slice.getAttribute('aria-valuemax')).toBe('5')
    expect(await page.getByRole('combobox', { name: 'What series is' }).inputValue()).toBe('image')
    expect(complaints).toEqual([])
  })

  test('bgzip, a file of many gzips', async () => {
    const bytes = encodeNifti(volume)
    const blocks: Buffer[] = []
    for (let at = 0; at <= bytes.length; at += 5000) {
      const part = bytes.subarray(at, at + 5000)
      const body = deflateRawSync(part)
      const head = Buffer.from([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0, 0, 0])
      head.writeUInt16LE(18 + body.length + 8 - 1, 16)
      const tail = Buffer.alloc(8)
      tail.writeUInt32LE(crc32(part), 0)
      tail.writeUInt32LE(part.length, 4)
      blocks.push(head, body, tail)
    }
    writeFileSync(at('blocks.nii.gz'), Buffer.concat(blocks))
    const lab = await startLab([at('blocks.nii.gz')])
    const { page, complaints } = await openPage(lab.url)
    await numbersWith(page, 'Promised Dice')
    await halfdice(['threshold', at('blocks.nii.gz'), '-o', at('blocks_mask.nii.gz')])
    const saved = await download(page, 'Mask at t*')
    expect(contentHash(saved.bytes)).toBe(contentHash(readFileSync(at('blocks_mask.nii.gz'))))
    expect(complaints).toEqual([])
  })

  test('a map beside its DICOM series, and saves a segmentation of it as the command line does', async () => {
    const series = writeSeries(at('ct'), { slices: nz, rows: ny, columns: nx, ...seriesRecipes.turned })
    const { grid: own } = await readVolume(series)
    await writeVolume(at('m.nii.gz'), { grid: own, channels: 1, data })
    const lab = await startLab([at('m.nii.gz'), series])
    const { page, complaints } = await openPage(lab.url)
    await numbersWith(page, 'Promised Dice')
    const form = page.getByRole('combobox', { name: 'As' })
    await expect.poll(() => form.inputValue()).toBe('.dcm')
    const told = page.getByTitle('The same mask on the command line')
    expect(await told.textContent()).toBe('halfdice threshold m.nii.gz -o m_mask.dcm --like ct')
    await halfdice(['threshold', at('m.nii.gz'), '-o', at('m_mask.dcm'), '--like', series])
    const saved = await download(page, 'Mask at t*')
    expect(saved.name).toBe('m_mask.dcm')
    expect(saved.bytes.equals(readFileSync(at('m_mask.dcm')))).toBe(true)
    await form.selectOption('.seg.nrrd')
    expect(await told.textContent()).toBe('halfdice threshold m.nii.gz -o m_mask.seg.nrrd')
    await halfdice(['threshold', at('m.nii.gz'), '-o', at('m_mask.seg.nrrd')])
    const slicer = await download(page, 'Mask at t*')
    expect(slicer.name).toBe('m_mask.seg.nrrd')
    const head = (bytes: Buffer) => bytes.subarray(0, bytes.indexOf('\n\n')).toString()
    const command = readFileSync(at('m_mask.seg.nrrd'))
    expect(head(slicer.bytes)).toBe(head(command))
    expect(contentHash(slicer.bytes.subarray(head(command).length + 2))).toBe(
      contentHash(command.subarray(head(command).length + 2)),
    )
    expect(complaints).toEqual([])
  })

  test('no compressed DICOM, and says what to do', async () => {
    const [{ syntax, bits, parts }] = compressedCases
    writeFileSync(at('packed.dcm'), encapsulatedFile(twoFrames(bits), parts, syntax))
    const lab = await startLab([at('packed.dcm')])
    const { page } = await openPage(lab.url)
    await expect
      .poll(() => page.getByRole('alert').textContent())
      .toMatch(/^packed\.dcm: is compressed as JPEG.*, which the page does not decode; save it uncompressed/)
  })

  test('what is damaged in one sentence, and opens the rest', async () => {
    copyFileSync(at('p.nii.gz'), at('cut.nii.gz'))
    writeFileSync(at('cut.nii.gz'), readFileSync(at('cut.nii.gz')).subarray(0, 900))
    const lab = await startLab([at('cut.nii.gz'), at('p.nrrd')])
    const { page } = await openPage(lab.url)
    await numbersWith(page, 'Promised Dice')
    const { stderr } = await halfdice(['threshold', at('cut.nii.gz'), '-o', at('none.nii.gz')])
    const told = await page.getByRole('alert').locator('p').textContent()
    expect(`halfdice: ${at(told ?? '')}\n`).toBe(stderr)
  })
})
