import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openDataset } from '../src/datasets/open-dataset.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { noisyLabels } from '../src/study/noisy-labels.ts'
import type { Cell } from '../src/study/plan.ts'
import { type LabelArray, labelMapOf } from '../src/volume/labels.ts'
import type { Volume } from '../src/volume/volume.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, obliqueGrid, twoBalls, writeImage } from './support/images.ts'

interface Result {
  outputs: string[]
  cases: {
    case: string
    samples: {
      file: string
      labels: Record<string, { name?: string; voxels: number; dice: number; referenceMl: number }>
    }[]
  }[]
  mean: Record<string, { cases: number; dice: number }>
  failed?: { input: string; error: string }[]
}

const folder = temporaryFolder()
const noise = ['--sigma', '2', '--length', '8', '--seed', '5']
const image = Float32Array.from(twoBalls(), (label, i) => 100 * label + (i % 7))
const json = {
  channel_names: { 0: 'T1', 1: 'T2' },
  labels: { background: 0, left: 1, right: 2 },
  file_ending: '.nii.gz',
}

/** A data set in nnU-Net's layout: two channels, `count` cases whose balls are all alike. */
function nnunet(name: string, count = 3, description: object = json): string {
  const root = join(folder, name)
  for (const part of ['imagesTr', 'imagesTs', 'labelsTr']) mkdirSync(join(root, part), { recursive: true })
  for (let n = 0; n < count; n++) {
    for (const channel of [0, 1]) writeImage(join(root, 'imagesTr', `case_${n}_000${channel}.nii.gz`), image)
    writeImage(join(root, 'labelsTr', `case_${n}.nii.gz`), twoBalls())
  }
  for (const channel of [0, 1]) writeImage(join(root, 'imagesTs', `new_000${channel}.nii.gz`), image)
  writeFileSync(join(root, 'dataset.json'), JSON.stringify({ ...description, numTraining: count, licence: 'CC0' }))
  return root
}

const source = nnunet('Dataset001_Balls')
const bytesBelow = (root: string) => filesBelow(root).map((path) => [path, readFileSync(join(root, path))] as const)
const sample = (from: string, to: string, ...more: string[]) => [
  'sample',
  from,
  '-o',
  join(folder, to),
  ...noise,
  ...more,
]
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'))

/** What a study with one group of organs draws for a case at the noise of `noise`. */
function studyLabels(group: string, organs: Cell['organs'], id: string, labels: Volume): LabelArray {
  const noise = { sigmaMm: [2, 2, 2], lengthMm: 8, replicate: 0, noiseSeed: 5 } as const
  const cell = { path: '', group, organs, ...noise, validation: [] }
  const map = { ...labels, data: labelMapOf(labels, id).values }
  return noisyLabels({ ...cell, work: { kind: 'theory' } }, id, map).noisy.data
}

describe("nnU-Net's layout", () => {
  test('is written as nnU-Net reads it, with the labels that a study draws', async () => {
    const { cases, mean } = await halfdiceJson<Result>(sample(source, 'Dataset101_Noisy', '--threads', '2'))
    const out = join(folder, 'Dataset101_Noisy')
    expect(filesBelow(out)).toEqual(filesBelow(source))
    expect(readJson('Dataset101_Noisy', 'dataset.json')).toEqual({
      ...json,
      numTraining: 3,
      licence: 'CC0',
      noise: {
        halfdice: expect.stringMatching(/^\d+\.\d+\.\d+/),
        source: 'Dataset001_Balls',
        seed: 5,
        sigmaMm: 2,
        lengthMm: 8,
        sample: 0,
      },
    })
    const dataset = await openDataset({ kind: 'nnunet', folder: source }, [])
    const organs = [...dataset.labels].map(([name, labels]) => ({ name, labels }))
    const fields: LabelArray[] = []
    for (const one of dataset.cases) {
      const { labels } = await dataset.load(one)
      const noisy = await readVolume(join(out, 'labelsTr', `${one.id}.nii.gz`))
      expect(noisy.grid).toEqual(labels.grid)
      expect([...noisy.data]).toEqual([...studyLabels('joint', organs, one.id, labels)])
      fields.push(noisy.data as LabelArray)
    }
    // All cases are alike, and each moves by a field of its own.
    expect(fields[0]).not.toEqual(fields[1])
    expect(fields[1]).not.toEqual(fields[2])
    const both = [...fields[0]].filter((label, i) => label === 2 && twoBalls()[i] === 2).length
    const voxels = [...fields[0]].filter((label) => label === 2).length
    const dice = (2 * both) / (voxels + [...twoBalls()].filter((label) => label === 2).length)
    expect(cases[0].samples[0].labels['2']).toMatchObject({ name: 'right', voxels })
    expect(cases[0].samples[0].labels['2'].dice).toBeCloseTo(dice, 12)
    expect(mean['2'].cases).toBe(3)
    expect(mean['2'].dice).toBeCloseTo(cases.reduce((sum, one) => sum + one.samples[0].labels['2'].dice, 0) / 3, 12)
  })

  test('gives the same bytes on any number of threads; images are linked, or copied', async () => {
    await halfdiceJson(sample(source, 'Dataset102_One', '--threads', '1', '--images', 'copy'))
    const bytes = (name: string) => bytesBelow(join(folder, name))
    expect(bytes('Dataset102_One')).toEqual(bytes('Dataset101_Noisy'))
    const number = (...path: string[]) => statSync(join(folder, ...path)).ino
    const file = ['imagesTs', 'new_0001.nii.gz']
    expect(number('Dataset101_Noisy', ...file)).toBe(number('Dataset001_Balls', ...file))
    expect(number('Dataset102_One', ...file)).not.toBe(number('Dataset001_Balls', ...file))
  })

  test('several samples are data sets of their own number', async () => {
    const { outputs } = await halfdiceJson<Result>(sample(source, 'Dataset110_Several', '-n', '2', '--first', '3'))
    expect(outputs).toEqual(['Dataset110_Several', 'Dataset111_Several'].map((name) => join(folder, name)))
    expect(readJson('Dataset111_Several', 'dataset.json').noise.sample).toBe(4)
    await halfdiceJson(sample(source, 'Dataset112_Fourth', '--first', '4'))
    const label = (name: string) => readFileSync(join(folder, name, 'labelsTr', 'case_1.nii.gz'))
    expect(label('Dataset112_Fourth')).toEqual(label('Dataset111_Several'))
    expect(label('Dataset110_Several')).not.toEqual(label('Dataset111_Several'))
    const clash = await halfdice(sample(source, 'Dataset111_Other'))
    expectRefusal(clash, /Dataset111_Other: has the number of Dataset111_Several, and nnU-Net wants one of its own/)
    expectRefusal(await halfdice(sample(source, 'Dataset999_Last', '-n', '2')), 'no three digits for 2 data sets')
  })

  test('one label of several becomes label 1, as a study of that organ draws it', async () => {
    const { stderr, code } = await halfdice(sample(source, 'Dataset120_Right', '--labels', 'right'))
    expect(stderr).toBe('halfdice: warning: label 2 (right) becomes 1: nnU-Net wants 1, 2, 3 …\n')
    expect(code).toBe(0)
    expect(readJson('Dataset120_Right', 'dataset.json').labels).toEqual({ background: 0, right: 1 })
    const noisy = await readVolume(join(folder, 'Dataset120_Right', 'labelsTr', 'case_2.nii.gz'))
    const labels = await readVolume(join(source, 'labelsTr', 'case_2.nii.gz'))
    const drawn = studyLabels('right', [{ name: 'right', labels: [2] }], 'case_2', labels)
    expect([...noisy.data]).toEqual([...drawn].map((label) => label / 2))
  })

  test('the decathlon’s form becomes nnU-Net’s', async () => {
    const old = nnunet('Task01_Balls', 2, {
      modality: { 0: 'MRI' },
      labels: { 0: 'background', 1: 'left', 2: 'right' },
    })
    for (const n of [0, 1]) {
      rmSync(join(old, 'imagesTr', `case_${n}_0001.nii.gz`))
      renameSync(join(old, 'imagesTr', `case_${n}_0000.nii.gz`), join(old, 'imagesTr', `case_${n}.nii.gz`))
    }
    await halfdiceJson(sample(old, 'Dataset130_Old'))
    expect(readdirSync(join(folder, 'Dataset130_Old', 'imagesTr'))).toEqual([
      'case_0_0000.nii.gz',
      'case_1_0000.nii.gz',
    ])
    expect(readJson('Dataset130_Old', 'dataset.json')).toMatchObject({
      channel_names: { 0: 'MRI' },
      labels: { background: 0, left: 1, right: 2 },
      file_ending: '.nii.gz',
      numTraining: 2,
    })
  })

  test('a case at fault is named, counted and left out; mended, it comes in', async () => {
    const bad = nnunet('Dataset002_Bad')
    const label = join(bad, 'labelsTr', 'case_1.nii.gz')
    const whole = readFileSync(label)
    writeFileSync(label, whole.subarray(0, whole.length - 40))
    const first = await halfdice(sample(bad, 'Dataset140_Bad'))
    expect(first.code).toBe(1)
    const lines = first.stderr.trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^halfdice: .*case_1\.nii\.gz: is .*; /)
    expect(lines[1]).toBe('halfdice: sample: 1 of 3 cases failed; the others are done')
    expect(readJson('Dataset140_Bad', 'dataset.json')).toMatchObject({ numTraining: 2, noise: { leftOut: ['case_1'] } })
    expect(filesBelow(join(folder, 'Dataset140_Bad')).filter((path) => path.includes('case_1'))).toEqual([])
    writeFileSync(label, whole)
    await halfdiceJson(sample(bad, 'Dataset140_Bad'))
    expect(readJson('Dataset140_Bad', 'dataset.json').numTraining).toBe(3)
    expect(readJson('Dataset140_Bad', 'dataset.json').noise.leftOut).toBeUndefined()
    const made = readFileSync(join(folder, 'Dataset140_Bad', 'labelsTr', 'case_1.nii.gz'))
    expect(made).toEqual(readFileSync(join(folder, 'Dataset101_Noisy', 'labelsTr', 'case_1.nii.gz')))
  })

  test('labels that dataset.json does not name, or that lie on another grid, are refused', async () => {
    const odd = nnunet('Dataset003_Odd')
    writeImage(
      join(odd, 'labelsTr', 'case_0.nii.gz'),
      twoBalls().map((label) => 3 * label),
    )
    writeImage(join(odd, 'labelsTr', 'case_1.nii.gz'), twoBalls(), { ...obliqueGrid, spacing: [1, 1, 2.5] })
    rmSync(join(odd, 'imagesTr', 'case_2_0001.nii.gz'))
    const { code, stderr } = await halfdice(sample(odd, 'Dataset150_Odd'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/case_0\.nii\.gz: holds label 3, which dataset\.json does not name; correct one of them\n/)
    expect(stderr).toMatch(/case_1\.nii\.gz: lies on another grid than its image .*; resample it\n/)
    expect(stderr).toMatch(/case_2_0001\.nii\.gz: is missing for the label case_2\.nii\.gz; /)
    expect(stderr).toMatch(/sample: all 3 cases failed\n$/)
    expect(existsSync(join(folder, 'Dataset150_Odd'))).toBe(false)
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('what exists is not written over, nor may one folder lie in the other', async () => {
    const before = bytesBelow(join(folder, 'Dataset101_Noisy'))
    expectRefusal(
      await halfdice(sample(source, 'Dataset101_Noisy', '--seed', '6')),
      'exists and is no data set of this noise',
    )
    // The same again has nothing to do.
    await halfdiceJson(sample(source, 'Dataset101_Noisy'))
    expect(bytesBelow(join(folder, 'Dataset101_Noisy'))).toEqual(before)
    expectRefusal(await halfdice(sample(source, 'Dataset001_Balls/Dataset160_In')), 'lie one in the other')
    expectRefusal(await halfdice(sample(source, 'Dataset001_Balls')), 'lie one in the other')
    expectRefusal(
      await halfdice(sample(source, 'Dataset161_X', '--labels', 'liver')),
      "'liver' is neither a label nor a name",
    )
  })

  test('killed on the way it leaves nothing under its name, and goes on when run again', async () => {
    const many = nnunet('Dataset004_Many', 30)
    const args = sample(many, 'Dataset170_Killed', '--threads', '1')
    const work = join(folder, '.Dataset170_Killed.unfinished', 'labelsTr')
    const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
    const done = () => (existsSync(work) ? readdirSync(work).filter((name) => !name.startsWith('.')) : [])
    const ended = new Promise((resolve) => child.on('close', resolve))
    while (done().length < 3 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2))
    child.kill('SIGKILL')
    await ended
    expect(existsSync(join(folder, 'Dataset170_Killed'))).toBe(false)
    const early = done()
    expect(early.length).toBeGreaterThan(2)
    expect(early.length).toBeLessThan(30)
    const times = early.map((name) => statSync(join(work, name)).mtimeMs)
    await halfdiceJson(args)
    expect(existsSync(work)).toBe(false)
    const out = join(folder, 'Dataset170_Killed')
    expect(early.map((name) => statSync(join(out, 'labelsTr', name)).mtimeMs)).toEqual(times)
    await halfdiceJson(sample(many, 'Dataset171_Whole'))
    expect(bytesBelow(out)).toEqual(bytesBelow(join(folder, 'Dataset171_Whole')))
  })

  test('other settings start anew where a run was killed', async () => {
    const work = join(folder, '.Dataset180_New.unfinished')
    mkdirSync(join(work, 'labelsTr'), { recursive: true })
    cpSync(join(source, 'labelsTr', 'case_0.nii.gz'), join(work, 'labelsTr', 'case_0.nii.gz'))
    writeFileSync(join(work, '.noise.json'), '{}')
    await halfdiceJson(sample(source, 'Dataset180_New'))
    const label = (name: string) => readFileSync(join(folder, name, 'labelsTr', 'case_0.nii.gz'))
    expect(label('Dataset180_New')).toEqual(label('Dataset101_Noisy'))
  })
})

describe('other layouts', () => {
  const ball = (at: number) => Uint8Array.from(distanceMm(obliqueGrid, [at, 10, 8]), (d) => (d < 3 ? 1 : 0))

  test('TotalSegmentator: every mask of a case moves by one field, and overlaps stay', async () => {
    const root = join(folder, 'Totalsegmentator')
    for (const id of ['s0001', 's0002']) {
      mkdirSync(join(root, id, 'segmentations'), { recursive: true })
      writeImage(join(root, id, 'ct.nii.gz'), image)
      writeImage(join(root, id, 'segmentations', 'liver.nii.gz'), ball(6))
      writeImage(join(root, id, 'segmentations', 'spleen.nii.gz'), ball(16))
      writeImage(join(root, id, 'segmentations', 'body.nii.gz'), twoBalls().map(Number).fill(1, 0, 5))
    }
    writeImage(join(root, 's0001', 'segmentations', 'liver_copy.nii.gz'), ball(6))
    writeFileSync(join(root, 'meta.csv'), 'image_id;split\ns0001;train\ns0002;test\n')
    const { cases } = await halfdiceJson<Result>(sample(root, 'ts_noisy', '--threads', '2'))
    const out = join(folder, 'ts_noisy')
    expect(filesBelow(out)).toEqual([...filesBelow(root), 'noise.json'].sort())
    expect(readJson('ts_noisy', 'noise.json').noise).toMatchObject({ seed: 5, sigmaMm: 2, lengthMm: 8, sample: 0 })
    const mask = async (id: string, organ: string) => [
      ...(await readVolume(join(out, id, 'segmentations', `${organ}.nii.gz`))).data,
    ]
    expect(await mask('s0001', 'liver_copy')).toEqual(await mask('s0001', 'liver'))
    expect(await mask('s0001', 'liver')).not.toEqual(await mask('s0002', 'liver'))
    expect(Object.keys(cases[1].samples[0].labels)).toEqual(['body', 'liver', 'spleen'])
    // A joint study of the two organs sees the same labels.
    const organs = ['liver', 'spleen']
    const dataset = await openDataset({ kind: 'totalsegmentator', folder: root }, organs)
    for (const one of dataset.cases) {
      const { labels } = await dataset.load(one)
      const outputs = organs.map((name, i) => ({ name, labels: [i + 1] }))
      const drawn = [...studyLabels('joint', outputs, one.id, labels)]
      for (const [i, organ] of organs.entries()) {
        expect(drawn.map((label) => Number(label === i + 1))).toEqual(await mask(one.id, organ))
      }
    }
    await halfdiceJson(sample(root, 'ts_spleen', '--labels', 'spleen'))
    expect(readdirSync(join(folder, 'ts_spleen', 's0001', 'segmentations'))).toEqual(['spleen.nii.gz'])
    expectRefusal(await halfdice(sample(root, 'ts_none', '--labels', 'lung')), 'no case has segmentations/lung.nii.gz')
  })

  test('folders of images and of labels whose names differ', async () => {
    const root = join(folder, 'pairs')
    for (const part of ['images', 'labels']) mkdirSync(join(root, part), { recursive: true })
    for (const id of ['a', 'b']) {
      writeImage(join(root, 'images', `${id}.nii.gz`), image)
      writeImage(join(root, 'labels', `${id}_seg.nii.gz`), twoBalls())
    }
    const { cases } = await halfdiceJson<Result>(sample(root, 'pairs_noisy', '--suffix', '_seg'))
    expect(cases.map((one) => one.case)).toEqual(['a', 'b'])
    expect(filesBelow(join(folder, 'pairs_noisy'))).toEqual([...filesBelow(root), 'noise.json'].sort())
    const spec = {
      kind: 'pairs',
      images: `${root}/images/{case}.nii.gz`,
      labels: `${root}/labels/{case}_seg.nii.gz`,
    } as const
    const dataset = await openDataset({ ...spec, labelNames: { left: 1, right: 2 } }, [])
    const { labels } = await dataset.load(dataset.cases[1])
    const organs = [...dataset.labels].map(([name, own]) => ({ name, labels: own }))
    const noisy = await readVolume(join(folder, 'pairs_noisy', 'labels', 'b_seg.nii.gz'))
    expect([...noisy.data]).toEqual([...studyLabels('joint', organs, 'b', labels)])
    const without = await halfdice(sample(root, 'pairs_none'))
    expect(without.code).toBe(1)
    expect(without.stderr).toMatch(/a_seg\.nii\.gz: has no image images\/a_seg\.\*; .* --suffix/)
  })
})
