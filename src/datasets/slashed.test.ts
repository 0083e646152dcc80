import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, win32 } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { writeVolume } from '../formats/volume-file.ts'
import { createGrid } from '../volume/grid.ts'
import { matchFiles } from './match-files.ts'
import { openPairs } from './pairs.ts'
import { slashed } from './slashed.ts'

const { platform } = process
afterEach(() => Object.defineProperty(process, 'platform', { value: platform }))

test("Windows' separators become those of patterns, and only there", () => {
  const path = win32.join('C:\\study', 'images', '{case}.nii.gz')
  expect(slashed(path, 'win32')).toBe('C:/study/images/{case}.nii.gz')
  expect(slashed('odd\\name.nii', 'linux')).toBe('odd\\name.nii')
})

test('patterns with them find their files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
  try {
    const volume = { grid: createGrid([2, 1, 1]), channels: 1, data: Uint8Array.of(0, 1) }
    for (const name of ['images', 'labels']) {
      mkdirSync(join(folder, name))
      for (const id of ['a', 'b']) await writeVolume(join(folder, name, `${id}.nii`), volume)
    }
    Object.defineProperty(process, 'platform', { value: 'win32' })
    // As path.resolve of Windows would join a configuration's folder and its pattern.
    const pattern = (name: string) => `${folder}\\${name}\\{case}.nii`
    const spec = { images: pattern('images'), labels: pattern('labels'), labelNames: { liver: 1 } }
    const { cases } = await openPairs({ kind: 'pairs', ...spec } as Parameters<typeof openPairs>[0])
    expect(cases.map(({ id, fault }) => [id, fault])).toEqual([
      ['a', undefined],
      ['b', undefined],
    ])
    const found = await matchFiles(`${folder}\\labels\\*.nii`)
    expect(found).toHaveLength(2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
