import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { createGrid } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { decodeNifti, encodeNifti } from './nifti.ts'
import { isNiftiHeader, type NiftiHeader, upgradeHeader } from './nifti-fields.ts'
import { niftiLabelNames, withNiftiLabelNames } from './nifti-labels.ts'
import { readLabelNames, readVolume, writeVolume } from './volume-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const map: Volume<Uint8Array> = { grid: createGrid([3, 2, 1]), channels: 1, data: Uint8Array.of(0, 1, 2, 3, 1, 0) }
const names = new Map([
  [1, 'spleen'],
  [2, 'kidney & <left>'],
  [300, 'Leber ]]> größer'],
])

/** An extension with its size and code. */
function extension(text: string, code: number, littleEndian = true): Uint8Array {
  const content = new TextEncoder().encode(text)
  const bytes = new Uint8Array(16 * Math.ceil((8 + content.length) / 16))
  new DataView(bytes.buffer).setInt32(0, bytes.length, littleEndian)
  new DataView(bytes.buffer).setInt32(4, code, littleEndian)
  bytes.set(content, 8)
  return bytes
}

function headerWith(...extensions: Uint8Array[]): NiftiHeader {
  const { header } = decodeNifti(encodeNifti(map), 'x')
  if (!isNiftiHeader(header)) throw new Error('no header')
  return { ...header, extension: Uint8Array.from([1, 0, 0, 0, ...extensions.flatMap((each) => [...each])]) }
}

test.each(['a.nii', 'a.nii.gz', 'a.hdr'])('%s: names are written, read back, and told without voxels', async (name) => {
  await writeVolume(at(name), { ...map, labelNames: names })
  expect((await readVolume(at(name))).labelNames).toEqual(names)
  expect(await readLabelNames(at(name))).toEqual(names)
  expect((await readVolume(at(name))).data).toEqual(map.data)
  // Derived volumes keep them, with all their bytes; an empty map takes them away.
  const again = await readVolume(at(name))
  expect(encodeNifti({ ...again, data: map.data.slice() })).toEqual(encodeNifti(again))
  expect(decodeNifti(encodeNifti({ ...again, labelNames: new Map() }), 'x').labelNames).toBeUndefined()
})

test('a file without names has none', async () => {
  await writeVolume(at('none.nii'), map)
  expect((await readVolume(at('none.nii'))).labelNames).toBeUndefined()
  expect(await readLabelNames(at('none.nii'))).toBeUndefined()
})

test('other extensions stay, and what they say is no table', () => {
  const [dicom, comment] = [extension('<CaretExtension><LabelTable>', 2), extension('any text', 6)]
  const before = headerWith(dicom, comment)
  expect(niftiLabelNames(before)).toBeUndefined()
  const named = withNiftiLabelNames(before, names)
  expect(niftiLabelNames(named)).toEqual(names)
  const other = withNiftiLabelNames(named, new Map([[7, 'liver']]))
  expect(niftiLabelNames(other)).toEqual(new Map([[7, 'liver']]))
  expect(other.extension.length % 16).toBe(4)
  expect(withNiftiLabelNames(other, new Map()).extension).toEqual(before.extension)
})

test('the same names leave a table as it is, colours and all', () => {
  const table = '<CaretExtension><VolumeInformation><LabelTable><Label Key="1" Red="0.3">a &amp; b</Label>'
  const header = headerWith(extension(`${table}<Label Key="x">no</Label><Label Key="2"/></LabelTable>`, 30))
  expect(niftiLabelNames(header)).toEqual(new Map([[1, 'a & b']]))
  expect(withNiftiLabelNames(header, new Map([[1, 'a & b']]))).toBe(header)
})

test('a table made to be slow is read in one pass', () => {
  const long = '<Label Key="1"><![CDATA['.repeat(200_000)
  const start = performance.now()
  expect(niftiLabelNames(headerWith(extension(`<CaretExtension><LabelTable>${long}`, 0)))).toEqual(new Map())
  // Milliseconds; a pass for each label would take minutes.
  expect(performance.now() - start).toBeLessThan(20_000)
})

test('damaged and big-endian extensions', () => {
  const whole = extension('<CaretExtension><LabelTable><Label Key="5">x</Label>', 0, false)
  expect(niftiLabelNames({ ...headerWith(whole), littleEndian: false })).toEqual(new Map([[5, 'x']]))
  for (const size of [0, 8, 17, -16, 1 << 30]) {
    const bad = extension('<CaretExtension><LabelTable><Label Key="5">x</Label>', 0)
    new DataView(bad.buffer).setInt32(0, size, true)
    expect(niftiLabelNames(headerWith(bad))).toBeUndefined()
  }
  expect(niftiLabelNames(upgradeHeader(headerWith(extension('', 0))))).toBeUndefined()
})

const python = ['/usr/bin/python3', 'python3'].find(
  (each) => spawnSync(each, ['-c', 'import nibabel'], { stdio: 'ignore' }).status === 0,
)

test.skipIf(python === undefined)('nibabel and an XML parser read them where TotalSegmentator looks', async () => {
  await writeVolume(at('named.nii.gz'), { ...map, labelNames: names })
  const script = `
import json, sys, nibabel, xml.etree.ElementTree as tree
image = nibabel.load(sys.argv[1])
root = tree.fromstring(image.header.extensions[0].get_content().strip(bytes(1)).strip())
table = root.find('VolumeInformation').find('LabelTable')
print(json.dumps([root.tag, image.get_fdata().astype(int).ravel('F').tolist(),
                  {each.get('Key'): each.text for each in table.findall('Label')}]))`
  writeFileSync(at('read.py'), script)
  const { stdout, stderr } = spawnSync(python ?? '', [at('read.py'), at('named.nii.gz')], { encoding: 'utf8' })
  expect(JSON.parse(stdout || `"${stderr}"`)).toEqual(['CaretExtension', [...map.data], Object.fromEntries(names)])
})

const real = fileURLToPath(
  new URL('../../../shared/data/totalsegmentator_reference/example_seg.nii.gz', import.meta.url),
)
test.skipIf(!existsSync(real))("TotalSegmentator's own file", async () => {
  const own = await readLabelNames(real)
  expect(own?.get(1)).toBe('spleen')
  expect(own?.get(5)).toBe('liver')
  expect(own?.size).toBeGreaterThan(100)
})
