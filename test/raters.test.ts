import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { consensus } from '../src/annotators/consensus.ts'
import { annotatorCeiling } from '../src/decision/annotator-ceiling.ts'
import { labelOptima } from '../src/decision/label-optima.ts'
import { encodeNifti } from '../src/formats/nifti.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { marginal } from '../src/noise/marginal.ts'
import type { NoiseModel } from '../src/noise/model.ts'
import { createSampler } from '../src/noise/sampler.ts'
import { createGrid } from '../src/volume/grid.ts'
import { labelMapOf } from '../src/volume/labels.ts'
import { streamSeed } from '../src/volume/random.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'

const folder = temporaryFolder()
const grid = createGrid([30, 28, 24])
const ball = Uint8Array.from({ length: 30 * 28 * 24 }, (_, i) =>
  Number(Math.hypot((i % 30) - 14.7, (Math.floor(i / 30) % 28) - 13.6, Math.floor(i / 840) - 11.8) < 8),
)
const sampler = createSampler(ball, grid, { sigmaMm: [0.8, 0.8, 0.8], lengthMm: 5 })
const write = async (path: string, data: Uint8Array) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, await encodeNifti({ grid, channels: 1, data }))
}
for (const [r, name] of ['anna', 'bert', 'carla'].entries()) {
  for (const c of [1, 2, 3]) {
    await write(join(folder, name, `case_${c}.nii`), sampler.sample(c, r))
    await write(join(folder, 'cases', `case_${c}`, `${name}.nii`), sampler.sample(c, r))
  }
}
const people = ['anna', 'bert', 'carla'].map((name) => join(folder, name))

interface Fit {
  readonly annotators: readonly string[]
  readonly sigmaMm: { readonly estimate: number }
  readonly pairs: readonly { readonly meanDice: number }[]
}

describe('raters', () => {
  test('fits folders by case name and cases with a file for each annotator alike', async () => {
    const fit = join(folder, 'fit.json')
    const result = await halfdiceJson<Fit>(['raters', ...people, '--draws', '0', '-o', fit])
    expect(result.annotators).toEqual(['anna', 'bert', 'carla'])
    expect(result.sigmaMm.estimate).toBeGreaterThan(0.4)
    expect(result.sigmaMm.estimate).toBeLessThan(1.4)
    expect(result.pairs).toHaveLength(3)
    expect(JSON.parse(readFileSync(fit, 'utf8')).sigmaMm).toEqual(result.sigmaMm)
    const same = await halfdiceJson<Fit>(['raters', join(folder, 'cases'), '--draws', '0'])
    expect(same.sigmaMm).toEqual(result.sigmaMm)
  }, 180_000)

  test('a label that cannot be fitted is named, with the reason, and the exit code says so', async () => {
    const cube = (from: number) => ball.map((_, i) => Number(i % 30 >= from && i % 30 < from + 4 && i < 8400))
    await write(join(folder, 'apart', 'one', 'a.nii'), cube(2))
    await write(join(folder, 'apart', 'one', 'b.nii'), cube(20))
    const { code, stdout, stderr } = await halfdice(['raters', join(folder, 'apart'), '--json', '--draws', '0'])
    expect(code).toBe(1)
    const { reason } = JSON.parse(stdout)
    expect(reason).toMatch(/./)
    expect(stderr).toContain(`halfdice: label 1: no fit: ${reason}`)
  })

  test('a length scale that the cases do not tell is called so', async () => {
    const small = ball.map((_, i) =>
      Number(Math.hypot((i % 30) - 14.7, (Math.floor(i / 30) % 28) - 13.6, Math.floor(i / 840) - 11.8) < 3),
    )
    const shifting = createSampler(small, grid, { sigmaMm: [0.6, 0.6, 0.6], lengthMm: 20 })
    for (const c of [0, 1, 2]) {
      for (const r of [0, 1, 2]) await write(join(folder, 'small', `case_${c}`, `${r}.nii`), shifting.sample(c, r))
    }
    const { code, stdout } = await halfdice(['raters', join(folder, 'small'), '--anonymous', '--draws', '100'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^These cases do not tell ℓ: its interval spans a factor of \d+\.$/m)
    expect((await halfdice(['raters', join(folder, 'cases'), '--draws', '100'])).stdout).not.toContain('do not tell')
  }, 180_000)

  test('--report draws the fit, its check, and the cases that agree least over their images', async () => {
    const page = join(folder, 'noise.html')
    for (const c of [1, 2, 3]) await write(join(folder, 'images', `case_${c}.nii`), ball)
    const args = [join(folder, 'cases'), '--anonymous', '--draws', '0', '--report', page]
    const result = await halfdiceJson<Fit & { report: string }>(['raters', ...args, '--images', join(folder, 'images')])
    expect(result.report).toBe(page)
    const html = readFileSync(page, 'utf8')
    expect(html).toContain('<td>σ (mm)</td>')
    expect(html).toContain(`>${result.sigmaMm.estimate.toFixed(3)}<`)
    for (const shown of ['alike', 'ρ of the fit', 'τ of biases (mm)', 'D*', 'case_1', 'case_2', 'case_3', 'carla']) {
      expect(html, shown).toContain(shown)
    }
    // Three figures of the fit, a legend and three cases.
    expect(html.match(/<svg xmlns/g)).toHaveLength(7)
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
    // The worst first.
    const rows = [...html.matchAll(/<td>(case_\d)<\/td>.*?<td[^>]*>\d<\/td><td[^>]*>(0\.\d+)/gs)].map(
      ([, , dice]) => dice,
    )
    expect(rows).toHaveLength(3)
    expect(rows).toEqual(rows.toSorted())
    expectRefusal(
      await halfdice(['raters', ...people, '--images', folder]),
      '--images: is for the pictures of a report',
    )
    expectRefusal(await halfdice(['raters', ...people, '--report', 'a.txt']), 'is no name for a page; end it in .html')
    const both = await halfdice(['raters', ...people, '--consensus', 'dice', '-o', folder, '--report', page])
    expectRefusal(both, '--report: is of the fit')
  }, 180_000)

  test('writes the library’s consensus of each case', async () => {
    const out = join(folder, 'best')
    const { code } = await halfdice(['raters', ...people, '--consensus', 'dice', '-o', out])
    expect(code).toBe(0)
    expect(filesBelow(out)).toEqual(['case_1.nii.gz', 'case_2.nii.gz', 'case_3.nii.gz'])
    const written = labelMapOf(await readVolume(join(out, 'case_2.nii.gz')), 'case_2').values
    const maps = [0, 1, 2].map((r) => sampler.sample(2, r))
    expect([...written]).toEqual([...consensus(maps, 'dice').values])
  }, 60_000)

  test('its fit is what sample, marginal and optimum take as noise', async () => {
    const file = join(folder, 'noise.json')
    const noise = { sigmaMm: [0.8, 0.8, 1.2], lengthMm: 5, presence: 0.75, biasMm: 0, biasSdMm: 0.4 }
    writeFileSync(file, JSON.stringify({ labels: { 1: { noise } } }))
    const map = join(people[0], 'case_1.nii')
    const { values } = labelMapOf(await readVolume(map), map)
    const { biasMm: _, ...model } = noise

    const out = join(folder, 'drawn')
    const sampled = await halfdiceJson<object>(['sample', map, '-o', out, '--noise', file, '-n', '9'])
    expect(sampled).toMatchObject(model)
    const own = createSampler(values, grid, noise as unknown as NoiseModel)
    const drawn = await Promise.all(
      filesBelow(out).map(async (name) => labelMapOf(await readVolume(join(out, name)), name).values),
    )
    drawn.forEach((sample, i) => {
      expect([...sample]).toEqual([...own.sample(streamSeed(0, 'case_1'), i)])
    })
    // A quarter of nine annotators draws nothing.
    expect(drawn.some((sample) => !sample.includes(1))).toBe(true)

    const maps = join(folder, 'prob.nii.gz')
    expect(await halfdiceJson<object>(['marginal', map, '-o', maps, '--noise', file])).toMatchObject(model)
    expect([...(await readVolume(maps)).data]).toEqual([...marginal(values, grid, 1, noise as unknown as NoiseModel)])

    const { rows } = await halfdiceJson<{ rows: object[] }>(['optimum', map, '--noise', file, '--samples', '4'])
    const [best] = labelOptima(values, grid, { labels: [1], sigmasMm: [[0.8, 0.8, 1.2]], annotators: noise })
    expect(rows[0]).toMatchObject({ supDice: best.supDice, threshold: best.threshold, emptyDice: 0.25 })
    expect((await halfdice(['optimum', map, '--noise', file])).stdout).toMatch(/empty mask[\s\S]* 0\.2500/)

    // The same by hand.
    const byHand = ['--sigma', '0.8,0.8,1.2', '--presence', '0.75', '--tau', '0.4']
    const hand = await halfdiceJson<{ rows: object[] }>(['optimum', map, ...byHand])
    expect(hand.rows[0]).toMatchObject({ supDice: best.supDice, emptyDice: 0.25 })
    const conflict = await halfdice(['sample', map, '-o', out, '--noise', file, '--sigma', '1'])
    expectRefusal(conflict, '--noise: gives all of the noise; leave out --sigma')
    expectRefusal(await halfdice(['marginal', map, '-o', maps]), '--sigma: is missing')
    expectRefusal(await halfdice(['optimum', map, '--noise', map]), 'is not JSON')
    const twice = await halfdice(['marginal', map, '-o', file, '--noise', file])
    expectRefusal(twice, /noise\.json/)
  }, 60_000)

  test('evaluate --noise tells beside each score what annotators leave to reach', async () => {
    const file = join(folder, 'ceiling.json')
    const noise: NoiseModel = { sigmaMm: [0.8, 0.8, 0.8], lengthMm: 5 }
    writeFileSync(file, JSON.stringify({ labels: { 1: { noise } } }))
    const args = ['evaluate', people[0], people[1], '--noise', file]
    interface Scored {
      readonly cases: readonly { readonly labels: Record<string, { readonly ceiling: object }> }[]
      readonly mean: Record<string, { readonly ceiling: Record<string, number> }>
    }
    const { cases, mean } = await halfdiceJson<Scored>([...args, '--threads', '2'])
    const [pred, ref] = [0, 1].map((r) => sampler.sample(1, r))
    expect(cases[0].labels[1].ceiling).toEqual(annotatorCeiling(pred, ref, grid, 1, noise))
    expect(Object.keys(mean[1].ceiling)).toEqual(['annotators', 'best', 'expected', 'reached'])
    const { stdout } = await halfdice(args)
    expect(stdout).toMatch(/two annotators +best mask +expected +reached/)
    expect(stdout).toMatch(/label 1: Dice 0\.\d+ is .*; two annotators of this noise have 0\.\d+, the best mask 0\.\d+/)

    // Labels that the file does not know are scored without.
    writeFileSync(file, JSON.stringify({ labels: { 2: { noise }, 3: { noise } } }))
    const { code, stderr, stdout: plain } = await halfdice(args)
    expect(code).toBe(0)
    expect(stderr).toMatch('has no noise of label 1, only of 2, 3')
    expect(plain).not.toMatch('best mask')
  }, 60_000)

  test('a data set drawn by a fit says so', async () => {
    const file = join(folder, 'set-noise.json')
    writeFileSync(file, JSON.stringify({ noise: { sigmaMm: 0.5, lengthMm: 4, biasSdMm: 0.3 } }))
    const set = join(folder, 'set')
    for (const c of [1, 2]) {
      await write(join(set, 'images', `case_${c}.nii`), ball)
      await write(join(set, 'labels', `case_${c}.nii`), ball)
    }
    const out = join(folder, 'noisy set')
    await halfdiceJson(['sample', set, '-o', out, '--noise', file])
    const { noise } = JSON.parse(readFileSync(join(out, 'noise.json'), 'utf8'))
    expect(noise).toMatchObject({ sigmaMm: 0.5, lengthMm: 4, biasSdMm: 0.3 })
    expectRefusal(await halfdice(['sample', set, '-o', out, '--sigma', '0.5', '--length', '4']), 'no data set of this')
  }, 60_000)

  test('refuses one annotator, and a consensus without a folder', async () => {
    expectRefusal(await halfdice(['raters', join(people[0], 'case_1.nii')]), 'is one annotator; give 2 to 20')
    expectRefusal(await halfdice(['raters', ...people, '--consensus', 'dice']), 'needs a folder for its masks')
  }, 60_000)
})
