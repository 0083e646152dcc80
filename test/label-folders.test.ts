import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readVolume } from '../src/formats/volume-file.ts'
import { createGrid } from '../src/volume/grid.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const grid = createGrid([18, 16, 14])

beforeAll(() => {
  for (const name of ['refs', 'bad', 'kits/a', 'kits/b']) mkdirSync(at(name), { recursive: true })
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    const ball = Uint8Array.from(distanceMm(grid, [9, 8, 7]), (d) => Number(d < 4 + i / 2))
    writeImage(at('refs', `${name}.nii.gz`), ball, grid)
    if (i < 2) writeImage(at('kits', name, 'segmentation.nii.gz'), ball, grid)
  }
  writeFileSync(at('bad', 'a.nii.gz'), readFileSync(at('refs', 'a.nii.gz')))
  writeFileSync(at('bad', 'b.nii.gz'), readFileSync(at('refs', 'b.nii.gz')).subarray(0, 60))
})

interface Many {
  cases: { case: string; rows?: { supDice: number }[]; output?: string; samples?: { file: string }[] }[]
  failed?: { case: string; error: string }[]
}

test('optimum of a folder: every case as alone, and the means last', async () => {
  const { cases } = await halfdiceJson<Many>(['optimum', at('refs'), '--sigma', '1', '2'])
  expect(cases.map((one) => one.case)).toEqual(['a', 'b', 'c'])
  const alone = await halfdiceJson<{ rows: object[] }>(['optimum', at('refs', 'b.nii.gz'), '--sigma', '1', '2'])
  expect(cases[1].rows).toEqual(alone.rows)
  const { stdout } = await halfdice(['optimum', at('refs'), '--sigma', '1', '2'])
  const mean = cases.reduce((sum, one) => sum + (one.rows?.[0].supDice ?? 0), 0) / 3
  expect(stdout).toMatch(new RegExp(`\\nmean of 3 +1 +1 +${mean.toFixed(4)}`))
})

test('noise goes by the name of the case, not of the file: two cases called segmentation move apart', async () => {
  const noise = ['--sigma', '1', '--length', '4']
  interface Sampled {
    rows: { expectedDice: object }[]
  }
  const args = ['optimum', ...noise, '--samples', '5']
  const { cases } = await halfdiceJson<{ cases: Sampled[] }>([...args, at('kits')])
  for (const [i, name] of ['a', 'b'].entries()) {
    const alone = await halfdiceJson<Sampled>([...args, at('refs', `${name}.nii.gz`)])
    expect(cases[i].rows[0].expectedDice).toEqual(alone.rows[0].expectedDice)
  }
})

test('marginal of a folder writes a map for each label map', async () => {
  const { cases } = await halfdiceJson<Many>(['marginal', at('kits'), '-o', at('maps'), '--sigma', '1'])
  expect(cases.map(({ output }) => output)).toEqual([at('maps', 'a.nii.gz'), at('maps', 'b.nii.gz')])
  await halfdiceJson(['marginal', at('refs', 'b.nii.gz'), '-o', at('b.nii.gz'), '--sigma', '1'])
  expect((await readVolume(at('maps', 'b.nii.gz'))).data).toEqual((await readVolume(at('b.nii.gz'))).data)
})

test('a single label map goes into a folder too, under its name', async () => {
  const file = at('refs', 'b.nii.gz')
  const noise = ['--sigma', '1', '--threads', '1']
  await halfdiceJson(['marginal', file, '-o', at('into/marginal'), '--sigma', '1'])
  await halfdiceJson(['sample', file, '-o', at('into/sample'), '--length', '4', ...noise])
  expect(filesBelow(at('into'))).toEqual(['marginal/b.nii.gz', 'sample/b_0000.nii.gz'])
  const refused = await halfdice(['marginal', file, '-o', at('into/b.txt'), '--sigma', '1'])
  expectRefusal(refused, 'does not name an image format')
})

test('sample of several label maps draws what each alone draws', async () => {
  const noise = ['--sigma', '1', '--length', '4', '-n', '2', '--threads', '1']
  const paths = [at('refs', 'a.nii.gz'), at('refs', 'b.nii.gz')]
  const { cases } = await halfdiceJson<Many>(['sample', ...paths, '-o', at('noisy'), ...noise])
  expect(cases.flatMap(({ samples }) => samples?.map(({ file }) => file))).toEqual(
    ['a_0000', 'a_0001', 'b_0000', 'b_0001'].map((name) => at('noisy', `${name}.nii.gz`)),
  )
  await halfdiceJson(['sample', paths[1], '-o', at('alone'), ...noise])
  expect(readFileSync(at('noisy', 'b_0001.nii.gz'))).toEqual(readFileSync(at('alone', 'b_0001.nii.gz')))
  // One sample of each is called as its label map is: two folders whose files are pairs.
  await halfdiceJson(['sample', ...paths, '-o', at('once'), ...noise, '-n', '1'])
  expect(filesBelow(at('once'))).toEqual(['a.nii.gz', 'b.nii.gz'])
  expect(readFileSync(at('once', 'a.nii.gz'))).toEqual(readFileSync(at('noisy', 'a_0000.nii.gz')))
  expect((await halfdiceJson<Many>(['evaluate', at('once'), at('refs')])).cases).toHaveLength(2)
})

test('a bad label map costs no other', async () => {
  for (const [command, ...more] of [['optimum'], ['marginal', '-o', at('partly')]]) {
    const { code, stdout, stderr } = await halfdice([command, at('bad'), '--sigma', '1', ...more, '--json'])
    expect(code).toBe(1)
    const { cases, failed }: Many = JSON.parse(stdout)
    expect([cases.map((one) => one.case), failed?.map((one) => one.case)]).toEqual([['a'], ['b']])
    expect(stderr).toMatch(
      new RegExp(`b.nii.gz: .*\\nhalfdice: ${command}: 1 of 2 cases failed; the others are done\\n`),
    )
  }
  expect(filesBelow(at('partly'))).toEqual(['a.nii.gz'])
})

test('what does not fit several label maps is refused before anything is written', async () => {
  const noise = ['--sigma', '1']
  const refused = async (args: string[], says: string) => expectRefusal(await halfdice(args), says)
  await refused(['marginal', at('refs'), '-o', at('one.nii.gz'), ...noise], 'names one file for 3 label maps')
  await refused(['marginal', at('refs'), '-o', at('refs'), ...noise], 'would overwrite the input')
  await refused(['optimum', at('refs'), ...noise, '--plot', at('x.svg')], 'draws one label map, not 3')
  await refused(['sample', at('refs', 'x*.nii.gz'), '-o', at('never'), ...noise, '--length', '4'], 'matches no file')
  expect(existsSync(at('never'))).toBe(false)
})

test('--labels chooses the files of organs that have one each', async () => {
  for (const name of ['s1', 's2']) {
    mkdirSync(at('organs', name, 'segmentations'), { recursive: true })
    for (const organ of name === 's1' ? ['liver', 'left kidney', 'spleen'] : ['liver']) {
      const path = at('organs', name, 'segmentations', `${organ}.nii.gz`)
      writeFileSync(path, readFileSync(at('refs', 'a.nii.gz')))
    }
  }
  const named = async (...args: string[]) => (await halfdiceJson<Many>(args)).cases.map((one) => one.case)
  const noise = ['--sigma', '1', '--labels']
  expect(await named('optimum', at('organs'), ...noise, 'liver')).toEqual(['s1/liver', 's2/liver'])
  const some = await named('marginal', at('organs'), '-o', at('organ maps'), ...noise, 'spleen,liver', 'left kidney')
  expect(some).toEqual(['s1/left kidney', 's1/liver', 's1/spleen', 's2/liver'])
  const drawn = await named('sample', at('organs', 's1'), '-o', at('drawn'), '--length', '4', ...noise, 'spleen')
  expect(drawn).toEqual(['s1/spleen'])
  const none = await halfdice(['optimum', at('organs'), ...noise, 'heart'])
  expectRefusal(none, "--labels: no case has a mask of 'heart'; there are left kidney, liver, spleen")
})
