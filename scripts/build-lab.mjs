// Builds the browser lab into dist/lab: a static site that any web server may give out, and `halfdice lab` does.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { noticesOf, packagesOf } from './notices.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const app = join(root, 'app')
const target = join(root, 'dist/lab')

if (!existsSync(join(root, 'node_modules/@niivue/niivue'))) {
  const text = 'NiiVue is not installed, so dist/lab is not built; run: npm ci'
  if (process.env.CI) throw new Error(text)
  console.warn(text)
  process.exit(0)
}

/** What stands in for Node's modules in a worker (app/node). */
const standIns = {
  buffer: 'buffer',
  crypto: 'crypto',
  fs: 'fs',
  'fs/promises': 'fs-promises',
  module: 'refused',
  os: 'refused',
  path: 'path',
  stream: 'stream',
  url: 'refused',
  util: 'refused',
  worker_threads: 'refused',
  zlib: 'zlib',
}

const inBrowser = {
  name: 'in-browser',
  resolveId(id) {
    if (id.startsWith('node:')) {
      const name = standIns[id.slice(5)]
      if (name === undefined) throw new Error(`${id} has nothing that stands in for it in app/node`)
      return join(app, 'node', `${name}.ts`)
    }
    // Compression of Zarr, which NiiVue reads and the page does not: half of its size.
    if (/^numcodecs\//.test(id)) return join(app, 'node/refused.ts')
    if (id === './compressed.ts') return join(app, 'node/compressed.ts')
    return null
  },
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
const built = await rolldown({
  cwd: root,
  platform: 'browser',
  input: { lab: 'app/main.ts', worker: 'app/worker/worker.ts' },
  plugins: [inBrowser],
  transform: { define: { 'process.platform': '"browser"', 'process.env': '{}', VERSION: JSON.stringify(version) } },
  onLog(level, log, handler) {
    if (level === 'warn' && log.id?.includes('node_modules')) return
    // What the command line loads late, the worker may need at once.
    if (log.code === 'INEFFECTIVE_DYNAMIC_IMPORT') return
    if (level === 'warn') throw new Error(log.message)
    handler(level, log)
  },
})
const { output } = await built.write({
  dir: target,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  sourcemap: false,
  minify: true,
})
await built.close()
for (const name of ['index.html', 'lab.css', 'icon.svg']) cpSync(join(app, name), join(target, name))
const page = readFileSync(join(target, 'index.html'), 'utf8').replaceAll('VERSION', version)
writeFileSync(join(target, 'index.html'), page)
writeFileSync(join(target, 'THIRD_PARTY_NOTICES.txt'), noticesOf(packagesOf(output)))
