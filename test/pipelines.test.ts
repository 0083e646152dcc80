import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { decodeNpy, encodeNpy } from '../src/formats/npy.ts'
import { readNpy, writeNpy, writeNpz } from '../src/formats/npz.ts'
import { nibabelPython } from '../src/formats/testing/peers.ts'
import { golden } from '../src/formats/testing/pickle-golden.ts'
import { encodePickle, type Picklable } from '../src/formats/testing/write-pickle.ts'
import { readVolume, writeVolume } from '../src/formats/volume-file.ts'
import { createGrid, type Grid, type Vec3, worldPosition } from '../src/volume/grid.ts'
import { expectRefusal, halfdice, halfdiceJson, inProcess, temporaryFolder } from './support/halfdice.ts'

interface Map {
  name: string
  labels: number[]
  threshold: number
  supDice: number
  softDice: number
  present: boolean
}
interface VolumeResult {
  cases: { maps: { volumeMl: number; probabilityVolumeMl: number }[] }[]
}
interface Result {
  cases: { input: string; output: string; sharingLoss: number; maps: Map[] }[]
  failed?: { input: string; error: string }[]
}

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)

/** Runs the command with bytes on standard input; returns its standard output as bytes. */
function pipe(
  args: readonly string[],
  input: Uint8Array,
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args])
    const out: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (data: Buffer) => out.push(data))
    child.stderr.on('data', (data: Buffer) => (stderr += data))
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr }))
    child.stdin.end(input)
  })
}

describe('without Python: arrays by our own writer, properties as Python pickled them', () => {
  // z 4, y 5, x 6, as in the pickles; the class is where x > 2.
  const shape = [2, 4, 5, 6]
  const inside = Float32Array.from({ length: 120 }, (_, i) => (i % 6 > 2 ? 0.9 : 0.1))
  const data = Float32Array.from([...inside.map((p) => 1 - p), ...inside])
  mkdirSync(at('own'))

  test.each([
    ['v2Protocol4', [40, -12.5, 130], [39.4, -12.95, 130]],
    ['v2Protocol2', [40, -12.5, 130], [39.4, -12.95, 130]],
    ['nibabelProtocol5', [40, -12.5, 130], [39.2, -11.9, 130]],
  ] as const)('%s: world positions are RAS', async (key, origin, next) => {
    await writeNpz(at('own', 'case.npz'), { probabilities: { shape, data } })
    writeFileSync(at('own', 'case.pkl'), Buffer.from(golden[key], 'base64'))
    const output = at(`${key}.nii.gz`)
    const { cases } = await halfdiceJson<Result>(['threshold', at('own', 'case.npz'), '-o', output])
    expect(cases[0].maps).toHaveLength(1)
    const { grid, data: labels } = await readVolume(output)
    expect(grid.shape).toEqual([6, 5, 4])
    ;[origin, next].forEach((expected, i) => {
      worldPosition(grid, [i, 0, 0]).forEach((value, axis) => {
        expect(value).toBeCloseTo(expected[axis], 4)
      })
    })
    expect([...labels.subarray(0, 6)]).toEqual([0, 0, 0, 1, 1, 1])
  })

  test('nnU-Net v1: the crop lands where it came from', async () => {
    const cropped = { shape: [2, 4, 4, 6], data: Float32Array.from({ length: 192 }, (_, i) => (i < 96 ? 0.1 : 0.9)) }
    mkdirSync(at('v1'))
    await writeNpz(at('v1', 'case.npz'), { softmax: cropped })
    writeFileSync(at('v1', 'case.pkl'), Buffer.from(golden.v1Protocol4, 'base64'))
    await halfdiceJson(['threshold', at('v1', 'case.npz'), '-o', at('v1.nii')])
    const { grid, data: labels } = await readVolume(at('v1.nii'))
    expect(grid.shape).toEqual([6, 5, 4])
    // crop_bbox [[0, 4], [1, 5], [0, 6]]: the first row (y = 0) lies outside.
    expect([...labels]).toEqual(Array.from({ length: 120 }, (_, i) => (Math.floor(i / 6) % 5 === 0 ? 0 : 1)))
  })

  test.skipIf(inProcess)('an array through standard input and out again', async () => {
    const { code, stdout, stderr } = await pipe(['threshold', '--stdin-npy', '-o', '-'], encodeNpy({ shape, data }))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const mask = decodeNpy(new Uint8Array(stdout), 'stdout')
    expect(mask.shape).toEqual([4, 5, 6])
    expect([...mask.data]).toEqual([...inside].map((p) => (p > 0.5 ? 1 : 0)))
  })

  test.skipIf(inProcess)(
    'an array without geometry: volumes in voxels, and a line where an image needs one',
    async () => {
      const bytes = encodeNpy({ shape, data })
      const image = await pipe(['threshold', '-', '-o', at('piped.nii.gz'), '--json'], bytes)
      expect(image.stderr).toMatch(/^halfdice: warning: standard input: has no geometry: .*--like\n$/)
      expect(JSON.parse(image.stdout.toString()).cases[0].maps[0]).toMatchObject({
        volumeVoxels: 60,
        volumeHalfVoxels: 60,
      })
      const array = await pipe(['threshold', '--stdin-npy', '-o', at('piped.npy')], bytes)
      expect(array.stderr).toBe('')
      expect(array.stdout.toString()).toMatch(/volumes in voxels[\s\S]*voxels here[\s\S]* 60 /)
      expect((await readNpy(at('piped.npy'))).shape).toEqual([4, 5, 6])
      await writeNpy(at('alone.npy'), { shape, data })
      const { stdout, stderr } = await halfdice(['threshold', at('alone.npy'), '-o', at('mask.npy')])
      expect(stderr).toBe('')
      expect(stdout).toContain('volumes in voxels')
      expect([...(await readNpy(at('mask.npy'))).data]).toEqual([...inside].map((p) => (p > 0.5 ? 1 : 0)))
      expectRefusal(await halfdice(['threshold', at('alone.npy'), '-o', at('mask.nii.gz')]), 'its geometry is missing')
      expectRefusal(await halfdice(['threshold', at('alone.npy'), '-o', at('alone.npy')]), 'would overwrite the input')
      await halfdice(['threshold', at('own', 'case.npz'), '-o', at('image.nii.gz')])
      expectRefusal(await halfdice(['threshold', at('image.nii.gz'), '-o', at('mask.npy')]), 'would lose the geometry')
    },
  )

  test.skipIf(inProcess)('maps that no threshold can change are told of', async () => {
    const none = await pipe(
      ['threshold', '-', '-o', at('none.npy')],
      encodeNpy({ shape: [4, 5, 6], data: new Uint8Array(120) }),
    )
    expect(none.stderr).toMatch(
      /warning: standard input: its probabilities are 0 everywhere, so that the mask is empty/,
    )
    const mask = encodeNpy({ shape: [4, 5, 6], data: Uint8Array.from(inside, (p) => (p > 0.5 ? 1 : 0)) })
    expect((await pipe(['threshold', '-', '-o', at('none.npy')], mask)).stderr).toMatch(/holds only 0 and 1/)
  })

  test('where every case fails, their faults are all that is said', async () => {
    mkdirSync(at('broken_links'))
    for (const name of ['a.npz', 'b.npz']) symlinkSync('nowhere', at('broken_links', name))
    const { code, stdout, stderr } = await halfdice(['threshold', at('broken_links'), '-o', at('never')])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/a\.npz: no such file[\s\S]*b\.npz: no such file[\s\S]*all 2 cases failed/)
  })

  test.skipIf(inProcess)('bytes are scaled to probabilities', async () => {
    const bytes = Uint8Array.from(data, (p) => Math.round(255 * p))
    const run = (...more: string[]) =>
      pipe(['threshold', '--stdin-npy', '-o', '-', ...more], encodeNpy({ shape, data: bytes }))
    expect((await run()).stderr).toMatch(/--scale 255\n/)
    const { code, stdout } = await run('--scale', '255')
    expect(code).toBe(0)
    expect([...decodeNpy(new Uint8Array(stdout), 'stdout').data]).toEqual([...inside].map((p) => (p > 0.5 ? 1 : 0)))
  })

  test.skipIf(inProcess)('a truncated array on standard input is refused', async () => {
    const { code, stdout, stderr } = await pipe(
      ['threshold', '--stdin-npy', '-o', '-'],
      encodeNpy({ shape, data }).slice(0, 500),
    )
    expect({ code, length: stdout.length }).toEqual({ code: 2, length: 0 })
    expect(stderr).toMatch(/^halfdice: standard input: is truncated/)
  })

  test("a folder's own segmentations are not overwritten", async () => {
    await halfdice(['threshold', at('own', 'case.npz'), '-o', at('own', 'case.nii.gz')])
    expectRefusal(await halfdice(['threshold', at('own'), '-o', at('own')]), 'would overwrite the input')
  })
})

describe('what lies beside an array, and what --like says against it', () => {
  // z 2, y 3, x 4; the class is where x > 1.
  const inside = Float32Array.from({ length: 24 }, (_, i) => (i % 4 > 1 ? 0.9 : 0.1))
  const probabilities = { shape: [2, 2, 3, 4], data: Float32Array.from([...inside.map((p) => 1 - p), ...inside]) }
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
  const sitk = { sitk_stuff: { spacing: [0.5, 0.6, 3], origin: [1, 2, 3], direction: identity } }
  const image = (name: string, origin: Vec3, shape: Vec3 = [4, 3, 2]) => {
    const grid: Grid = {
      shape,
      spacing: [0.5, 0.6, 3],
      origin,
      direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
    }
    return writeVolume(at(name), { grid, channels: 1, data: new Uint8Array(shape[0] * shape[1] * shape[2]) })
  }
  const write = async (name: string, properties?: Picklable) => {
    mkdirSync(at(name), { recursive: true })
    await writeNpz(at(name, 'c.npz'), { probabilities })
    if (properties !== undefined) writeFileSync(at(name, 'c.pkl'), encodePickle(properties))
  }
  const run = async (name: string, ...more: string[]) => {
    const { code, stderr } = await halfdice(['threshold', at(name, 'c.npz'), '-o', at(`${name}.nii.gz`), ...more])
    expect(code, stderr).toBe(0)
    return { stderr, ...(await readVolume(at(`${name}.nii.gz`))) }
  }

  test('a pickle without geometry gives way to the image beside it', async () => {
    await write('ensemble', [[[0.5, 0.25]]])
    await image('ensemble/c.nii.gz', [-7, -8, 9])
    const { stderr, grid } = await run('ensemble')
    expect(stderr).toBe('')
    expect(worldPosition(grid, [0, 0, 0])).toEqual([-7, -8, 9])
  })

  test('the bare voxel size is the last resort, with a warning', async () => {
    await write('tiff', { spacing: [3, 0.75, 0.5] })
    const { stderr, grid } = await run('tiff')
    expect(stderr).toMatch(/^halfdice: warning: .*c\.npz: .*c\.pkl holds only the voxel size .*--like\n$/)
    expect(grid.spacing).toEqual([0.5, 0.75, 3])
  })

  test('an impossible geometry is refused, and --like is the remedy', async () => {
    await write('broken', { sitk_stuff: { ...sitk.sitk_stuff, spacing: [0.5, Number.POSITIVE_INFINITY, 3] } })
    const refused = await halfdice(['threshold', at('broken', 'c.npz'), '-o', at('never.nii.gz')])
    expectRefusal(refused, /c\.pkl: has spacing 0\.5, Infinity, 3 mm; .*--like/)
    await image('like.nii.gz', [-1, -2, 3])
    const { stderr, grid } = await run('broken', '--like', at('like.nii.gz'))
    expect(stderr).toBe('')
    expect(worldPosition(grid, [0, 0, 0])).toEqual([-1, -2, 3])
  })

  test('--like that lies elsewhere: a warning that names both files and how far apart', async () => {
    await write('moved', sitk)
    await image('there.nii.gz', [-1, -2, 3])
    expect((await run('moved', '--like', at('there.nii.gz'))).stderr).toBe('')
    await image('elsewhere.nii.gz', [-1, -2, 43])
    const { stderr, grid } = await run('moved', '--like', at('elsewhere.nii.gz'))
    expect(stderr).toMatch(
      /warning: .*c\.npz: .*elsewhere\.nii\.gz lies elsewhere than .*c\.pkl says \(voxel .* 40\.0 mm apart\)/,
    )
    expect(worldPosition(grid, [0, 0, 0])).toEqual([-1, -2, 43])
    // The same for images.
    await image('own.nii.gz', [-1, -2, 3])
    const like = ['--like', at('elsewhere.nii.gz')]
    const own = await halfdice(['threshold', at('own.nii.gz'), '-o', at('moved2.nii.gz'), ...like])
    expect(own.stderr).toMatch(
      /elsewhere\.nii\.gz lies elsewhere than .*own\.nii\.gz itself \(voxel .* 40\.0 mm apart\)/,
    )
    await image('larger.nii.gz', [-1, -2, 3], [5, 3, 2])
    const larger = ['-o', at('never.nii.gz'), '--like', at('larger.nii.gz')]
    expectRefusal(await halfdice(['threshold', at('moved', 'c.npz'), ...larger]), 'has maps of 2×3×4')
  })

  test('--like of the image in its own orientation keeps the turned axes of the array', async () => {
    await write('turned', { sitk_stuff: { ...sitk.sitk_stuff, original_orientation: 'RAS' } })
    const plain = await run('turned')
    expect(plain.grid.direction).toEqual([...identity])
    await writeVolume(at('ras.nii.gz'), { ...plain, data: new Uint8Array(24) })
    const like = await run('turned', '--like', at('ras.nii.gz'))
    expect(like.stderr).toBe('')
    expect(like.grid).toEqual(plain.grid)
    expect(like.data).toEqual(plain.data)
    // The class was at large x to the left, which is small x to the right.
    expect([...plain.data.subarray(0, 4)]).toEqual([1, 1, 0, 0])
  })

  test('nnU-Net v1: a model of regions has no background outside of its crop', async () => {
    const version1 = {
      itk_spacing: [1, 1, 1],
      itk_origin: [0, 0, 0],
      itk_direction: identity,
      original_size_of_raw_data: [6, 6, 6],
      crop_bbox: [
        [1, 3],
        [0, 3],
        [2, 6],
      ],
      regions_class_order: [1, 2],
    }
    mkdirSync(at('regions1'))
    const inner = Float32Array.from(inside, (p) => p / 2)
    await writeNpz(at('regions1', 'c.npz'), {
      softmax: { ...probabilities, data: Float32Array.from([...inside, ...inner]) },
    })
    writeFileSync(at('regions1', 'c.pkl'), encodePickle(version1))
    const args = ['threshold', at('regions1', 'c.npz'), '-o', at('regions1.nii.gz')]
    expectRefusal(await halfdice(args), /holds regions .* 1, 2\); name the labels of each: --classes/)
    for (const more of [['--decode', 'regions'], [], ['--decode', 'separate']]) {
      const { cases } = await halfdiceJson<VolumeResult>([...args, '--classes', 'whole=1+2,core=2', ...more])
      // 24 voxels of 1 mm³, half of them 0.9.
      expect(cases[0].maps[0].volumeMl).toBeCloseTo(0.012, 9)
      expect(cases[0].maps[0].probabilityVolumeMl).toBeCloseTo(0.012, 6)
    }
    // A softmax has one: outside of the crop it is certain, and the class is not there.
    writeFileSync(at('regions1', 'c.pkl'), encodePickle({ ...version1, regions_class_order: null }))
    await writeNpz(at('regions1', 'c.npz'), { softmax: probabilities })
    const { cases } = await halfdiceJson<VolumeResult>([
      ...args,
      '--classes',
      'background,organ',
      '--decode',
      'separate',
    ])
    expect(cases[0].maps[0].volumeMl).toBeGreaterThan(0.192)
    expect(cases[0].maps[1].volumeMl).toBeCloseTo(0.012, 9)
  })
})

describe('images of several maps', () => {
  const inside = Float32Array.from({ length: 24 }, (_, i) => (i % 4 > 1 ? 0.9 : 0.1))
  const grid = createGrid([4, 3, 2])
  const softmax = Float32Array.from([...inside.map((p) => 1 - p), ...inside])

  test('a softmax becomes one label map, and is said to', async () => {
    await writeVolume(at('soft.nii.gz'), { grid, channels: 2, data: softmax })
    const args = ['threshold', at('soft.nii.gz'), '-o', at('soft_mask.nii.gz'), '--json']
    const { stdout, stderr } = await halfdice(args)
    expect(stderr).toMatch(/^halfdice: warning: .*soft\.nii\.gz: its 2 maps add up to 1, .*--decode separate\n$/)
    expect(JSON.parse(stdout).cases[0].maps.map(({ name }: Map) => name)).toEqual(['class 1'])
    expect((await readVolume(at('soft_mask.nii.gz'))).channels).toBe(1)
    const separate = await halfdice([...args, '--decode', 'separate'])
    expect(separate.stderr).toBe('')
    expect((await readVolume(at('soft_mask.nii.gz'))).channels).toBe(2)
  })

  test('names of labels go into the mask, and are those of the mask', async () => {
    const names = new Map([
      [1, 'liver'],
      [2, 'spleen'],
    ])
    // The map's own header holds names, of another image.
    const volume = { grid, channels: 2, data: softmax }
    await writeVolume(at('template.nii.gz'), { grid, channels: 1, data: new Uint8Array(24), labelNames: names })
    const { header } = await readVolume(at('template.nii.gz'))
    await writeVolume(at('soft.nii.gz'), { ...volume, header })
    expect((await readVolume(at('soft.nii.gz'))).labelNames).toEqual(names)
    const named = ['--decode', 'exclusive', '--classes', 'background,pancreas=4']
    await halfdiceJson(['threshold', at('soft.nii.gz'), '-o', at('mask.nii.gz'), ...named])
    expect((await readVolume(at('mask.nii.gz'))).labelNames).toEqual(new Map([[4, 'pancreas']]))
    const scores = await halfdiceJson<{ labels: Record<string, { name?: string }> }>(
      ['evaluate', at('mask.nii.gz'), at('mask.nii.gz')], // told by the file alone
    )
    expect(scores.labels['4'].name).toBe('pancreas')
    await halfdiceJson(['threshold', at('soft.nii.gz'), '-o', at('mask.nii.gz'), '--decode', 'exclusive'])
    expect((await readVolume(at('mask.nii.gz'))).labelNames).toBeUndefined()
    await halfdiceJson(['marginal', at('template.nii.gz'), '-o', at('p.nii.gz'), '--sigma', '1', '--labels', '0'])
    expect((await readVolume(at('p.nii.gz'))).labelNames).toBeUndefined()
  })

  test('organs without a background stay masks of their own', async () => {
    const data = Float32Array.from([...inside, ...inside.map((p) => 0.8 * p)])
    await writeVolume(at('organs.nii.gz'), { grid, channels: 2, data })
    const { stderr } = await halfdice(['threshold', at('organs.nii.gz'), '-o', at('organs_mask.nii.gz')])
    expect(stderr).toBe('')
    expect((await readVolume(at('organs_mask.nii.gz'))).channels).toBe(2)
  })

  test("MONAI's layout, a folder a case with one 4-D image; one such folder into one file", async () => {
    for (const name of ['case_1', 'case_2']) {
      mkdirSync(at('monai', name), { recursive: true })
      await writeVolume(at('monai', name, `${name}_seg.nii.gz`), { grid, channels: 2, data: softmax })
    }
    const { stderr } = await halfdice(['threshold', at('monai'), '-o', at('monai_masks')])
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^halfdice: warning: .*case_1: its 2 maps add up to 1/),
      expect.stringMatching(/^halfdice: warning: one other case: its 2 maps add up to 1/),
      '',
    ])
    expect(readdirSync(at('monai_masks'))).toEqual(['case_1.nii.gz', 'case_2.nii.gz'])
    const { cases } = await halfdiceJson<Result>(['threshold', at('monai', 'case_1'), '-o', at('one.nii.gz')])
    expect(cases.map(({ output }) => output)).toEqual([at('one.nii.gz')])
    expectRefusal(await halfdice(['threshold', at('monai'), '-o', at('two.nii.gz')]), 'names one file for 2 cases')
    expectRefusal(
      await halfdice(['threshold', at('monai', 'case_1'), '-o', at('monai', 'case_1', 'case_1_seg.nii.gz')]),
      'would overwrite the input',
    )
  })

  test('labels of --classes reach the files of their names, in any order', async () => {
    mkdirSync(at('organs'))
    await writeVolume(at('organs', 'liver.nii.gz'), { grid, channels: 1, data: inside })
    await writeVolume(at('organs', 'spleen.nii.gz'), { grid, channels: 1, data: inside.map((p) => 1 - p) })
    const args = ['threshold', at('organs'), '-o', at('organs.nii'), '--decode', 'exclusive', '--classes']
    const { cases } = await halfdiceJson<Result>([...args, 'background,spleen=7,liver=5'])
    expect(cases[0].maps.map(({ name, labels }) => [name, labels])).toEqual([
      ['spleen', [7]],
      ['liver', [5]],
    ])
    expect([...(await readVolume(at('organs.nii'))).data.subarray(0, 4)]).toEqual([7, 7, 5, 5])
    expectRefusal(await halfdice([...args, 'liver,kidney']), "no image of class 'kidney', which --classes names")
  })
})

describe.skipIf(!nibabelPython || inProcess)(
  'files that NumPy, pickle and nibabel wrote (skipped without a Python that has them)',
  () => {
    const script = fileURLToPath(new URL('support/pipelines.py', import.meta.url))
    const python = (...args: string[]) =>
      execFileSync(nibabelPython ?? '', ['-W', 'ignore', script, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
    const data = at('python')
    if (nibabelPython && !inProcess) python('write', data)
    interface Mask {
      affine: number[][]
      data: number[][][]
    }
    const truth: { affine: number[][]; labels: Record<string, number[][][]>; reorient: Record<string, Mask> } =
      nibabelPython && !inProcess
        ? JSON.parse(readFileSync(join(data, 'truth.json'), 'utf8'))
        : { affine: [], labels: {}, reorient: {} }
    const read = (...paths: string[]): Mask[] => JSON.parse(python('read', ...paths))
    const expectAffine = (affine: number[][], expected: number[][]) => {
      affine.flat().forEach((value, i) => {
        expect(value).toBeCloseTo(expected.flat()[i], 4)
      })
    }

    test('nnU-Net v2: a folder in, a folder out, names of its dataset.json, in place of its argmax', async () => {
      const { cases } = await halfdiceJson<Result>(['threshold', join(data, 'nnunet_v2'), '-o', at('v2')])
      expect(readdirSync(at('v2'))).toEqual(['case_0.nii.gz', 'case_1.nii.gz', 'dataset.json'])
      expect(cases[0].maps.map(({ name, labels }) => [name, labels])).toEqual([
        ['liver', [1]],
        ['tumour', [2]],
      ])
      const masks = read(at('v2', 'case_0.nii.gz'), at('v2', 'case_1.nii.gz'), join(data, 'nnunet_v2', 'case_0.nii.gz'))
      for (const [i, name] of ['case_0', 'case_1'].entries()) {
        expect(masks[i].data).toEqual(truth.labels[name])
        expectAffine(masks[i].affine, masks[2].affine)
      }
    })

    test("accuracy is the pipeline's own argmax; a data set has one threshold a class", async () => {
      const input = join(data, 'nnunet_v2')
      await halfdiceJson(['threshold', input, '-o', at('argmax'), '--metric', 'accuracy'])
      const [mask, own] = read(at('argmax', 'case_0.nii.gz'), join(input, 'case_0.nii.gz'))
      expect(mask.data).toEqual(own.data)
      const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', at('pool'), '--scope', 'dataset'])
      const thresholds = cases.map(({ maps }) => maps.map(({ threshold }) => threshold))
      expect(thresholds[0]).toEqual(thresholds[1])
      for (const { softDice, supDice } of cases.flatMap(({ maps }) => maps))
        expect(softDice).toBeLessThanOrEqual(supDice + 1e-9)
    })

    test('nnU-Net v2: regions are painted from the outermost to the innermost, and nest', async () => {
      const { cases } = await halfdiceJson<Result>(['threshold', join(data, 'brats'), '-o', at('brats')])
      expect(cases[0].maps.map(({ name }) => name)).toEqual(['whole tumor', 'tumor core', 'enhancing tumor'])
      // Nested sets conflict nowhere here: each region has its own optimum.
      for (const { softDice, supDice } of cases[0].maps) expect(softDice).toBeCloseTo(supDice, 3)
      const [{ data: labels }] = read(at('brats', 'tumour.nii.gz'))
      expect(new Set(labels.flat(2))).toEqual(new Set([0, 1, 2, 3]))
    })

    test('nnU-Net v1: softmax of a crop', async () => {
      await halfdiceJson(['threshold', join(data, 'nnunet_v1', 'old.npz'), '-o', at('old.nii.gz')])
      const [mask] = read(at('old.nii.gz'))
      expect(mask.data).toEqual(truth.labels.old)
      expectAffine(mask.affine, truth.affine)
    })

    test('TotalSegmentator: nibabel geometry, turned to RAS by the reader and back', async () => {
      await halfdiceJson(['threshold', join(data, 'totalsegmentator', 's01.npz'), '-o', at('s01.nii.gz')])
      const [mask] = read(at('s01.nii.gz'))
      expect(mask.data).toEqual(truth.labels.s01)
      // The image's own axes, not the RAS axes in which the network saw it.
      expectAffine(mask.affine, [
        [0, 0, -1.5, 40],
        [-1.25, 0, 0, 50],
        [0, 2, 0, -60],
        [0, 0, 0, 1],
      ])
    })

    test('SimpleITKIOWithReorient: masks on the grid of the image, in each of the 48 orientations', async () => {
      await halfdiceJson(['threshold', join(data, 'reorient'), '-o', at('reorient')])
      const codes = Object.keys(truth.reorient)
      expect(codes).toHaveLength(48)
      const masks = read(...codes.map((code) => at('reorient', `${code}.nii.gz`)))
      for (const [i, code] of codes.entries()) {
        expect(masks[i].data, code).toEqual(truth.reorient[code].data)
        expectAffine(masks[i].affine, truth.reorient[code].affine)
      }
    })

    test('MONAI: a 4-D image, as one label map, from probabilities and from logits', async () => {
      const input = join(data, 'monai', 'image_seg.nii.gz')
      const names = ['--decode', 'exclusive', '--classes', 'background,liver,spleen,kidney']
      const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', at('monai.nii.gz'), ...names])
      expect(cases[0].maps.map(({ name }) => name)).toEqual(['liver', 'spleen', 'kidney'])
      expect(cases[0].sharingLoss).toBeLessThan(0.01)
      const raw = join(data, 'logits.nii.gz')
      await halfdiceJson(['threshold', raw, '-o', at('logits.nii.gz'), ...names, '--logits', 'softmax'])
      const [probabilities, logits] = read(at('monai.nii.gz'), at('logits.nii.gz'))
      expect(probabilities.data).toEqual(truth.labels.image_seg)
      expect(logits.data).toEqual(truth.labels.image_seg)
      expectAffine(probabilities.affine, truth.affine)
      expectRefusal(await halfdice(['threshold', raw, '-o', at('never.nii.gz')]), '--logits softmax')
    })

    test('one image a class, in the order asked for; an array with an image for its geometry', async () => {
      const exclusive = ['--decode', 'exclusive', '--classes', 'liver,spleen,kidney']
      const { cases } = await halfdiceJson<Result>([
        'threshold',
        join(data, 'classes'),
        '-o',
        at('classes'),
        ...exclusive,
      ])
      expect(cases[0].maps.map(({ name, labels }) => [name, labels])).toEqual([
        ['liver', [1]],
        ['spleen', [2]],
        ['kidney', [3]],
      ])
      const like = ['--like', join(data, 'image.nii.gz')]
      for (const name of ['plain', 'fortran']) {
        await halfdiceJson(['threshold', join(data, `${name}.npy`), '-o', at(`${name}.nii.gz`), ...like])
      }
      const masks = read(at('classes', 'patient.nii.gz'), at('plain.nii.gz'), at('fortran.nii.gz'))
      for (const mask of masks) {
        expect(mask.data).toEqual(truth.labels.image_seg)
        expectAffine(mask.affine, truth.affine)
      }
      const reversed = await halfdice(['threshold', join(data, 'reversed.npy'), '-o', at('never.nii.gz'), ...like])
      expectRefusal(reversed, 'axes reversed')
    })

    test('3D Slicer: a volume as NRRD, a mask as NRRD', async () => {
      await halfdiceJson(['threshold', join(data, 'slicer.nrrd'), '-o', at('mask.nrrd')])
      await halfdiceJson(['threshold', join(data, 'slicer.nrrd'), '-o', at('mask.nii.gz')])
      const [mask] = read(at('mask.nii.gz'))
      expect(mask.data).toEqual(truth.labels.slicer)
      expectAffine(mask.affine, truth.affine)
      const { data: voxels, grid } = await readVolume(at('mask.nrrd'))
      expect([...voxels]).toEqual([...(await readVolume(at('mask.nii.gz'))).data])
      worldPosition(grid, [0, 0, 0]).forEach((value, axis) => {
        expect(value).toBeCloseTo(truth.affine[axis][3], 4)
      })
    })

    test('separate masks of a softmax on request', async () => {
      const input = join(data, 'nnunet_v2', 'case_0.npz')
      const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', at('sep.nii.gz'), '--decode', 'separate'])
      expect(cases[0].maps.map(({ name }) => name)).toEqual(['background', 'liver', 'tumour'])
      expect((await readVolume(at('sep.nii.gz'))).channels).toBe(3)
    })

    test('bad cases are named with what to do, the others are done, and the exit code is 1', async () => {
      const { code, stdout, stderr } = await halfdice(['threshold', join(data, 'bad'), '-o', at('bad'), '--json'])
      expect(code).toBe(1)
      const { cases, failed }: Result = JSON.parse(stdout)
      expect(cases.map(({ output }) => output)).toEqual([at('bad', 'a_good.nii.gz'), at('bad', 'j_good.nii.gz')])
      expect(readdirSync(at('bad')).sort()).toEqual(['a_good.nii.gz', 'j_good.nii.gz'])
      const says = {
        b_code: /b_code\.pkl: asks to load 'builtins\.print', which may run code; .*--like/,
        c_object: /c_object\.npz.*: has elements that are Python objects; save/,
        d_shape: /d_shape\.pkl: describes an image of 12×14×16, the \.npz has 11×14×16/,
        e_nan: /e_nan\.npz: voxel 99 is NaN/,
        f_sum: /f_sum\.npz: its classes add up to 0\.600/,
        g_alone: /g_alone\.npz: its geometry is missing: put g_alone\.pkl beside it, or give an image with --like/,
        h_range: /h_range\.npz: values run from .* not within \[0, 1\].*--scale 100$/,
        i_cut: /i_cut\.npz: is no zip archive \(\.npz\), or is truncated/,
      }
      const lines = stderr.trimEnd().split('\n')
      expect(lines).toHaveLength(9)
      expect(stderr).not.toContain('this ran')
      for (const [i, pattern] of Object.values(says).entries()) {
        expect(lines[i]).toMatch(pattern)
        expect(failed?.[i].error).toMatch(pattern)
      }
      expect(lines.at(-1)).toBe('halfdice: threshold: 8 of 10 cases failed; the others are done')
      expectRefusal(
        await halfdice(['threshold', join(data, 'bad', 'g_alone.npz'), '-o', at('never.nii')]),
        'g_alone.pkl',
      )
      expectRefusal(
        await halfdice(['threshold', join(data, 'bad'), '-o', at('pooled'), '--scope', 'dataset']),
        'which may run code',
      )
      expect(existsSync(at('pooled'))).toBe(false)
    })

    test('maps and names that do not fit are refused', async () => {
      const input = join(data, 'nnunet_v2', 'case_0.npz')
      const out = ['-o', at('never.nii.gz')]
      expectRefusal(await halfdice(['threshold', input, ...out, '--classes', 'a,b']), 'has 3 maps, --classes names 2')
      cpSync(join(data, 'brats', 'dataset.json'), at('regions.json'))
      const regions = ['--dataset-json', at('regions.json'), '--decode', 'exclusive']
      expectRefusal(await halfdice(['threshold', input, ...out, ...regions]), '--decode regions')
      expectRefusal(await halfdice(['threshold', at('nothing'), ...out]), 'no such file')
    })
  },
)
