import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { createGrid, voxelCount } from '../src/volume/grid.ts'
import {
  expectRefusal,
  halfdice,
  halfdiceJson,
  hasSharedData,
  sharedData,
  temporaryFolder,
} from './support/halfdice.ts'
import { distanceMm, softBall, writeImage } from './support/images.ts'
import { attribute, elements, readPage, tableOf } from './support/page.ts'

interface Interval {
  value: number
  low: number
  high: number
}
type Method = 'half' | 'atCaseThreshold' | 'calibrated' | 'fixed'
interface Result {
  report?: string
  references?: {
    classes: {
      name: string
      cases: number
      meanDice: Record<Method, Interval>
      differenceToHalf: Record<Exclude<Method, 'half'>, Interval>
      fixedThreshold: Interval
    }[]
  }
  failed?: { input: string }[]
}

interface Flagged {
  cases: { input: string; flags: string[]; present: boolean; softDice: number; volumeMl: number }[]
  summary: { classes: { cases: number; present: number; softDice: number; volumeMl: number }[]; common: object[] }
}

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const grid = createGrid([30, 28, 12], [1, 1, 2])
const n = voxelCount(grid)

describe('a report with references', () => {
  mkdirSync(at('in'))
  mkdirSync(at('ref'))
  for (let i = 0; i < 12; i++) {
    const name = `case_${String(i).padStart(2, '0')}.nii.gz`
    const radius = 5 + (i % 4) * 0.7
    // Case 11 is four times as large as it should be; case 10 sees nothing but a haze.
    const map = i === 10 ? new Float32Array(n).fill(0.02) : softBall(grid, i === 11 ? 12 : radius, 9)
    writeImage(at('in', name), map, grid)
    // The reference reaches further than the ½ contour: a low threshold is right.
    writeImage(
      at('ref', name),
      Uint8Array.from(distanceMm(grid, [14.5, 13.5, 5.5]), (d) => Number(d < radius + 2)),
      grid,
    )
  }
  const args = ['threshold', at('in'), '-o', at('out'), '--references', at('ref'), '--report', at('r.html')]

  test('scores four thresholds against each other, and names what to look at', async () => {
    const { references, report } = await halfdiceJson<Result>(args)
    expect(report).toBe(at('r.html'))
    const [foreground] = references?.classes ?? []
    expect(foreground).toMatchObject({ name: 'foreground', cases: 12 })
    expect(foreground.meanDice.atCaseThreshold.value).toBeGreaterThan(foreground.meanDice.half.value)
    expect(foreground.fixedThreshold.value).toBeLessThan(0.4)
    expect(foreground.fixedThreshold.low).toBeLessThanOrEqual(foreground.fixedThreshold.value)
    expect(foreground.fixedThreshold.high).toBeGreaterThanOrEqual(foreground.fixedThreshold.value)
    const html = readFileSync(at('r.html'), 'utf8')
    const { page, faults } = readPage(html)
    expect(faults).toEqual([])
    expect(html).toMatch(/unusual size: \d+(\.\d)? times the median/)
    for (const title of ['Where to look first', 'Against the references', 'By class', 'All masks', 'Calibration']) {
      expect(html).toContain(title)
    }
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
    // What singles masks out is ranked: the haze and the mask of four times the size come first.
    expect(
      tableOf(page, 'look-first')
        .slice(1, 3)
        .map(([name]) => name),
    ).toEqual(['case_11', 'case_10'])
    // Nothing is fetched: an offline page.
    expect(html).not.toMatch(/(?:src|href)="https?:/)
    const csv = readFileSync(at('r.csv'), 'utf8').trimEnd().split('\r\n')
    expect(csv).toHaveLength(13)
    expect(csv.find((line) => line.startsWith('case_10,'))).toMatch(/,no,/)
    expect(readdirSync(at('out'))).toHaveLength(12)
  })

  test('the same input gives the same page', async () => {
    const before = readFileSync(at('r.html'))
    await halfdiceJson(args)
    expect(readFileSync(at('r.html')).equals(before)).toBe(true)
  })

  test('nothing depends on --threads: masks, page, CSV and JSON', async () => {
    const written = async (threads: number) => {
      const to = (name: string) => at(`threads-${threads}`, name)
      const own = [...args.slice(0, 3), to('masks'), '--references', at('ref'), '--report', to('r.html')]
      const { code, stdout, stderr } = await halfdice([...own, '--json', '--threads', String(threads)])
      expect(code, stderr).toBe(0)
      const masks = readdirSync(to('masks')).map((name) => readFileSync(to(join('masks', name)), 'base64'))
      return [masks, readFileSync(to('r.html'), 'utf8'), readFileSync(to('r.csv'), 'utf8'), stdout, stderr].map(
        (text) => JSON.stringify(text).replaceAll(`threads-${threads}`, 'threads'),
      )
    }
    expect(await written(3)).toEqual(await written(1))
  })

  test('--json has the flags of the page, and the means of the table', async () => {
    const { cases, summary } = await halfdiceJson<Flagged>([...args.slice(0, 3), at('json'), '--threads', '2'])
    const flags = (name: string) => cases.find(({ input }) => input.endsWith(`${name}.nii.gz`))?.flags
    expect(flags('case_11')).toEqual([expect.stringMatching(/^unusual size: /)])
    expect(flags('case_00')).toEqual([])
    expect(summary.classes).toHaveLength(1)
    const [{ cases: all, present, softDice, volumeMl }] = summary.classes
    expect([all, present]).toEqual([12, 11])
    const there = cases.filter((each) => each.present)
    expect(softDice).toBeCloseTo(there.reduce((sum, each) => sum + each.softDice, 0) / 11, 12)
    expect(volumeMl).toBeCloseTo(there.reduce((sum, each) => sum + each.volumeMl, 0) / 11, 12)
    const { stdout } = await halfdice([...args.slice(0, 3), at('json')])
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^mean of 11 of 12 .*${softDice.toFixed(4)}`))
  })

  test('cases without a reference are named and counted; their masks are written, and not scored', async () => {
    mkdirSync(at('few'))
    for (const name of readdirSync(at('ref')).slice(0, 2)) symlinkSync(at('ref', name), at('few', name))
    const { code, stdout, stderr } = await halfdice([
      ...args.slice(0, 5),
      at('few'),
      '--report',
      at('f.html'),
      '--json',
    ])
    expect(code).toBe(0)
    expect(stderr).toMatch(/10 cases have no reference: case_02, case_03, case_04 and 7 others; the masks are written/)
    const { cases, references, failed }: Result & { cases: object[] } = JSON.parse(stdout)
    expect([cases.length, references?.classes[0].cases, failed]).toEqual([12, 2, undefined])
    expect(readFileSync(at('f.html'), 'utf8')).toContain('Against the references')
    mkdirSync(at('others'))
    symlinkSync(at('ref', 'case_00.nii.gz'), at('others', 'another.nii.gz'))
    const others = await halfdice([...args.slice(0, 2), '-o', at('x'), '--references', at('others'), '--json'])
    expectRefusal(others, 'has no reference called as a case (case_00, case_01, case_02 and 9 others), only another')
    expect(existsSync(at('x'))).toBe(false)
  })

  test('what makes no sense is refused', async () => {
    expectRefusal(await halfdice(args.slice(0, 6)), '--report FILE.html')
    expectRefusal(await halfdice([...args.slice(0, 4), '--report', at('page.txt')]), 'end it in .html')
    expectRefusal(
      await halfdice([...args.slice(0, 4), '--report', at('r.html'), '--references', at('none')]),
      'no such file',
    )
  })
})

test('a report without references', async () => {
  const input = writeImage(at('one.nii.gz'), softBall(grid, 6, 9), grid)
  await halfdiceJson(['threshold', input, '-o', at('one_mask.nii.gz'), '--report', at('one.html')])
  const html = readFileSync(at('one.html'), 'utf8')
  expect(html).toContain('Where to look first')
  expect(html).not.toContain('Against the references')
  expect(html).not.toMatch(/NaN|undefined/)
  expect(existsSync(at('one.csv'))).toBe(true)
})

test.each([
  [['--at', '0.2'], 'cut at 0.2 as asked'],
  [['--metric', 'volume'], 'each cut where its mask has the expected volume'],
  [['--metric', 'accuracy'], 'each voxel as its probabilities make it likeliest'],
])('masks that are not cut at t* are not said to be: %s', async (options, how) => {
  const prob = writeImage(at('otherwise.nii.gz'), softBall(grid, 6, 9), grid)
  const page = at('otherwise.html')
  await halfdice(['threshold', prob, '-o', at('otherwise_mask.nii.gz'), ...options, '--report', page])
  const text = readFileSync(page, 'utf8').replaceAll(/<svg.*?<\/svg>|<script.*?<\/script>/gs, '')
  expect(text).toContain(`what was done here in place of a cut at ½ (${how}`)
  expect(text).toMatch(/(raises|lowers) the expected \(soft\) Dice by 0\.\d{4} on average/)
  expect(text).toContain(`How these masks were made: ${how}`)
  for (const wrong of ['cutting at t*', 'soft Dice at t*', 'mean t*', 'cut at t*', '>t*<', ', t* = ']) {
    expect(text).not.toContain(wrong)
  }
})

describe('a report over the images', () => {
  mkdirSync(at('maps'))
  mkdirSync(at('images'))
  /** The image counts voxels along x, so that a picture tells where it is. */
  const ramp = Int16Array.from({ length: n }, (_, i) => 10 * (i % 30))
  for (const name of ['a', 'b', 'c', 'd']) writeImage(at('maps', `${name}.nii.gz`), softBall(grid, 6, 9), grid)
  writeImage(at('images', 'a_0000.nii.gz'), ramp, grid)
  writeImage(at('images', 'b.nii'), ramp, grid)
  // Of the same place in other voxels, and of another place.
  const fine = createGrid([60, 28, 12], [0.5, 1, 2])
  writeImage(
    at('images', 'c.nii.gz'),
    Int16Array.from({ length: voxelCount(fine) }, (_, i) => 5 * (i % 60)),
    fine,
  )
  writeImage(at('images', 'd.nii.gz'), ramp, { ...grid, origin: [500, 0, 0] })
  const args = ['threshold', at('maps'), '-o', at('cut'), '--report', at('over.html'), '--images', at('images')]

  test('pictures show the image where it lies, found by name, and the probabilities where there is none', async () => {
    const { code, stderr } = await halfdice(args)
    expect(code).toBe(0)
    expect(stderr).toMatch(/warning: .*d\.nii\.gz: lies elsewhere than its mask \(0 % of a slice\); not drawn/)
    expect(stderr.match(/warning/g)).toHaveLength(1)
    const { page } = readPage(readFileSync(at('over.html'), 'utf8'))
    const pictures = elements(page, 'svg').flatMap((svg) => {
      const [, name] = /^(.), foreground: axial slice/.exec(attribute(svg, 'aria-label') ?? '') ?? []
      return name === undefined ? [] : [{ name, svg }]
    })
    expect(pictures.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'd'])
    for (const { name, svg } of pictures) {
      const [image] = elements(svg, 'image')
      const png = PNG.sync.read(Buffer.from((attribute(image, 'href') ?? '').replace(/^.*,/, ''), 'base64'))
      const row = Array.from({ length: png.width }, (_, x) => png.data[4 * x])
      // The patient's right lies on the left: x falls to the right, and the grey with it.
      if (name !== 'd') expect(row).toEqual(row.toSorted((p, q) => q - p))
      expect(row[0] - (row.at(-1) ?? 0) > 200).toBe(name !== 'd')
      expect(attribute(svg, 'aria-label')).toContain(name === 'd' ? 'over the probabilities' : 'over the image')
    }
  })

  test('cases without an image are named once; what is no folder, and images for no page, are refused', async () => {
    mkdirSync(at('none'))
    const { stderr } = await halfdice([...args.slice(0, 7), at('none')])
    expect(stderr).toMatch(/none: holds no image of . and 3 others \(CASE_0000\.nii\.gz or CASE\.nii\.gz\)/)
    expectRefusal(await halfdice([...args.slice(0, 7), at('nowhere')]), 'is no folder of images')
    expectRefusal(await halfdice([...args.slice(0, 4), '--images', at('images')]), '--report FILE.html')
  })
})

describe.skipIf(!hasSharedData)('hippocampi of two networks (skipped without ../shared/data)', () => {
  const link = (kind: string) => {
    mkdirSync(at(kind))
    for (const name of hasSharedData ? readdirSync(sharedData('hippocampus_probabilities')) : []) {
      const [, stem] = new RegExp(`^(.*)_${kind}\\.nii\\.gz$`).exec(name) ?? []
      if (stem) symlinkSync(sharedData(`hippocampus_probabilities/${name}`), at(kind, `${stem}.nii.gz`))
    }
    return at(kind)
  }

  test('mean Dice at ½ and at t* are those of NumPy, and the gain is real', async () => {
    const args = ['threshold', link('ce'), '-o', at('hippocampi'), '--references', link('noisy')]
    const { references } = await halfdiceJson<Result>([...args, '--classes', 'anterior=1,posterior=2,whole=1+2'])
    const whole = references?.classes.find(({ name }) => name === 'whole')
    // By numpy: sort, cumsum, argmax of 2c/(k + c_n) a case, cut at half of it, mean over the 39 cases. Thresholds here
    // lie on the grid of cuts, 0.004 apart.
    expect(whole?.meanDice.half.value).toBeCloseTo(0.5557083, 6)
    expect(whole?.meanDice.atCaseThreshold.value).toBeCloseTo(0.6020012, 3)
    expect(whole?.differenceToHalf.atCaseThreshold.low).toBeGreaterThan(0.02)
  })
})

test('the terminal ends with means, says where the page is and what was gained', async () => {
  const folder = temporaryFolder()
  const grid = createGrid([12, 12, 12])
  const distance = distanceMm(grid, [6, 6, 6])
  const inputs = [4, 5].map((radius) =>
    writeImage(
      join(folder, `r${radius}.nii`),
      Float32Array.from(distance, (d) => Math.min(1, Math.max(0, 1.1 - d / radius))),
      grid,
    ),
  )
  const args = ['threshold', ...inputs, '-o', join(folder, 'masks'), '--report', join(folder, 'page/r.html')]
  const { stdout } = await halfdice(args)
  const lines = stdout.trimEnd().split('\n')
  const numbers = (line: string) => line.trim().split(/ {2,}/).slice(1).map(Number)
  const [a, b, mean] = lines.slice(-5, -2).map(numbers)
  for (const [i, value] of mean.entries()) expect(value).toBeCloseTo((a[i] + b[i]) / 2, i < 4 ? 3 : 2)
  const page = readFileSync(join(folder, 'page/r.html'), 'utf8')
  expect(page).toMatch(/axial slice \d+ of 12, t\* = /)
  expect(page).toContain('2 mm</text>')
  expect(page).not.toMatch(/\\u[0-9a-f]{4}/)
  expect(lines.at(-3)).toMatch(/^mean of 2 of 2 /)
  const gain = (a[2] + b[2] - a[1] - b[1]) / 2
  const told = /r\.html: open it in a browser; mean gain over the cut at 1\/2: \+([\d.]+) expected/.exec(
    lines.at(-1) ?? '',
  )
  expect(Number(told?.[1])).toBeCloseTo(gain, 3)
})
