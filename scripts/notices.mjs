// What bundles owe to other people's programs: their names, versions and licences.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The folders of the packages whose modules are in the output of a bundler. */
export function packagesOf(output) {
  const modules = output.flatMap((chunk) => Object.entries(chunk.modules ?? {}))
  return new Set(modules.flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? (packageOf(id) ?? []) : [])))
}

/** The folder of the package that a module belongs to, where it is not ours. */
function packageOf(id) {
  return /^(?:.*[\\/])?node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id.replace(/^\0/, ''))?.[0]
}

export function noticesOf(folders) {
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const own = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
    // What a package does not bring itself: its licence, or those of what it holds in turn.
    const added = join(root, `scripts/licences/${name.replace('@', '').replace('/', '-')}.txt`)
    const files = [...(own ? [join(folder, own)] : []), ...(existsSync(added) ? [added] : [])]
    if (files.length === 0) throw new Error(`${name}: brings no text of its licence ${license}; add it as ${added}`)
    const texts = files.map((file) => readFileSync(file, 'utf8').trim())
    return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`
  })
  return `This program holds parts of other people's programs:\n\n${parts.join(`\n${'-'.repeat(78)}\n\n`)}`
}
