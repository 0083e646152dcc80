// npm run docs: the API reference and all documents as a static site in out/docs, whose links are checked. Its tools
// are a project of their own, because TypeDoc needs an older compiler.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const site = join(root, 'site')
const out = join(root, 'out/docs')

if (!existsSync(join(site, 'node_modules/typedoc'))) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  execFileSync('npm', args, { cwd: site, stdio: 'inherit', shell: process.platform === 'win32' })
}
const typedoc = [join(site, 'node_modules/typedoc/bin/typedoc'), '--options', join(site, 'typedoc.config.mjs')]
execFileSync(process.execPath, typedoc, { cwd: root, stdio: 'inherit' })

const broken = brokenLinks(out)
for (const link of broken) console.error(link)
console.log(`${relative(root, out)}/index.html: ${pagesIn(out).length} pages, ${broken.length} broken links`)
process.exitCode = broken.length > 0 ? 1 : 0

function pagesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
}

/** Links within the site that lead to no file, or to no place in it. */
function brokenLinks(folder) {
  const texts = new Map(pagesIn(folder).map((name) => [join(folder, name), readFileSync(join(folder, name), 'utf8')]))
  const anchors = new Map([...texts].map(([path, text]) => [path, new Set(idsIn(text))]))
  const faults = new Set()
  for (const [path, text] of texts) {
    for (const [, link] of text.matchAll(/\b(?:href|src)="([^"]*)"/g)) {
      if (/^([a-z]+:|\/\/)/i.test(link)) continue
      const [to, anchor] = link.replaceAll('&amp;', '&').split('#').map(decodeURIComponent)
      const target = to === '' ? path : join(dirname(path), to)
      const known = anchors.get(target)
      if (!existsSync(target)) faults.add(`${relative(folder, path)}: ${link} leads to no file`)
      else if (anchor && known && !known.has(anchor)) faults.add(`${relative(folder, path)}: ${link} leads nowhere`)
    }
  }
  return [...faults]
}

function idsIn(text) {
  return [...text.matchAll(/\b(?:id|name)="([^"]*)"/g)].map(([, id]) => id.replaceAll('&amp;', '&'))
}
