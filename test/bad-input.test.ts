import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeNifti } from '../src/formats/nifti.ts'
import { createGrid, voxelCount } from '../src/volume/grid.ts'
import { expectRefusal, filesBelow, halfdice, inProcess, temporaryFolder } from './support/halfdice.ts'
import { obliqueGrid, softBall, twoBalls, writeImage } from './support/images.ts'
import { canMountSmallDisk, mountSmallDisk, unmountSmallDisk } from './support/small-disk.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const labels = twoBalls()
const ball = softBall(obliqueGrid, 7, 8)
// A label map will do as the image to train on.
const good = { labels: at('labels.nii.gz'), image: at('labels.nii.gz'), probabilities: at('prob.nii.gz') }

/** Every command on one input, with an output that must not appear. */
const commands: Record<string, (input: string, output: string) => string[]> = {
  sample: (input, output) => ['sample', input, '-o', output, '--sigma', '1', '--length', '8'],
  marginal: (input, output) => ['marginal', input, '-o', `${output}.nii.gz`, '--sigma', '1'],
  optimum: (input, output) => ['optimum', input, '--sigma', '1', '--plot', `${output}.svg`],
  threshold: (input, output) => ['threshold', input, '-o', `${output}.nii.gz`],
  'threshold dataset': (input, output) => ['threshold', good.probabilities, input, '-o', output, '--scope', 'dataset'],
  evaluate: (input) => ['evaluate', input, good.labels],
  'evaluate reference': (input) => ['evaluate', good.labels, input],
  train: (input, output) => ['train', datasetOf(input, good.image), '-o', output, ...small],
  'train label': (input, output) => ['train', datasetOf(good.image, input), '-o', output, ...small],
  predict: (input, output) => ['predict', at('run/model.onnx'), input, '-o', `${output}.nii.gz`],
}

/** The least training there is. */
const small = ['--fold', 'none', '--channels', '2,4', '--steps', '1', '--threads', '1']

/** A data set in nnU-Net's raw layout, beside the input that is not a good one, with this one case as links. */
function datasetOf(image: string, label: string): string {
  const input = image === good.image ? label : image
  const path = `${input.replace(/\.gz$/, '')}-dataset`
  const ending = input.endsWith('.nii') ? '.nii' : '.nii.gz'
  rmSync(path, { recursive: true, force: true })
  for (const name of ['imagesTr', 'labelsTr']) mkdirSync(join(path, name), { recursive: true })
  symlinkSync(image, join(path, `imagesTr/a_0000${ending}`))
  symlinkSync(label, join(path, `labelsTr/a${ending}`))
  const index = { channel_names: { 0: 'MRI' }, labels: { background: 0, ball: 1, other: 2 }, file_ending: ending }
  writeFileSync(join(path, 'dataset.json'), JSON.stringify(index))
  return path
}

beforeAll(async () => {
  writeImage(good.labels, labels)
  writeImage(good.probabilities, ball)
  const trained = await halfdice(['train', datasetOf(good.image, good.labels), '-o', at('run'), ...small])
  expect(trained.code, trained.stderr).toBe(0)
})

/** Runs it and expects a refusal that leaves every file as it was and adds none. */
async function refused(args: string[], says: string | RegExp): Promise<void> {
  const before = filesBelow(folder)
  expectRefusal(await halfdice(args), says)
  expect(filesBelow(folder)).toEqual(before)
}

describe('a file that is no image', () => {
  const nifti = encodeNifti({ grid: obliqueGrid, channels: 1, data: labels })
  const damaged = (change: (header: DataView) => void) => {
    const bytes = nifti.slice()
    change(new DataView(bytes.buffer))
    return bytes
  }
  const half = (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)
  const liar = damaged((d) => {
    for (const axis of [1, 2, 3]) d.setInt16(40 + 2 * axis, 1000, true)
  })
  const faults: [name: string, bytes: Uint8Array | undefined, says: string | RegExp][] = [
    ['missing.nii.gz', undefined, 'no such file'],
    ['empty.nii', new Uint8Array(), /empty|truncated|not a NIfTI/],
    ['text.nii', Buffer.from('this is no image\n'.repeat(100)), /NIfTI/],
    ['cut.nii', nifti.subarray(0, 2000), 'truncated'],
    ['cut.nii.gz', half(gzipSync(nifti)), 'compressed data end early'],
    // 1,000 × 1,000 × 1,000 voxels promised, 7,680 there.
    ['liar.nii', liar, 'truncated'],
    ['liar.nii.gz', gzipSync(liar), 'truncated'],
    ['negative.nii', damaged((d) => d.setInt16(42, -5, true)), /-5|shape|extent|axis/],
    ['type.nii', damaged((d) => d.setInt16(70, 1792, true)), /type|complex/],
  ]
  for (const [name, bytes, says] of faults) {
    test.each(Object.keys(commands))(`${name}: %s`, async (command) => {
      if (bytes) writeFileSync(at(name), bytes)
      await refused(commands[command](at(name), at('never')), says)
    })
  }

  test.each(Object.keys(commands))('a folder without images: %s', async (command) => {
    mkdirSync(at('folder'), { recursive: true })
    await refused(commands[command](at('folder'), at('never')), at('folder'))
  })
})

describe('values that are not what they should be', () => {
  const n = ball.length
  test.each([
    ['NaN', Number.NaN, 'NaN'],
    ['infinity', Number.POSITIVE_INFINITY, 'Infinity'],
    ['too large', 1.5, 'not within [0, 1]'],
    ['negative', -0.5, 'not within [0, 1]'],
  ])('probabilities with %s', async (name, value, says) => {
    const data = ball.slice()
    data[n - 5] = value
    const path = writeImage(at(`prob_${name.replace(' ', '_')}.nii.gz`), data)
    await refused(commands.threshold(path, at('never')), says)
    await refused(commands['threshold dataset'](path, at('never')), says)
    const several = writeImage(at('prob_4d.nii.gz'), Float32Array.from([...ball, ...data]), obliqueGrid, {
      channels: 2,
    })
    await refused(commands.threshold(several, at('never')), says)
  })

  test.each(['sample', 'marginal', 'optimum', 'train label'])('fractional labels: %s', async (command) => {
    await refused(commands[command](good.probabilities, at('never')), 'no integer label')
  })

  test.each(['sample', 'marginal', 'optimum', 'train label'])('labels with NaN: %s', async (command) => {
    const data = Float32Array.from(labels)
    data[100] = Number.NaN
    await refused(commands[command](writeImage(at('nan_labels.nii'), data), at('never')), 'NaN')
  })

  test.each(['sample', 'marginal', 'optimum', 'train label'])('4-D labels: %s', async (command) => {
    const path = writeImage(at('4d_labels.nii'), Uint8Array.from([...labels, ...labels]), obliqueGrid, { channels: 2 })
    await refused(commands[command](path, at('never')), 'has 2 channels')
  })

  test.each(['train', 'predict'])('images with infinity: %s', async (command) => {
    const data = Float32Array.from(labels)
    data[100] = Number.POSITIVE_INFINITY
    const path = writeImage(at('infinite.nii'), data)
    await refused(commands[command](path, at('never')), 'holds the intensity Infinity')
  })

  test('nothing but background: train label', async () => {
    const path = writeImage(at('background.nii'), new Uint8Array(labels.length))
    await refused(commands['train label'](path, at('never')), 'ball: no training case holds label 1')
  })

  test.each(['sample', 'marginal', 'optimum'])('nothing but background: %s', async (command) => {
    const path = writeImage(at('background.nii'), new Uint8Array(labels.length))
    await refused(commands[command](path, at('never')), 'background only')
  })

  test.each(['marginal', 'optimum'])('a label that is absent: %s', async (command) => {
    await refused([...commands[command](good.labels, at('never')), '--labels', '9'], 'has no label 9; it holds 0, 1, 2')
  })

  test('grids that differ', async () => {
    const shifted = { ...obliqueGrid, origin: [0, 0, 0] as const }
    await refused(['evaluate', good.labels, writeImage(at('moved.nii'), labels, shifted)], 'mm apart')
    const grid = createGrid([5, 5, 5])
    const small = writeImage(at('small.nii'), new Uint8Array(voxelCount(grid)), grid)
    await refused(['evaluate', good.labels, small], 'shape 24×20×16 against 5×5×5')
    await refused(['threshold', good.probabilities, '-o', at('never.nii'), '--like', small], '24×20×16 voxels')
  })

  test('cases of different numbers of classes in one pool', async () => {
    const two = writeImage(at('two.nii'), Float32Array.from([...ball, ...ball]), obliqueGrid, { channels: 2 })
    await refused(commands['threshold dataset'](two, at('never')), 'has 2 maps')
  })
})

describe('options', () => {
  const sample = (...more: string[]) => ['sample', good.labels, '-o', at('never'), ...more]
  test.each([
    ['σ of zero', sample('--sigma', '0', '--length', '8'), "--sigma: '0' is not greater than zero"],
    ['a negative σ', sample('--sigma', '-1', '--length', '8'), "--sigma: '-1' is not greater than zero"],
    ['σ that is no number', sample('--sigma', 'four', '--length', '8'), "--sigma: 'four' is not a length"],
    ['σ of the wrong number of axes', sample('--sigma', '1,2', '--length', '8'), '2 lengths for 3 axes'],
    ['ℓ of zero', sample('--sigma', '1', '--length', '0'), '--length'],
    ['ℓ in voxels that are no cubes', sample('--sigma', '1', '--length', '4vx'), 'give it in mm'],
    ['no ℓ', sample('--sigma', '1'), '--length: is missing'],
    ['no samples', sample('--sigma', '1', '--length', '8', '-n', '0'), '--number'],
    ['a fractional seed', sample('--sigma', '1', '--length', '8', '--seed', '1.5'), '--seed'],
    ['no threads', sample('--sigma', '1', '--length', '8', '--threads', '0'), '--threads'],
    [
      'an unknown option',
      sample('--sigma', '1', '--length', '8', '--sede', '1'),
      "unknown option '--sede' (did you mean --seed?)",
    ],
    ['an unknown command', ['smaple', 'x'], "unknown command 'smaple' (did you mean sample?)"],
    ['no input', ['marginal', '-o', 'x.nii', '--sigma', '1'], "missing required argument 'labels'"],
    ['too many inputs', ['study', 'status', 'a', 'b'], 'too many arguments'],
    ['a file for σ', ['optimum', '--sigma', 'a.nii'], "'a.nii' is not a length"],
    ['a metric that is none', ['threshold', 'a.nii', '-o', 'b.nii', '--metric', 'hd'], 'dice, iou, accuracy'],
    ['a threshold above 1', ['threshold', 'a.nii', '-o', 'b.nii', '--at', '1.1'], '--at'],
    ['a scale of zero', ['threshold', 'a.nii', '-o', 'b.nii', '--scale', '0'], '--scale'],
    ['samples without ℓ', ['optimum', good.labels, '--sigma', '1', '--samples', '5'], '--length'],
  ])('%s', (_, args, says) => refused(args, says))

  test('no command at all shows the help and is bad usage', async () => {
    const { code, stdout, stderr } = await halfdice([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: halfdice/)
  })

  test('HALFDICE_DEBUG=1 shows the stack', async () => {
    const { code, stderr } = await halfdice(['optimum', at('missing'), '--sigma', '1'], {
      env: { HALFDICE_DEBUG: '1' },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^halfdice: .*no such file.*\nInputError: .*\n +at /)
  })
})

describe('outputs', () => {
  test('equal to the input, by any name', async () => {
    symlinkSync(good.labels, at('link.nii.gz'))
    linkSync(good.labels, at('hard.nii.gz'))
    const before = readFileSync(good.labels)
    for (const output of [good.labels, at('link.nii.gz'), at('hard.nii.gz'), `${folder}/./labels.nii.gz`]) {
      await refused(['marginal', good.labels, '-o', output, '--sigma', '1'], 'would overwrite the input')
    }
    await refused(['threshold', good.probabilities, '-o', folder], 'would overwrite the input')
    expect(readFileSync(good.labels)).toEqual(before)
  })

  test('in a folder that is a file, or with no image name', async () => {
    await refused(commands.marginal(good.labels, join(good.labels, 'x')), 'is a file, not a folder')
    await refused(['marginal', good.labels, '-o', at('x.png'), '--sigma', '1'], 'does not name an image format')
    writeFileSync(at('notes.txt'), 'no folder')
    await refused(commands.sample(good.labels, at('notes.txt')), 'a file, not a folder')
    await refused([...commands.sample(good.labels, good.probabilities), '-n', '2'], 'names one file for 2 samples')
  })

  // Root may write anywhere but into the kernel's own file system.
  const locked = process.getuid?.() === 0 ? '/sys' : at('locked')
  test.skipIf(process.platform !== 'linux')('in a folder that may not be written', async () => {
    if (locked !== '/sys') mkdirSync(locked, { mode: 0o555 })
    await refused(['sample', good.labels, '-o', join(locked, 'halfdice'), '--sigma', '1', '--length', '8'], locked)
    await refused(['marginal', good.labels, '-o', join(locked, 'x.nii'), '--sigma', '1'], 'may not be written')
  })

  test.skipIf(inProcess || process.platform === 'win32')('beyond what the disk takes leave nothing behind', () => {
    // A limit on the size of files (8 blocks) fails as a full disk does: in the middle of a write.
    const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
    const run = (...args: string[]) =>
      spawnSync('bash', ['-c', 'ulimit -f 8; trap "" XFSZ; exec "$@"', 'sh', process.execPath, main, ...args], {
        encoding: 'utf8',
      })
    const before = filesBelow(folder)
    const { status, stdout, stderr } = run('marginal', good.labels, '-o', at('large.nii'), '--sigma', '1')
    expectRefusal({ code: status, stdout, stderr }, 'large.nii')
    expect(filesBelow(folder)).toEqual(before)
  })

  test.skipIf(!canMountSmallDisk())('on a full disk (a small tmpfs; needs root)', async () => {
    mountSmallDisk(at('tiny'), 64)
    try {
      writeFileSync(at('tiny/fill'), Buffer.alloc(60_000, 1))
      await refused(['marginal', good.labels, '-o', at('tiny/p.nii'), '--sigma', '1'], 'the disk is full')
    } finally {
      unmountSmallDisk(at('tiny'))
    }
  })
})
