// Audits package-lock.json without a network: every package comes from the npm registry and is pinned by a checksum,
// has a licence that may go into an MIT package's tools, and runs no script at installation but for those listed here;
// and nothing of it would be installed with the published package. An argument names another folder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'))
const manifest = read('package.json')
const lock = read('package-lock.json')

/** Packages whose install scripts npm may run in a checkout, and why. */
const scripts = new Map([['protobufjs', 'prints a notice about version ranges; nothing is built or fetched']])

const permissive = 'MIT ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 BlueOak-1.0.0 CC-BY-4.0 Python-2.0'
/** Weak copyleft: of files that stay as they are, in tools that do not go into the package. */
const licences = new Set([...permissive.split(' '), 'MPL-2.0'])

const faults = []
const counts = new Map()
for (const [path, about] of Object.entries(lock.packages)) {
  if (path === '') continue
  const name = path.replace(/^.*node_modules\//, '')
  const which = `${name} ${about.version}`
  if (!/^sha512-[\w+/]{86}==$/.test(about.integrity ?? '')) faults.push(`${which}: has no SHA-512 checksum`)
  // Left out where it is the registry that npm is set to.
  if (about.resolved !== undefined && !about.resolved.startsWith('https://registry.npmjs.org/')) {
    faults.push(`${which}: comes from ${about.resolved}`)
  }
  if (about.hasInstallScript && !scripts.has(name)) faults.push(`${which}: runs a script at installation`)
  if (!isKnown(about.license)) faults.push(`${which}: has the licence ${about.license}`)
  if (!about.dev && !about.peer) faults.push(`${which}: would be installed with the package`)
  counts.set(about.license, (counts.get(about.license) ?? 0) + 1)
}
for (const kind of ['dependencies', 'optionalDependencies']) {
  for (const name of Object.keys(manifest[kind] ?? {})) faults.push(`${name}: is one of package.json's ${kind}`)
}
for (const script of ['preinstall', 'install', 'postinstall']) {
  if (manifest.scripts?.[script] !== undefined) faults.push(`package.json: has a script ${script}`)
}

for (const fault of faults) console.error(fault)
const listed = [...counts].sort(([, a], [, b]) => b - a).map(([licence, n]) => `${licence} ${n}`)
console.log(`${Object.keys(lock.packages).length - 1} packages, all for development; licences: ${listed.join(', ')}`)
process.exitCode = faults.length > 0 ? 1 : 0

/** A licence, or a choice or sum of licences, of which each is known. */
function isKnown(expression) {
  const parts = String(expression)
    .replace(/[()]/g, '')
    .split(/ (?:OR|AND) /)
  return parts.every((part) => licences.has(part))
}
