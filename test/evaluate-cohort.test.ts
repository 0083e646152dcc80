import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { encodeNpy } from '../src/formats/npy.ts'
import { createGrid } from '../src/volume/grid.ts'
import {
  expectRefusal,
  filesBelow,
  halfdice,
  halfdiceJson,
  hasSharedData,
  sharedData,
  temporaryFolder,
} from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'

interface Cohort {
  cases: { case: string; labels: Record<string, { name?: string; dice: number; nsd: Record<string, number> }> }[]
  mean: Record<string, { dice: number; hd95Mm: number; nsd: Record<string, number>; lesions?: { f1: number } }>
  summary: Record<string, { absent: number; metrics: Record<string, { n: number; low: number; high: number }> }>
  patients: number
  missing: { case: string; reference: string }[]
  unpaired: { case: string }[]
  failed?: { case: string; error: string }[]
  versus?: { differences: Record<string, Record<string, { difference: { value: number }; verdict: string }>> }
}

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const grid = createGrid([20, 16, 12], [1, 1, 2])
const ball = (x: number, radius: number) => Uint8Array.from(distanceMm(grid, [x, 8, 6]), (d) => Number(d <= radius))

beforeAll(() => {
  for (const name of ['pred', 'other', 'ref', 'monai']) mkdirSync(at(name))
  for (let i = 0; i < 8; i++) {
    writeImage(at('ref', `p${i >> 1}_frame0${i & 1}.nii.gz`), ball(9, 5 + i / 8), grid)
    writeImage(at('pred', `p${i >> 1}_frame0${i & 1}.nii.gz`), ball(9.5, 5 + i / 8), grid)
    writeImage(at('other', `p${i >> 1}_frame0${i & 1}.nii.gz`), ball(11 + (i & 1), 4), grid)
  }
  writeFileSync(at('ref', 'dataset.json'), JSON.stringify({ labels: { background: 0, liver: 1 } }))
})

test('two folders: scores of every case, means with intervals over patients, CSV and summary.json', async () => {
  const more = ['--csv', at('out', 's.csv'), '--summary', at('out', 'summary.json'), '--tolerance', '1', '2.5']
  const found = await halfdiceJson<Cohort>(['evaluate', at('pred'), at('ref'), ...more])
  expect(found.cases.map((one) => one.case)).toHaveLength(8)
  expect([found.patients, found.missing, found.unpaired]).toEqual([4, [], []])
  expect(found.cases[0].labels['1'].name).toBe('liver')
  const { dice, nsd } = found.mean['1']
  expect(dice).toBeCloseTo(found.cases.reduce((sum, one) => sum + one.labels['1'].dice, 0) / 8, 12)
  expect(Object.keys(nsd)).toEqual(['1', '2.5'])
  const { low, high, n } = found.summary['1'].metrics.dice
  expect([low < dice, dice < high, n]).toEqual([true, true, 8])
  expect(readFileSync(at('out', 's.csv'), 'utf8').trim().split('\r\n')).toHaveLength(9)
  expect(JSON.parse(readFileSync(at('out', 'summary.json'), 'utf8')).mean['1'].Dice).toBeCloseTo(dice, 12)
  const { stdout } = await halfdice(['evaluate', at('pred'), at('ref')])
  expect(stdout).toMatch(/^8 cases, of 4 patients; surface distances by voxel/)
  expect(stdout).toMatch(/\nmean +1 +liver +0\.\d{4}/)
})

test('the same bytes for any number of threads', async () => {
  const run = (threads: string, name: string) =>
    halfdice(['evaluate', at('pred'), at('ref'), '--lesions', '--threads', threads, '--csv', at(name), '--json'])
  const [one, three] = [await run('1', 'one.csv'), await run('3', 'three.csv')]
  expect(one.code, one.stderr).toBe(0)
  expect(three.stdout).toBe(one.stdout)
  expect(readFileSync(at('three.csv'))).toEqual(readFileSync(at('one.csv')))
})

test('--versus compares two folders, and says what it found', async () => {
  const args = ['evaluate', at('pred'), at('ref'), '--versus', at('other'), '--patients', '^(.*)$']
  const { versus, mean } = await halfdiceJson<Cohort>(args)
  const { difference, verdict } = versus?.differences['1'].dice ?? {}
  expect(verdict).toBe('better')
  expect(difference?.value).toBeGreaterThan(0.2)
  expect(mean['1'].dice).toBeGreaterThan(0.8)
  const { stdout } = await halfdice(args)
  expect(stdout).toMatch(/\nliver +Dice .* 8\/0\/0 .*better/)
})

test('--report writes a page with the numbers of the table, and pictures over the images', async () => {
  mkdirSync(at('images'))
  for (let i = 0; i < 8; i++) {
    const image = Int16Array.from(ball(9, 6), (v, n) => v * 100 + (n % 7))
    writeImage(at('images', `p${i >> 1}_frame0${i & 1}_0000.nii.gz`), image, grid)
  }
  const page = at('pages', 'scores.html')
  const args = ['evaluate', at('other'), at('ref'), '--versus', at('pred'), '--report', page, '--images', at('images')]
  const { mean, report } = await halfdiceJson<Cohort & { report: string }>(args)
  expect(report).toBe(page)
  const html = readFileSync(page, 'utf8')
  expect(html).toContain(mean['1'].dice.toFixed(3))
  expect(html.match(/<figure/g)?.length).toBeGreaterThan(2)
  expect(html).toContain('data:image/png;base64,')
  expect(html).not.toMatch(/(src|href)="https?:/)
  const refused = await halfdice(['evaluate', at('pred'), at('ref'), '--images', at('images')])
  expectRefusal(refused, '--images: is for the pictures of a report')
  const named = await halfdice(['evaluate', at('pred'), at('ref'), '--report', at('scores.txt')])
  expectRefusal(named, 'is no name for a page; end it in .html')
})

test('a label that no map has is named, in a cohort and of two files', async () => {
  const many = await halfdice(['evaluate', at('pred'), at('ref'), '--labels', '9'])
  expect(many.stderr).toMatch(/^halfdice: warning: label 9 is in no map; check the label\n$/)
  const [pred, ref] = ['pred', 'ref'].map((place) => at(place, 'p0_frame00.nii.gz'))
  const two = await halfdice(['evaluate', pred, ref, '--labels', '9'])
  expect(two.stderr).toMatch(/^halfdice: warning: label 9 is in neither map; check the label\n$/)
})

test('cases in one folder only are named; bad ones cost no others', async () => {
  for (const name of ['half', 'bad']) mkdirSync(at(name))
  writeImage(at('half', 'p0_frame00.nii.gz'), ball(9, 5), grid)
  writeImage(at('half', 'stray.nii.gz'), ball(9, 5), grid)
  const half = await halfdice(['evaluate', at('half'), at('ref'), '--json'])
  expect(half.code).toBe(0)
  expect(half.stderr).toMatch(/no prediction for 7 cases: p0_frame01, p1_frame00, p1_frame01 and 4 others; left out/)
  expect(half.stderr).toMatch(/no reference for 1 case: stray; not scored/)
  const found: Cohort = JSON.parse(half.stdout)
  expect([found.cases.length, found.missing.length, found.unpaired]).toMatchObject([1, 7, [{ case: 'stray' }]])
  const empty = await halfdiceJson<Cohort>(['evaluate', at('half'), at('ref'), '--missing', 'empty'])
  expect(empty.mean['1'].dice).toBeCloseTo(found.mean['1'].dice / 8, 12)
  // Seven of eight have no surface: the table says of how many cases each mean is.
  const { stdout } = await halfdice(['evaluate', at('half'), at('ref'), '--missing', 'empty'])
  const cells = (row: string) =>
    stdout
      .split('\n')
      .find((line) => line.startsWith(row))
      ?.split(/ {2,}/)
  const [names, counts] = [cells('case  '), cells('cases ')]
  expect([counts?.[names?.indexOf('Dice') ?? 0], counts?.[names?.indexOf('HD95 mm') ?? 0]]).toEqual(['8', '1'])
  const full = await halfdice(['evaluate', at('pred'), at('ref')])
  expect(full.stdout).not.toMatch(/^cases /m)
  writeImage(at('bad', 'p0_frame00.nii.gz'), ball(9, 5), grid)
  writeFileSync(at('bad', 'p0_frame01.nii.gz'), readFileSync(at('ref', 'p0_frame01.nii.gz')).subarray(0, 80))
  writeImage(at('bad', 'p1_frame00.nii.gz'), new Uint8Array(8), createGrid([2, 2, 2], [1, 1, 1]))
  const bad = await halfdice(['evaluate', at('bad'), at('ref'), '--json', '-q'])
  expect(bad.code).toBe(1)
  const lines = bad.stderr.trim().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/p0_frame01.nii.gz: .*(truncated|ends)/)
  expect(lines[1]).toMatch(/p1_frame00.nii.gz: lies on another grid/)
  expect(lines[2]).toBe('halfdice: evaluate: 2 cases of 3 failed; the others are scored')
  expect(JSON.parse(bad.stdout).failed).toHaveLength(2)
})

test('names are bridged by a suffix or a pattern', async () => {
  for (let i = 0; i < 2; i++) {
    mkdirSync(at('monai', `p${i}_frame00`))
    writeImage(at('monai', `p${i}_frame00`, `p${i}_frame00_seg.nii.gz`), ball(9, 5), grid)
  }
  const names = async (path: string, ...more: string[]) =>
    (await halfdiceJson<Cohort>(['evaluate', path, at('ref'), ...more])).cases.map((one) => one.case)
  expect(await names(at('monai'))).toEqual(['p0_frame00', 'p1_frame00'])
  expect(await names(at('monai/*/*_seg.nii.gz'), '--suffix', '_seg')).toEqual(['p0_frame00', 'p1_frame00'])
  expect(await names(at('monai/*/{case}_seg.nii.gz'))).toEqual(['p0_frame00', 'p1_frame00'])
})

test('what cannot be is one line, and nothing is written', async () => {
  mkdirSync(at('empty'))
  const refused = async (args: string[], says: string) => expectRefusal(await halfdice(['evaluate', ...args]), says)
  await refused([at('pred')], 'needs a prediction and a reference')
  await refused([at('empty'), at('ref')], 'holds no label maps')
  await refused([at('pred', 'x*'), at('ref')], 'matches no file')
  await refused(
    [at('pred'), at('monai/*/{case}.nii.gz')],
    'no prediction (p0_frame00, p0_frame01, p1_frame00 and 5 oth',
  )
  await refused([at('pred'), at('ref'), '--csv', at('pred', 'p0_frame00.nii.gz')], 'would overwrite the input')
  await refused([at('pred'), at('ref'), '--csv', at('pred', 'p0_frame00.nii.gz', 'x.csv')], 'a file, not a folder')
  await refused([at('pred'), at('ref'), '--labels', 'spleen'], "'spleen' is neither")
  await refused([at('pred'), at('ref'), '--patients', '('], 'is no regular expression')
  await refused([at('pred'), at('ref'), '--tolerance', '-1'], '--tolerance')
  writeFileSync(at('array.npy'), encodeNpy({ shape: [2], data: new Float32Array(2) }))
  await refused([at('array.npy'), at('ref', 'p0_frame00.nii.gz')], 'array.npy')
  expect(filesBelow(at('empty'))).toEqual([])
})

test.skipIf(!hasSharedData)('kidneys of two raters, and TotalSegmentator against itself', async () => {
  const raters = (n: number) => sharedData(`kits23_raters/{case}/rater${n}.nii.gz`)
  const kidneys = await halfdiceJson<Cohort>(['evaluate', raters(1), raters(2)])
  expect(kidneys.cases).toHaveLength(70)
  expect(kidneys.mean['1'].dice).toBeCloseTo(0.9765, 4)
  const organs = sharedData('Totalsegmentator_dataset')
  const { mean, summary } = await halfdiceJson<Cohort>(['evaluate', organs, organs, '--labels', 'liver'])
  expect([mean.liver.dice, summary.liver.absent]).toEqual([1, 1])
})
