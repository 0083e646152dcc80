// The built command line and all that it imports as a few files, for packages that bring their own copy (the Python
// wheel). What only some commands need, and is large, stays outside: it is asked for by the line that installs it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { noticesOf, packagesOf } from './notices.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const outside = ['onnxruntime-node', '@itk-wasm/image-io']

/**
 * Writes the bundle into a folder: `dist/cli/main.js` and what it loads, `package.json`, licences of all that is in it.
 * All files lie in one folder, since workers are found beside the file that starts them.
 */
export async function bundle(folder) {
  const cli = join(folder, 'dist/cli')
  const built = await rolldown({
    cwd: root,
    platform: 'node',
    external: [...outside, ...outside.map((name) => new RegExp(`^${name}/`))],
    input: {
      main: 'dist/cli/main.js',
      'sample-worker': 'dist/datasets/sample-worker.js',
      worker: 'dist/study/worker.js',
      'entry/worker': 'node_modules/tinypool/dist/entry/worker.js',
    },
  })
  const { output } = await built.write({
    dir: cli,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'part-[hash].js',
    sourcemap: false,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  })
  await built.close()
  const packages = packagesOf(output)
  const { name, version, license, type, engines } = manifest
  const optionalDependencies = Object.fromEntries(
    outside.map((each) => [each, manifest.dependencies[each] ?? manifest.optionalDependencies[each]]),
  )
  const about = { name, version, private: true, bundled: true, license, type, engines, optionalDependencies }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`)
  writeFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), noticesOf(packages))
  return packages
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]
  if (!folder || !existsSync(dirname(folder))) throw new Error('give a folder to write the bundle into')
  mkdirSync(folder, { recursive: true })
  await bundle(folder)
}
