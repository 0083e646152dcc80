// The commands of docs/nnunet.md, run on small files of the form that nnU-Net v2 reads and leaves.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseCsv } from '../src/formats/csv.ts'
import { writeNpz } from '../src/formats/npz.ts'
import { encodePickle } from '../src/formats/testing/write-pickle.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { createGrid, gridDifference } from '../src/volume/grid.ts'
import { inProcess, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const page = readFileSync(fileURLToPath(new URL('../docs/nnunet.md', import.meta.url)), 'utf8')
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block)
const grid = createGrid([26, 24, 20])
const names = Array.from({ length: 10 }, (_, i) => `hippocampus_${String(i + 1).padStart(3, '0')}`)
const labels = { background: 0, anterior: 1, posterior: 2 }

/** Signed depth in each of two parts that touch, and differ from case to case. */
function depths(i: number): { anterior: Float32Array; posterior: Float32Array } {
  const [a, b] = [distanceMm(grid, [9, 12, 10]), distanceMm(grid, [16 + (i % 3) / 2, 12, 10])]
  const radius = 5 + (i % 4) / 2
  return { anterior: Float32Array.from(a, (d) => radius - d), posterior: Float32Array.from(b, (d) => radius - d) }
}

/** What nnU-Net writes of a case with probabilities: arrays with axes [class, z, y, x], properties, the argmax. */
async function predicted(place: string, name: string, i: number, sharpness: number): Promise<void> {
  const { anterior, posterior } = depths(i)
  const data = new Float32Array(3 * anterior.length)
  const mask = new Uint8Array(anterior.length)
  for (let v = 0; v < mask.length; v++) {
    const e = [1, Math.exp(sharpness * (anterior[v] - 0.8)), Math.exp(sharpness * (posterior[v] - 0.8))]
    const sum = e[0] + e[1] + e[2]
    for (const [c, x] of e.entries()) data[c * mask.length + v] = x / sum
    mask[v] = e[1] > Math.max(1, e[2]) ? 1 : e[2] > 1 ? 2 : 0
  }
  const [x, y, z] = grid.shape
  await writeNpz(at(place, `${name}.npz`), { probabilities: { shape: [3, z, y, x], data } })
  const box = [z, y, x].map((n) => [0, n])
  const itk = { spacing: [1, 1, 1], origin: [0, 0, 0], direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] }
  const properties = {
    sitk_stuff: itk,
    spacing: [1, 1, 1],
    shape_before_cropping: [z, y, x],
    bbox_used_for_cropping: box,
    shape_after_cropping_and_before_resampling: [z, y, x],
  }
  writeFileSync(at(place, `${name}.pkl`), encodePickle(properties))
  writeImage(at(place, `${name}.nii.gz`), mask, grid)
}

beforeAll(async () => {
  const raw = 'Dataset004_Hippocampus'
  for (const name of ['imagesTr', 'labelsTr']) mkdirSync(at(raw, name), { recursive: true })
  const index = { channel_names: { 0: 'MRI' }, labels, numTraining: names.length, file_ending: '.nii.gz' }
  writeFileSync(at(raw, 'dataset.json'), JSON.stringify(index))
  for (const [i, name] of names.entries()) {
    const { anterior, posterior } = depths(i)
    const label = Uint8Array.from(anterior, (d, v) => (d > Math.max(0, posterior[v]) ? 1 : posterior[v] > 0 ? 2 : 0))
    writeImage(at(raw, 'labelsTr', `${name}.nii.gz`), label, grid)
    writeImage(at(raw, 'imagesTr', `${name}_0000.nii.gz`), anterior, grid)
  }
  const results = 'nnUNet_results/Dataset104_HippocampusNoisy'
  for (const [trainer, sharpness] of [
    ['nnUNetTrainerCELoss', 0.7],
    ['nnUNetTrainerDiceLoss', 4],
  ] as const) {
    const model = join(results, `${trainer}__nnUNetPlans__3d_fullres`)
    for (let fold = 0; fold < 5; fold++) {
      const place = join(model, `fold_${fold}`, 'validation')
      mkdirSync(at(place), { recursive: true })
      for (const i of [fold, fold + 5]) await predicted(place, names[i], i, sharpness)
      writeFileSync(at(place, 'summary.json'), '{}')
      writeFileSync(at(model, `fold_${fold}`, 'checkpoint_final.pth'), '')
      writeFileSync(at(model, `fold_${fold}`, 'debug.json'), '{}')
    }
    for (const name of ['dataset.json', 'plans.json', 'dataset_fingerprint.json']) {
      writeFileSync(at(model, name), name === 'dataset.json' ? JSON.stringify(index) : '{}')
    }
  }
  mkdirSync(at('ce_test'))
  for (const name of ['dataset.json', 'plans.json', 'predict_from_raw_data_args.json']) {
    writeFileSync(at('ce_test', name), name === 'dataset.json' ? JSON.stringify(index) : '{}')
  }
  for (let i = 0; i < 3; i++) await predicted('ce_test', `hippocampus_90${i}`, i + 1, 0.7)
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  mkdirSync(at('bin'))
  writeFileSync(at('bin/halfdice'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 })
})

/** The block of the page that holds a command, as a shell runs it that stops at the first failure. */
function run(command: string): { stdout: string; stderr: string } {
  const index = blocks.findIndex((block) => block.includes(command))
  // Variables of earlier blocks are known.
  const known = blocks.slice(0, index).flatMap((block) => block.match(/^[A-Z]+=.*$/gm) ?? [])
  const script = ['set -e', ...known, blocks[index]].join('\n')
  const env = { ...process.env, PATH: `${at('bin')}:${process.env.PATH}`, HALFDICE_DEBUG: '' }
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: folder, env, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return { stdout, stderr }
}

describe.skipIf(inProcess || process.platform === 'win32')('what docs/nnunet.md says to type', () => {
  test('is all tried here, but for the commands of nnU-Net', () => {
    const own = blocks.filter((block) => !block.includes('nnUNetv2_'))
    const tried = ['optimum', 'sample', 'study', 'tune', '--summary']
    expect(own.map((block) => tried.filter((name) => block.includes(name)).length)).toEqual(tried.map(() => 1))
  })

  test('makes noisy data sets, and says how far they lie from the clean one', () => {
    expect(run('optimum').stdout).toMatch(/^mean of 10 +1 +anterior .*/m)
    expect(run('sample').stdout).toMatch(/^10 cases, each a patient of its own/m)
    const index = JSON.parse(readFileSync(at('Dataset104_HippocampusNoisy/dataset.json'), 'utf8'))
    expect(index).toMatchObject({ labels, numTraining: 10, noise: expect.anything() })
    expect(readdirSync(at('Dataset104_HippocampusNoisy/labelsTr'))).toEqual(names.map((name) => `${name}.nii.gz`))
    expect(readdirSync(at('Dataset104_HippocampusNoisy/imagesTr'))).toEqual(names.map((name) => `${name}_0000.nii.gz`))
  })

  test('cuts validation cases, tunes on them, and applies that to new cases', async () => {
    run('tune')
    expect(readdirSync(at('ce_case'))).toEqual(['dataset.json', ...names.map((name) => `${name}.nii.gz`)])
    const tuned = JSON.parse(readFileSync(at('ce.json'), 'utf8'))
    expect(tuned).toMatchObject({ kind: 'exclusive', background: true, cases: names })
    expect(tuned.classes.map(({ name }: { name: string }) => name)).toEqual(['anterior', 'posterior'])
    const masks = [0, 1, 2].map((i) => `hippocampus_90${i}.nii.gz`)
    expect(readdirSync(at('ce_test_masks'))).toEqual(['dataset.json', ...masks])
    const mask = await readVolume(at('ce_test_masks/hippocampus_900.nii.gz'))
    expect(gridDifference(mask.grid, grid)).toBeUndefined()
    expect(new Set(mask.data)).toEqual(new Set([0, 1, 2]))
  })

  test('makes tables', () => {
    const { stdout, stderr } = run('--summary')
    expect(stdout).toMatch(/^Against nnUNet_results\/.*DiceLoss.*, paired by case/m)
    expect(stderr).not.toMatch(/no (prediction|reference)/)
    expect(parseCsv(readFileSync(at('t.csv'), 'utf8'))).toHaveLength(20)
    expect(readFileSync(at('t.html'), 'utf8')).toContain('</html>')
    const summary = JSON.parse(readFileSync(at('ce_argmax.json'), 'utf8'))
    expect(Object.keys(summary.mean)).toEqual(['1', '2'])
    expect(summary.metric_per_case).toHaveLength(10)
  })

  test('makes a study of both losses', () => {
    writeFileSync(at('study.yaml'), /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? '')
    for (const sigma of [1, 2])
      symlinkSync(at('nnUNet_results/Dataset104_HippocampusNoisy'), at(`nnUNet_results/Noisy${sigma}`))
    run('study')
    expect(readFileSync(at('results/report.html'), 'utf8')).toContain('</html>')
    expect(readFileSync(at('results/results.csv'), 'utf8').split('\n').length).toBeGreaterThan(100)
  })
})
