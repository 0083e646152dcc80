// The built command line and all that it imports as a few files, for packages that bring their own copy (the Python
// wheel). What only some commands need, and is large, stays outside: it is asked for by the line that installs it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

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
  const packages = new Set(output.flatMap(({ moduleIds = [] }) => moduleIds.flatMap((id) => packageOf(id) ?? [])))
  const { name, version, license, type, engines } = manifest
  const optionalDependencies = Object.fromEntries(
    outside.map((each) => [each, manifest.dependencies[each] ?? manifest.optionalDependencies[each]]),
  )
  const about = { name, version, private: true, bundled: true, license, type, engines, optionalDependencies }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`)
  writeFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), notices([...packages].sort()))
  return packages
}

/** The folder of the package that a module belongs to, where it is not ours. */
function packageOf(id) {
  return /^(?:.*[\\/])?node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id.replace(/^\0/, ''))?.[0]
}

function notices(folders) {
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const own = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
    const file = own ? join(folder, own) : join(root, `scripts/licences/${name.replace('@', '').replace('/', '-')}.txt`)
    if (!existsSync(file)) throw new Error(`${name}: brings no text of its licence ${license}; add it as ${file}`)
    return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8').trim()}\n`
  })
  return `This program holds parts of other people's programs:\n\n${parts.join(`\n${'-'.repeat(78)}\n\n`)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]
  if (!folder || !existsSync(dirname(folder))) throw new Error('give a folder to write the bundle into')
  mkdirSync(folder, { recursive: true })
  await bundle(folder)
}
