import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { decodeNpy, encodeNpy } from '../src/formats/npy.ts'
import { writeNpz } from '../src/formats/npz.ts'
import { nibabelPython } from '../src/formats/testing/peers.ts'
import { golden } from '../src/formats/testing/pickle-golden.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { worldPosition } from '../src/volume/grid.ts'
import { expectRefusal, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'

interface Map {
  name: string
  labels: number[]
  threshold: number
  supDice: number
  dice: number
  present: boolean
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

  test('an array through standard input and out again', async () => {
    const { code, stdout, stderr } = await pipe(['threshold', '--stdin-npy', '-o', '-'], encodeNpy({ shape, data }))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const mask = decodeNpy(new Uint8Array(stdout), 'stdout')
    expect(mask.shape).toEqual([4, 5, 6])
    expect([...mask.data]).toEqual([...inside].map((p) => (p > 0.5 ? 1 : 0)))
  })

  test('bytes are scaled to probabilities', async () => {
    const bytes = Uint8Array.from(data, (p) => Math.round(255 * p))
    const run = (...more: string[]) =>
      pipe(['threshold', '--stdin-npy', '-o', '-', ...more], encodeNpy({ shape, data: bytes }))
    expect((await run()).stderr).toMatch(/--scale 255\n/)
    const { code, stdout } = await run('--scale', '255')
    expect(code).toBe(0)
    expect([...decodeNpy(new Uint8Array(stdout), 'stdout').data]).toEqual([...inside].map((p) => (p > 0.5 ? 1 : 0)))
  })

  test('a truncated array on standard input is refused', async () => {
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

describe.skipIf(!nibabelPython)(
  'files that NumPy, pickle and nibabel wrote (skipped without a Python that has them)',
  () => {
    const script = fileURLToPath(new URL('support/pipelines.py', import.meta.url))
    const python = (...args: string[]) =>
      execFileSync(nibabelPython ?? '', ['-W', 'ignore', script, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
    const data = at('python')
    if (nibabelPython) python('write', data)
    const truth: { affine: number[][]; labels: Record<string, number[][][]> } = nibabelPython
      ? JSON.parse(readFileSync(join(data, 'truth.json'), 'utf8'))
      : { affine: [], labels: {} }
    const read = (...paths: string[]): { affine: number[][]; data: number[][][] }[] =>
      JSON.parse(python('read', ...paths))
    const expectAffine = (affine: number[][], expected: number[][]) => {
      affine.flat().forEach((value, i) => {
        expect(value).toBeCloseTo(expected.flat()[i], 4)
      })
    }

    test('nnU-Net v2: a folder in, a folder out, names of its dataset.json, in place of its argmax', async () => {
      const { cases } = await halfdiceJson<Result>(['threshold', join(data, 'nnunet_v2'), '-o', at('v2')])
      expect(readdirSync(at('v2'))).toEqual(['case_0.nii.gz', 'case_1.nii.gz'])
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
      for (const { dice, supDice } of cases.flatMap(({ maps }) => maps))
        expect(dice).toBeLessThanOrEqual(supDice + 1e-9)
    })

    test('nnU-Net v2: regions are painted from the outermost to the innermost, and nest', async () => {
      const { cases } = await halfdiceJson<Result>(['threshold', join(data, 'brats'), '-o', at('brats')])
      expect(cases[0].maps.map(({ name }) => name)).toEqual(['whole tumor', 'tumor core', 'enhancing tumor'])
      // Nested sets conflict nowhere here: each region has its own optimum.
      for (const { dice, supDice } of cases[0].maps) expect(dice).toBeCloseTo(supDice, 3)
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
