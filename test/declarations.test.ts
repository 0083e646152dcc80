import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

test('declarations name no generic typed array: TypeScript before 5.7 does not know them', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))
  expect(files.length).toBeGreaterThan(50)
  const generic = files.filter((file) => /\b\w+\d+(Clamped)?Array</.test(readFileSync(`${dist}/${file}`, 'utf8')))
  expect(generic).toEqual([])
})

test('entry points export every type that their declarations name', () => {
  const files = new Map(
    ['index', 'report', 'node'].flatMap((entry) => exportsOf(readFileSync(`${dist}/${entry}.d.ts`, 'utf8'))),
  )
  expect(files.size).toBeGreaterThan(150)
  const missing = [...files].flatMap(([name, file]) => {
    const source = readFileSync(`${dist}/${file}`, 'utf8')
    const imported = [...source.matchAll(/^import (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) => namesIn(names))
    const declared = [...source.matchAll(/^export (?:declare )?(?:class|interface|type) (\w+)/gm)].map(([, own]) => own)
    const known = new Set([...imported, ...declared])
    const words = declarationOf(name, source).match(/\b[A-Z]\w+\b/g) ?? []
    return [...new Set(words)].filter((word) => known.has(word) && !files.has(word)).map((word) => `${word} (${name})`)
  })
  expect(missing).toEqual([])
})

/** Names that an entry point exports, with the declaration files that they come from. */
function exportsOf(entry: string): (readonly [name: string, file: string])[] {
  return [...entry.matchAll(/^export (?:type )?\{([^}]*)\} from '\.\/([^']+)\.(?:js|ts)'/gm)].flatMap(
    ([, names, file]) => namesIn(names).map((name) => [name, `${file}.d.ts`] as const),
  )
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '')
}

/** The declaration of a name, up to the next one, without comments. */
function declarationOf(name: string, source: string): string {
  const bare = source.replaceAll(/\/\*[\s\S]*?\*\//g, '')
  const start = bare.search(new RegExp(`^export (declare )?(class|const|function|interface|type) ${name}\\b`, 'm'))
  const [declaration] = bare.slice(start + 1).split(/^(?=export |interface |type |declare )/m)
  return declaration
}
