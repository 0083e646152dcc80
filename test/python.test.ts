import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from './support/halfdice.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A Python with NumPy, pip and venv; Debian's first, which has them. */
const python = ['/usr/bin/python3', 'python3', 'python'].find(
  (each) => spawnSync(each, ['-c', 'import numpy, pip, venv'], { stdio: 'ignore' }).status === 0,
)
if (python === undefined) console.log('no Python with NumPy, pip and venv: tests of the Python package are skipped')

describe.skipIf(python === undefined)('the Python package', () => {
  const folder = temporaryFolder()
  const bin = join(folder, 'venv', process.platform === 'win32' ? 'Scripts' : 'bin')
  const env = { ...process.env, HALFDICE_NODE: process.execPath, PYTHONPATH: '', HALFDICE_DEBUG: '' }
  let wheels: string[] = []

  const run = (program: string, args: readonly string[], cwd = folder) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' })
    expect(status, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
    return { stdout, stderr }
  }

  beforeAll(() => {
    for (const name of ['first', 'second']) {
      run(process.execPath, [join(root, 'scripts/wheel.mjs'), join(folder, name)])
      const [file] = readdirSync(join(folder, name))
      wheels = [...wheels, join(folder, name, file)]
    }
    // NumPy is the system's; pip too, which spares unpacking another.
    run(python as string, ['-m', 'venv', '--without-pip', '--system-site-packages', join(folder, 'venv')])
    run(join(bin, 'python'), ['-m', 'pip', 'install', '--no-deps', '--no-index', '--quiet', wheels[0]])
  }, 180_000)

  test('is the same bytes each time it is built, and small', () => {
    const [first, second] = wheels.map((path) => readFileSync(path))
    expect(first.equals(second)).toBe(true)
    expect(first.length).toBeLessThan(3_200_000)
  })

  test('brings licences and types, and no map of its source', () => {
    const listed = run(join(bin, 'python'), ['-m', 'pip', 'show', '--files', 'halfdice']).stdout
    expect(listed).toMatch(/THIRD_PARTY_NOTICES\.txt/)
    expect(listed).toMatch(/py\.typed/)
    expect(listed).not.toMatch(/\.map\b|\.test\.|\.d\.ts/)
  })

  test('passes its own tests', () => {
    const { stderr } = run(
      join(bin, 'python'),
      ['-W', 'error::ResourceWarning', '-m', 'unittest', 'discover', '-s', join(root, 'python/tests')],
      folder,
    )
    expect(stderr).toMatch(/Ran \d\d tests/)
  }, 180_000)

  test('the examples of docs/python.md run, with a stand-in for the network', () => {
    const blocks = [...readFileSync(join(root, 'docs/python.md'), 'utf8').matchAll(/^```python\n(.*?)^```$/gms)]
    expect(blocks).toHaveLength(3)
    const checks = `
softmax = np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]).reshape(3, 1, 1, 3)
out = DiceOptimald("pred", spacing=2.0)({"pred": softmax, "name": "case"})
assert out["pred"].shape == (1, 1, 1, 3) and out["pred"].ravel().tolist() == [1, 0, 2] and out["name"] == "case", out

class Predictor:
    def predict_single_npy_array(self, image, properties, previous, output, save_probabilities):
        assert save_probabilities
        return softmax.argmax(axis=0), softmax.astype(np.float32)

open("dataset.json", "w").write('{"labels": {"background": 0, "liver": 1, "tumour": 2}, "channel_names": {"0": "CT"},'
    '"numTraining": 1, "file_ending": ".nii.gz"}')
labels, maps = predict_case(Predictor(), None, {"spacing": [3.0, 1.0, 1.0]}, "dataset.json")
assert labels.ravel().tolist() == [1, 0, 2] and [each.name for each in maps] == ["liver", "tumour"]
`
    mkdirSync(join(folder, 'docs'))
    writeFileSync(join(folder, 'docs/run.py'), [...blocks.map(([, code]) => code), checks].join('\n'))
    const { stdout } = run(join(bin, 'python'), ['run.py'], join(folder, 'docs'))
    expect(stdout).toMatch(/liver: 0\.0 ml, cut at 0\.400, soft Dice 0\.800/)
  })

  test('ONNX Runtime, which the wheel leaves out, is asked for by the line that installs it', () => {
    run(join(bin, 'halfdice'), ['phantom', '-o', 'example'])
    // A package without exports in its place hides one that lies in a folder above.
    const main = run(join(bin, 'python'), ['-c', 'from halfdice import _runtime; print(_runtime.main())']).stdout.trim()
    const beside = join(main, '../../node_modules/onnxruntime-node')
    mkdirSync(beside, { recursive: true })
    writeFileSync(join(beside, 'package.json'), '{ "exports": {} }')
    const args = ['train', 'example', '-o', 'run', '--steps', '1', '--fold', 'none']
    const options = {
      cwd: folder,
      env: { ...env, HALFDICE_RUNTIME: join(folder, 'nowhere') },
      encoding: 'utf8',
    } as const
    const train = spawnSync(join(bin, 'halfdice'), args, options)
    const remedy = 'is not installed, and networks need it; run: python -m halfdice runtime'
    expect(train).toMatchObject({ status: 2, stderr: `halfdice: ONNX Runtime: ${remedy}\n` })
  }, 60_000)
})
