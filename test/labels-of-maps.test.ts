import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { encodeNpy } from '../src/formats/npy.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { expectRefusal, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, obliqueGrid as grid, softBall, writeImage } from './support/images.ts'

interface Masks {
  cases: { threshold?: number; supDice?: number; maps?: { name: string; threshold: number; supDice: number }[] }[]
}

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const voxels = grid.shape[0] * grid.shape[1] * grid.shape[2]
// A softmax of background, liver and tumour: they contest voxels between them.
const liver = softBall(grid, 6, 8, [9, 10, 8]).map((p) => 0.8 * p)
const tumour = softBall(grid, 4, 8, [13, 10, 8]).map((p, i) => Math.min(0.9 * p, 1 - liver[i]))
const background = liver.map((p, i) => Math.max(0, 1 - p - tumour[i]))
const all = Float32Array.from([...background, ...liver, ...tumour])
const names = ['--classes', 'background,liver,tumour']
const soft = at('soft.nii.gz')
const whole = at('whole.nii.gz')

/** The mask with the best soft Dice, by trying every value of the map. */
function bestMask(map: Float32Array): { mask: number[]; threshold: number } {
  const total = map.reduce((a, b) => a + b, 0)
  let best = { dice: -1, least: 0 }
  let [sum, count] = [0, 0]
  for (const p of [...map].sort((a, b) => b - a)) {
    sum += p
    count++
    const dice = (2 * sum) / (count + total)
    if (dice > best.dice) best = { dice, least: p }
  }
  return { mask: Array.from(map, (p) => Number(p >= best.least)), threshold: best.dice / 2 }
}

async function cut(args: readonly string[], output: string): Promise<Masks['cases'][number]> {
  return (await halfdiceJson<Masks>(['threshold', ...args, '-o', output])).cases[0]
}

beforeAll(() => {
  writeImage(soft, all, grid, { channels: 3 })
})

test('a class on its own gets its best mask under its own label, whatever other classes claim', async () => {
  await cut([soft, ...names], whole)
  const together = [...(await readVolume(whole)).data]
  for (const [i, map] of [liver, tumour].entries()) {
    const out = at('own.nii.gz')
    const { threshold } = await cut([soft, ...names, '--labels', i === 0 ? 'liver' : '2'], out)
    const best = bestMask(map)
    expect(threshold).toBeCloseTo(best.threshold, 5)
    const { data, channels, labelNames } = await readVolume(out)
    expect(channels).toBe(1)
    expect([...data]).toEqual(best.mask.map((inside) => inside * (i + 1)))
    expect(labelNames?.get(i + 1)).toBe(['liver', 'tumour'][i])
  }
  // In the whole label map each lost voxels to the other.
  expect(together.filter((label) => label === 1).length).toBeLessThan(bestMask(liver).mask.filter(Boolean).length)
})

test('all classes by name are the label map itself; separate masks keep the order of the maps', async () => {
  const out = at('named.nii.gz')
  await cut([soft, ...names, '--labels', 'tumour,liver'], out)
  expect(readFileSync(out)).toEqual(readFileSync(whole))
  const { maps } = await cut([soft, ...names, '--decode', 'separate', '--labels', 'tumour', 'background'], out)
  expect(maps?.map(({ name }) => name)).toEqual(['background', 'tumour'])
  const { data, channels } = await readVolume(out)
  expect(channels).toBe(2)
  expect([...data]).toEqual([...bestMask(background).mask, ...bestMask(tumour).mask])
})

test('accuracy takes the other classes for background', async () => {
  await cut([soft, ...names, '--labels', 'liver', '--metric', 'accuracy'], at('likely.nii.gz'))
  const { data } = await readVolume(at('likely.nii.gz'))
  expect([...data]).toEqual(Array.from(liver, (p) => Number(p >= 0.5)))
})

test('the softmax of logits is that of all maps', async () => {
  const logits = Float32Array.from(all, (p) => Math.log(Math.max(p, 1e-6)))
  writeImage(at('logits.nii.gz'), logits, grid, { channels: 3 })
  for (const labels of [['1'], ['2']]) {
    const own = await cut([soft, ...names, '--labels', ...labels], at('a.nii.gz'))
    const same = await cut(
      [at('logits.nii.gz'), '--logits', 'softmax', ...names, '--labels', ...labels],
      at('b.nii.gz'),
    )
    expect(same.threshold).toBeCloseTo(own.threshold ?? 0, 5)
    expect((await readVolume(at('b.nii.gz'))).data).toEqual((await readVolume(at('a.nii.gz'))).data)
  }
})

test('of regions, the label that each paints stays', async () => {
  // Whole and core, nested; the core alone paints its own label.
  const core = softBall(grid, 3, 4, [9, 10, 8])
  writeImage(at('regions.nii.gz'), Float32Array.from([...softBall(grid, 6, 4, [9, 10, 8]), ...core]), grid, {
    channels: 2,
  })
  const json = { labels: { background: 0, whole: [1, 2], core: [2] }, regions_class_order: [1, 2] }
  writeFileSync(at('dataset.json'), JSON.stringify(json))
  const args = [at('regions.nii.gz'), '--dataset-json', at('dataset.json'), '--decode', 'regions']
  await cut([...args, '--labels', 'core'], at('core.nii.gz'))
  expect([...(await readVolume(at('core.nii.gz'))).data]).toEqual(bestMask(core).mask.map((inside) => 2 * inside))
  await cut([...args, '--labels', '1+2'], at('painted.nii.gz'))
  expect(new Set((await readVolume(at('painted.nii.gz'))).data)).toEqual(new Set([0, 1]))
})

test('of a file for each class, the files of other classes are not read', async () => {
  mkdirSync(at('organs', 'case'), { recursive: true })
  writeImage(at('organs', 'case', 'liver.nii.gz'), liver)
  writeImage(
    at('organs', 'case', 'tumour.nii.gz'),
    tumour.map(() => Number.NaN),
  )
  const { code, stderr } = await halfdice([
    'threshold',
    at('organs', 'case'),
    '-o',
    at('organ.nii.gz'),
    '--labels',
    'liver',
    '--decode',
    'separate',
  ])
  expect(stderr).toContain('its 2 images are taken as the classes of one case')
  expect(code).toBe(0)
  expect([...(await readVolume(at('organ.nii.gz'))).data]).toEqual(bestMask(liver).mask)
})

test('an array on standard output holds the one class', async () => {
  const shape = [3, grid.shape[2], grid.shape[1], grid.shape[0]]
  writeFileSync(at('maps.npy'), encodeNpy({ shape, data: all }))
  await cut([at('maps.npy'), ...names, '--labels', 'liver'], at('mask.npy'))
  expect(readFileSync(at('mask.npy')).length).toBeLessThan(2 * voxels)
})

test('what is no class is refused before any mask is written', async () => {
  const never = at('never')
  const run = (...labels: string[]) =>
    halfdice(['threshold', soft, whole, '-o', never, ...names, '--labels', ...labels])
  expectRefusal(await run('spleen'), "--labels: 'spleen' is neither a label nor a name (names are background, liver")
  expectRefusal(
    await run('3'),
    /--labels: '3' is no class of .*soft.nii.gz; its classes are background \(0\), liver \(1\)/,
  )
  expectRefusal(await run('0'), /--labels: names the background of .*soft.nii.gz/)
  expect(() => readFileSync(never)).toThrow()
})

test('tuned classes are those that were asked for', async () => {
  for (const name of ['maps', 'refs']) mkdirSync(at(name))
  const distance = distanceMm(grid, [12, 10, 8])
  for (let i = 0; i < 8; i++) {
    const p = Float32Array.from(distance, (d) => 0.4 / (1 + Math.exp(d - 5 - i / 4)))
    const rest = p.map((x) => 0.3 * (0.4 - x))
    const data = Float32Array.from([...p.map((x, v) => 1 - x - rest[v]), ...p, ...rest])
    writeImage(at('maps', `c${i}.nii.gz`), data, grid, { channels: 3 })
    writeImage(
      at('refs', `c${i}.nii.gz`),
      Uint8Array.from(distance, (d) => (d < 5 + i / 4 ? 1 : d < 9 ? 2 : 0)),
    )
  }
  const t = at('tuned.json')
  const options = [...names, '--labels', 'liver']
  await halfdiceJson(['tune', at('maps'), at('refs'), '-o', t, ...options])
  const tuned = JSON.parse(readFileSync(t, 'utf8'))
  expect(tuned.classes.map(({ name }: { name: string }) => name)).toEqual(['liver'])
  const { cases } = await halfdiceJson<Masks>(['threshold', at('maps'), '-o', at('cut'), '--tuned', t, ...options])
  expect(cases).toHaveLength(8)
  expect(cases[0].threshold).toBeLessThan(0.4)
  expectRefusal(
    await halfdice(['threshold', at('maps'), '-o', at('others'), '--tuned', t, ...names]),
    /tuned were exclusive maps of liver .1.; name the tuned classes: --labels 1\n/,
  )
  // Of a file for all classes, one may be asked for.
  const both = at('both.json')
  await halfdiceJson(['tune', at('maps'), at('refs'), '-o', both, ...names])
  const some = await halfdiceJson<Masks>(['threshold', at('maps'), '-o', at('some'), '--tuned', both, ...options])
  expect(some.cases.map(({ threshold }) => threshold)).toEqual(cases.map(({ threshold }) => threshold))
  expectRefusal(
    await halfdice(['threshold', at('maps'), '-o', at('other'), '--tuned', t, ...names, '--labels', 'tumour']),
    /holds exclusive maps of tumour \(2\); tuned were/,
  )
})
