import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { describeMasks } from '../src/datasets/mask-labels.ts'
import { writeVolume } from '../src/formats/volume-file.ts'
import { createGrid } from '../src/volume/grid.ts'
import { halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { distanceMm } from './support/images.ts'

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const json = (...parts: string[]) => JSON.parse(readFileSync(at(...parts), 'utf8'))
const grid = createGrid([12, 12, 10])
const distance = Float64Array.from(distanceMm(grid, [6, 6, 5]))
const ball = (radius: number) => Float32Array.from(distance, (d) => Math.min(1, Math.max(0, radius - d)))
const labels = { background: 0, liver: 1, tumour: 2 }

beforeAll(async () => {
  mkdirSync(at('set', 'labelsTr'), { recursive: true })
  writeFileSync(
    at('set', 'dataset.json'),
    JSON.stringify({ channel_names: { 0: 'CT' }, labels, file_ending: '.nii.gz' }),
  )
  for (const [i, name] of ['a', 'b'].entries()) {
    const whole = ball(4 + i)
    const core = ball(2)
    await writeVolume(at('maps', `${name}.nii.gz`), { grid, channels: 2, data: Float32Array.of(...whole, ...core) })
    await writeVolume(at('one', `${name}.nii.gz`), { grid, channels: 1, data: whole })
    const drawn = Uint8Array.from(whole, (p, n) => (core[n] > 0.5 ? 2 : Number(p > 0.5)))
    await writeVolume(at('set', 'labelsTr', `${name}.nii.gz`), { grid, channels: 1, data: drawn })
  }
})

describe('threshold', () => {
  const regions = ['--decode', 'regions', '--classes', 'whole=1+2,core=2']

  test('a folder of masks with named regions is described as nnU-Net describes its predictions', async () => {
    await halfdiceJson(['threshold', at('maps'), '-o', at('regions'), ...regions])
    expect(json('regions', 'dataset.json')).toEqual({
      labels: { background: 0, whole: [1, 2], core: 2 },
      regions_class_order: [1, 2],
      file_ending: '.nii.gz',
    })
    const wanted = ['--labels', 'whole,core']
    const scores = await halfdiceJson<{ cases: { labels: Record<string, { name?: string }> }[] }>(
      ['evaluate', at('regions'), at('regions'), ...wanted], // reads it like every other
    )
    expect(Object.values(scores.cases[0].labels).map(({ name }) => name)).toEqual(['core', 'whole'])
  })

  test('one class is label 1', async () => {
    await halfdiceJson(['threshold', at('one'), '-o', at('liver'), '--classes', 'liver'])
    expect(json('liver', 'dataset.json').labels).toEqual({ background: 0, liver: 1 })
  })

  test('arrays are none that nnU-Net reads', async () => {
    expect(await describeMasks([{ path: at('a.npy'), labels: { classes: [{ name: 'liver', labels: [1] }] } }])).toEqual(
      [],
    )
    expect(existsSync(at('dataset.json'))).toBe(false)
  })

  test('numbers need no description, nor does a mask that is named as a file', async () => {
    await halfdiceJson(['threshold', at('one'), '-o', at('numbers')])
    expect(existsSync(at('numbers', 'dataset.json'))).toBe(false)
    await halfdiceJson(['threshold', at('one', 'a.nii.gz'), '-o', at('file', 'a.nii.gz'), '--classes', 'liver'])
    expect(existsSync(at('file', 'dataset.json'))).toBe(false)
    await halfdiceJson(['threshold', at('maps'), '-o', at('apart'), '--decode', 'separate', '--classes', 'whole,core'])
    expect(existsSync(at('apart', 'dataset.json'))).toBe(false)
  })

  test('what is there already stays: in silence where it says the same', async () => {
    const same = JSON.stringify({ file_ending: '.nii.gz', labels: { core: 2, background: 0, liver: 1 } })
    mkdirSync(at('there'))
    writeFileSync(at('there', 'dataset.json'), same)
    const classes = (names: string) => ['threshold', at('one'), '-o', at('there'), '--classes', names]
    const { stderr, code } = await halfdice(classes('kidney'))
    expect(stderr).toContain(`warning: ${at('there', 'dataset.json')}: describes other labels than these masks have`)
    expect(code).toBe(0)
    expect(readFileSync(at('there', 'dataset.json'), 'utf8')).toBe(same)
    const more = JSON.stringify({ file_ending: '.nii.gz', labels: { background: 0, kidney: 1, tumour: 2 } })
    writeFileSync(at('there', 'dataset.json'), more)
    expect((await halfdice(classes('kidney'))).stderr).toBe('')
    rmSync(at('there', 'dataset.json'))
    await halfdiceJson(classes('kidney'))
    const written = readFileSync(at('there', 'dataset.json'), 'utf8')
    expect((await halfdice(classes('kidney'))).stderr).toBe('')
    expect(readFileSync(at('there', 'dataset.json'), 'utf8')).toBe(written)
  })
})

test('sample and consensus: the names of the data set that the label maps are from', async () => {
  const named = { labels, file_ending: '.nii.gz' }
  const noise = ['--sigma', '1', '--length', '4']
  await halfdiceJson(['sample', at('set', 'labelsTr'), '-o', at('noisy'), ...noise])
  expect(json('noisy', 'dataset.json')).toEqual(named)
  await halfdiceJson(['sample', at('set', 'labelsTr'), '-o', at('other'), ...noise, '--seed', '1'])
  await halfdiceJson(['raters', at('noisy'), at('other'), '--consensus', 'dice', '-o', at('best')])
  expect(json('best', 'dataset.json')).toEqual(named)
})

test('label maps whose own names contradict each other are not described', async () => {
  const data = Uint8Array.from(ball(4), (p) => Number(p > 0.5))
  const write = (name: string, called: string) =>
    writeVolume(at('own', `${name}.nii.gz`), { grid, channels: 1, data, labelNames: new Map([[1, called]]) })
  const sample = (to: string) => ['sample', at('own'), '-o', at(to), '--sigma', '1', '--length', '4']
  await write('a', 'spleen')
  await write('b', 'spleen')
  await halfdiceJson(sample('spleens'))
  expect(json('spleens', 'dataset.json').labels).toEqual({ background: 0, spleen: 1 })
  await write('b', 'stomach')
  await halfdiceJson(sample('organs'))
  expect(existsSync(at('organs', 'dataset.json'))).toBe(false)
})
