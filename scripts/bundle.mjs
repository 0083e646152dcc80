// What the package ships: lib/, the command line and the three entry points with all that they import in a few files,
// so that an installation is one package. All JavaScript lies in one folder, because workers are found beside the file
// that starts them; declarations keep their folders. Two runs write the same bytes.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { noticesOf, packagesOf } from './notices.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const imageIo = join(root, 'node_modules/@itk-wasm/image-io')
const lab = join(root, 'dist/lab')
const entries = ['index', 'node', 'report']

/** Writes the bundle into a folder, which it empties first. Returns the names of the packages that went in. */
export async function bundle(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const parts = [await bundleProgram(folder), await bundleStart(folder), await bundleItk(folder)]
  const packages = new Set(parts.flat())
  // npm sees to that where it installs; in the repository, npx runs the file as it is.
  chmodSync(join(folder, 'main.cjs'), 0o755)
  copyDeclarations(folder)
  // Where NiiVue is not installed, scripts/build-lab.mjs has said so.
  if (existsSync(lab)) cpSync(lab, join(folder, 'lab'), { recursive: true })
  const folders = [...packages].sort()
  writeFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), noticesOf(folders))
  return folders.map((each) => JSON.parse(readFileSync(join(each, 'package.json'), 'utf8')).name)
}

/** The program and the library, from the sources, so that source maps lead to them. */
function bundleProgram(folder) {
  const workers = workerModules().map((path) => [basename(path, '.ts'), path])
  const names = new Set([...entries, 'run', ...workers.map(([name]) => name)])
  if (names.size !== entries.length + 1 + workers.length) throw new Error('two workers have one name')
  // What cutting a map needs, which every command needs much of, in two files: each costs a third of a millisecond at
  // start. Nothing in what browsers load may need Node. All else stays apart, for the commands that need it.
  let [core, forBrowsers] = [new Set(), new Set()]
  const reach = {
    name: 'reach',
    buildEnd() {
      const from = (...names) =>
        reachable(
          names.map((name) => join(root, `src/${name}.ts`)),
          this,
        )
      core = from('cli/run', 'cli/threshold')
      // What it waits for must not wait for it.
      core.delete(join(root, 'src/cli/run.ts'))
      forBrowsers = from('index', 'report')
    },
  }
  const groups = [
    { name: 'shared', test: (id) => core.has(id) && forBrowsers.has(id) },
    { name: 'core', test: (id) => core.has(id) && !forBrowsers.has(id) },
  ]
  const options = {
    platform: 'node',
    // Their builds for Node would bring its modules into what browsers load.
    resolve: { alias: { fflate: 'fflate/browser', yaml: join(root, 'node_modules/yaml/browser/index.js') } },
    external: ['onnxruntime-node'],
    transform: { target: 'node20.19' },
    input: {
      ...Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
      run: 'src/cli/run.ts',
      ...Object.fromEntries(workers),
      ...Object.fromEntries(pools.map((name) => [name, `node_modules/tinypool/dist/${name}.js`])),
    },
    plugins: [reach, lateProcesses],
  }
  return write(folder, 'part', options, { codeSplitting: { groups } })
}

/** Commander starts programs for commands that are files, which ours are not: node:child_process takes milliseconds. */
const lateProcesses = {
  name: 'late-processes',
  transform(code, id) {
    if (!/commander[\\/]lib[\\/]command\.js$/.test(id)) return null
    const early = "const childProcess = require('node:child_process');"
    if (!code.includes(early)) throw new Error('commander loads node:child_process in another way; adapt this')
    const late = "const childProcess = { spawn: (...all) => require('node:child_process').spawn(...all) };"
    return { code: code.replace(early, late), map: null }
  },
}

/** What tinypool starts threads and processes with. */
const pools = ['entry/worker', 'entry/process']

/** Modules that entries import, and what these import. */
function reachable(entries, { getModuleInfo }) {
  const seen = new Set(entries)
  for (const id of seen) for (const imported of getModuleInfo(id)?.importedIds ?? []) seen.add(imported)
  return seen
}

/** Sources that others start as workers: `new URL('./NAME.js', import.meta.url)`. */
function workerModules() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return sources
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .flatMap((path) => {
      const source = readFileSync(join(root, 'src', path), 'utf8')
      const found = [...source.matchAll(/new URL\('\.\/([\w-]+)\.js', import\.meta\.url\)/g)].map(([, name]) => name)
      return found.filter((name) => name !== 'itk').map((name) => join('src', dirname(path), `${name}.ts`))
    })
    .sort()
}

/** The command line's first file: CommonJS, because Node starts its loader of modules only where one is imported. */
function bundleStart(folder) {
  const options = { platform: 'node', input: { main: 'src/cli/main.ts' } }
  const plugins = [{ name: 'run', resolveId: (id) => (id === './run.ts' ? { id: './run.js', external: true } : null) }]
  return write(folder, 'start', { ...options, plugins }, { format: 'cjs', entryFileNames: '[name].cjs' })
}

/** ITK's reader of DICOM (src/formats/itk-worker.ts), with the WebAssembly that it loads. */
async function bundleItk(folder) {
  const packages = await write(folder, 'itk', {
    platform: 'node',
    // The package's own list of files marks none as free of side effects; all of them are.
    treeshake: { moduleSideEffects: false },
    input: { itk: 'scripts/itk-entry.mjs' },
  })
  mkdirSync(join(folder, 'pipelines'))
  for (const name of ['gdcm-read-image.js', 'gdcm-read-image.wasm.zst']) {
    copyFileSync(join(imageIo, 'dist/pipelines', name), join(folder, 'pipelines', name))
  }
  return packages
}

/** Returns the folders of the packages that went in. */
async function write(folder, prefix, options, how = {}) {
  const built = await rolldown({ cwd: root, ...options })
  const { output } = await built.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: `${prefix}-[hash].js`,
    sourcemap: true,
    // As from lib/, wherever the bundle is written.
    sourcemapPathTransform: (source, map) => relative(join(root, 'lib'), resolve(dirname(map), source)),
    // Node shows the line of an error that nobody caught: lines stay as they are, without comments.
    comments: false,
    ...how,
  })
  await built.close()
  return [...packagesOf(output)]
}

/** Declarations that the entry points lead to, as the compiler wrote them. */
function copyDeclarations(folder) {
  const dist = join(root, 'dist')
  const seen = new Set()
  const visit = (path) => {
    if (seen.has(path)) return
    seen.add(path)
    const text = readFileSync(path, 'utf8')
    for (const [, to] of text.matchAll(/(?:from |import\()'(\.[^']+)\.(?:ts|js)'/g)) {
      visit(join(dirname(path), `${to}.d.ts`))
    }
    cpSync(path, join(folder, relative(dist, path)))
  }
  for (const name of entries) visit(join(dist, `${name}.d.ts`))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2] ?? join(root, 'lib'))
