// Writes the arrows between rooms from CONTRIBUTING.md's table into biome.json; with --check, fails where they differ.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const table = readFileSync(`${root}CONTRIBUTING.md`, 'utf8')
const rooms = [...table.matchAll(/^\| `((?:src\/)?(\w+))\/` \|[^|]*\| ([^|]+) \|$/gm)].map(
  ([, folder, name, list]) => ({
    folder,
    name,
    allowed: list === '–' ? [] : list.split(',').map((each) => each.trim()),
  }),
)
const names = rooms.map(({ name }) => name)

for (const [place, { name, allowed }] of rooms.entries()) {
  const wrong = allowed.filter((each) => !names.slice(0, place).includes(each))
  if (wrong.length > 0) fail(`CONTRIBUTING.md: ${name}/ may import ${wrong.join(', ')}, which does not stand above it`)
}
const folders = readdirSync(`${root}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory())
const unlisted = folders.map((entry) => entry.name).filter((name) => !names.includes(name))
if (unlisted.length > 0) fail(`CONTRIBUTING.md: its table of rooms lacks ${unlisted.join(', ')}`)

const path = `${root}biome.json`
const text = readFileSync(path, 'utf8')
const config = JSON.parse(text)
const others = config.overrides.filter(({ includes }) => !rooms.some(({ folder }) => includes[0] === `${folder}/**`))
const wanted = `${JSON.stringify({ ...config, overrides: [...rooms.map(arrowsOf), ...others] }, null, 2)}\n`
// Compared as data: the formatter lays biome.json out in its own way.
if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(JSON.parse(wanted))) {
  if (process.argv.includes('--check'))
    fail('biome.json: its rooms differ from CONTRIBUTING.md; run: node scripts/rooms.mjs')
  writeFileSync(path, wanted)
}

function arrowsOf({ folder, name, allowed }) {
  const group = names.filter((each) => each !== name && !allowed.includes(each)).map((each) => `**/${each}/**`)
  const message = `${name}/ may import only from: ${allowed.join(', ') || 'nothing'} (CONTRIBUTING.md, rooms).`
  const options = { patterns: [{ group, message }] }
  return {
    includes: [`${folder}/**`],
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options } } } },
  }
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
