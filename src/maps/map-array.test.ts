import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeNpz } from '../formats/npz.ts'
import { InputError } from '../volume/errors.ts'
import { mapShape, openMapArray } from './map-array.ts'

test('shapes of arrays', () => {
  expect(mapShape([3, 4, 5, 6], 'x')).toEqual({ channels: 3, shape: [4, 5, 6] })
  expect(mapShape([1, 3, 4, 5, 6], 'x')).toEqual({ channels: 3, shape: [4, 5, 6] })
  expect(mapShape([4, 5, 6], 'x')).toEqual({ channels: 1, shape: [4, 5, 6] })
  for (const axes of [[], [5], [5, 6], [2, 3, 4, 5, 6], [3, 0, 5, 6]])
    expect(() => mapShape(axes, 'x')).toThrow(InputError)
})

test('of the arrays in an archive, the one that pipelines call so, or the only one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-arrays-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const array = (value: number) => ({ shape: [2, 1, 1, 3], data: new Float32Array(6).fill(value) })
  const first = async (arrays: Parameters<typeof writeNpz>[1]) => {
    const path = join(folder, 'a.npz')
    await writeNpz(path, arrays)
    const { stored, ...rest } = await openMapArray(path)
    expect(rest).toEqual({ channels: 2, shape: [1, 1, 3] })
    for await (const data of stored.chunks()) return data[0]
    return undefined
  }
  expect(await first({ other: array(1), probabilities: array(2) })).toBe(2)
  expect(await first({ other: array(1), softmax: array(3) })).toBe(3)
  expect(await first({ softmax: array(3), probabilities: array(2) })).toBe(2)
  expect(await first({ anything: array(4) })).toBe(4)
  await expect(first({ a: array(1), b: array(2) })).rejects.toThrow("holds the arrays a, b; save the maps as 'prob")
})
