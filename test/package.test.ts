// What the package ships: lib/, as `npm run build` made it.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { encapsulatedFile } from '../src/formats/testing/dicom-bytes.ts'
import { compressedCases, twoFrames } from '../src/formats/testing/dicom-compressed.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { temporaryFolder } from './support/halfdice.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const lib = join(root, 'lib')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const folder = temporaryFolder()
const bundler = '../scripts/bundle.mjs'

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = { encoding: 'utf8', cwd: folder, env: { ...process.env, HALFDICE_DEBUG: '', ...env } } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(lib, 'main.cjs'), ...args], options)
  return { status, stdout, stderr }
}

test('has no dependency that npm would install, and no script that it would run', () => {
  expect(manifest.dependencies).toBeUndefined()
  expect(manifest.optionalDependencies).toBeUndefined()
  const optional = Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name].optional)
  expect(optional).toEqual(Object.keys(manifest.peerDependencies))
  expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
})

/** Files that a file of lib/ imports, at once or on first use, and the other modules that these import. */
function reachOf(entry: string) {
  const files = new Set([entry])
  const modules = new Set<string>()
  for (const file of files) {
    const source = readFileSync(join(lib, file), 'utf8')
    for (const [, name] of source.matchAll(/(?<!\.)\b(?:from|import)\s*\(?\s*["'`]([@\w./:-]+)["'`]/g)) {
      if (name.startsWith('./')) files.add(name.slice(2))
      else modules.add(name)
    }
  }
  return { files, modules }
}

test.each(['index', 'report'])('lib/%s.js needs nothing that browsers lack', (entry) => {
  const { files, modules } = reachOf(`${entry}.js`)
  expect(files.size).toBeGreaterThan(3)
  expect([...modules]).toEqual([])
  const sources = [...files].map((file) => readFileSync(join(lib, file), 'utf8')).join('\n')
  expect(sources).not.toMatch(/\bcreateRequire\b|["'`]node:/)
})

test('outside of lib/, its files import only Node and ONNX Runtime', () => {
  const names = readdirSync(lib).filter((name) => name.endsWith('.js'))
  const others = new Set(names.flatMap((name) => [...reachOf(name).modules]))
  expect([...others].filter((name) => !isBuiltin(name) && name !== 'onnxruntime-node')).toEqual([])
})

test('two builds are the same bytes, and the notices name each package that went in', async () => {
  const { bundle } = (await import(bundler)) as { bundle: (folder: string) => Promise<string[]> }
  const again = join(folder, 'again')
  const packages = await bundle(again)
  const names = (of: string) => readdirSync(of, { recursive: true, encoding: 'utf8' }).sort()
  expect(names(again)).toEqual(names(lib))
  for (const name of names(lib).filter((name) => /\.\w+$/.test(name))) {
    expect(readFileSync(join(again, name)).equals(readFileSync(join(lib, name))), name).toBe(true)
  }
  // After a build, npx in the repository runs it as it is.
  if (process.platform !== 'win32') expect(statSync(join(again, 'main.cjs')).mode & 0o111).toBe(0o111)
  const notices = readFileSync(join(lib, 'THIRD_PARTY_NOTICES.txt'), 'utf8')
  expect(packages).toContain('commander')
  for (const name of packages) expect(notices).toContain(`\n${name} `)
})

test('source maps lead to the sources', () => {
  const maps = readdirSync(lib).filter((name) => name.endsWith('.map'))
  const sources = maps.flatMap((name): string[] => JSON.parse(readFileSync(join(lib, name), 'utf8')).sources)
  const own = sources.filter((path) => path.startsWith('../src/'))
  expect(own.length).toBeGreaterThan(200)
  for (const path of own) expect(existsSync(join(lib, path)), path).toBe(true)
})

test('lib/node.js reads compressed DICOM with what lies beside it', async () => {
  const alone = join(folder, 'alone')
  cpSync(lib, join(alone, 'lib'), { recursive: true })
  writeFileSync(join(alone, 'package.json'), '{ "type": "module", "version": "0" }')
  const program = `import { readVolume } from './lib/node.js'
    console.log(JSON.stringify([...(await readVolume(process.argv[1])).data]))`
  for (const { syntax, bits, parts } of compressedCases) {
    const path = join(folder, `${syntax}.dcm`)
    writeFileSync(path, encapsulatedFile(twoFrames(bits), parts, syntax))
    const options = { cwd: alone, encoding: 'utf8' } as const
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program, path], options)
    expect(JSON.parse(printed)).toEqual([...(await readVolume(path)).data])
  }
})

describe('lib/main.cjs', () => {
  test('prints its version, also to a reader that has gone', () => {
    expect(run(['--version'])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' })
    expect(run(['-V']).stdout).toBe(`${manifest.version}\n`)
    const piped = spawnSync('sh', ['-c', `'${process.execPath}' '${join(lib, 'main.cjs')}' --version | true; echo end`])
    if (process.platform !== 'win32') expect(String(piped.stderr) + String(piped.stdout)).toBe('end\n')
  })

  test('starts its threads', () => {
    expect(run(['phantom', '-o', 'data', '-n', '2', '-q'])).toMatchObject({ status: 0, stderr: '' })
    const noise = ['--sigma', '3', '--length', '12', '-q']
    const two = ['--threads', '2']
    const label = 'data/labelsTr/phantom_000.nii.gz'
    for (const threads of [two, ['--threads', '1']]) {
      const out = threads[1]
      const commands = [
        ['sample', label, '-o', `noisy${out}`, '-n', '3', ...noise, ...threads],
        ['sample', 'data', '-o', `set${out}`, '-n', '1', ...noise, ...threads],
      ]
      for (const command of commands) expect(run(command), command.join(' ')).toMatchObject({ status: 0, stderr: '' })
    }
    for (const kind of ['noisy', 'set']) {
      const names = readdirSync(join(folder, `${kind}1`), { recursive: true, encoding: 'utf8' })
      const images = names.filter((name) => name.endsWith('.nii.gz') && !name.includes('images'))
      expect(images.length).toBeGreaterThan(1)
      for (const name of images) {
        const [one, many] = [1, 2].map((n) => readFileSync(join(folder, `${kind}${n}`, name)))
        expect(one.equals(many), name).toBe(true)
      }
    }
    const scores = [two, ['--threads', '1']].map((threads) =>
      run(['evaluate', 'data/labelsTr', 'data/labelsTr', '--json', ...threads]),
    )
    expect(scores[0]).toMatchObject({ status: 0, stderr: '' })
    expect(scores[0]).toEqual(scores[1])
  })

  test('without ONNX Runtime, training says how to install it, and the demo leaves its networks out', () => {
    mkdirSync(join(folder, 'bare'))
    cpSync(lib, join(folder, 'bare/lib'), { recursive: true })
    cpSync(join(root, 'package.json'), join(folder, 'bare/package.json'))
    // Hides one that a folder above may hold.
    mkdirSync(join(folder, 'bare/node_modules/onnxruntime-node'), { recursive: true })
    writeFileSync(join(folder, 'bare/node_modules/onnxruntime-node/package.json'), '{ "exports": {} }')
    const env = { ...process.env, HALFDICE_RUNTIME: join(folder, 'nowhere'), HALFDICE_DEBUG: '', NODE_PATH: '' }
    const bare = (...args: string[]) => {
      const main = join(folder, 'bare/lib/main.cjs')
      const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, env, encoding: 'utf8' })
      return { status, stderr }
    }
    const remedy = 'ONNX Runtime: is not installed, and networks need it; run: npx halfdice runtime'
    expect(bare('phantom', '-o', 'few', '-q')).toEqual({ status: 0, stderr: '' })
    const refused = { status: 2, stderr: `halfdice: ${remedy}\n` }
    expect(bare('train', 'few', '-o', 'run', '--dimensions', '2', '--fold', 'none')).toEqual(refused)
    writeFileSync(join(folder, 'study.yaml'), 'preset: quick\ndata: {kind: phantom}\n')
    expect(bare('study', 'study.yaml', '-o', 'studied')).toEqual(refused)
    expect(existsSync(join(folder, 'studied/study.json'))).toBe(false)
    const left = 'the networks are left out: ONNX Runtime is not installed; for them run: npx halfdice runtime'
    expect(bare('demo', '-o', 'shown')).toEqual({ status: 0, stderr: `halfdice: warning: ${left}\n` })
    expect(existsSync(join(folder, 'shown/report.html'))).toBe(true)
    // The demo without networks takes half a minute, and longer beside other tests.
  }, 400_000)
})
