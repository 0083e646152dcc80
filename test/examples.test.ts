import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize } from 'node:v8'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Example, exampleOf, expectShown, type PublicValue, publicValues } from './support/examples.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = { halfdice: 'index', 'halfdice/report': 'report', 'halfdice/node': 'node' }
const values: (PublicValue & { entry: string })[] = Object.entries(entries).flatMap(([entry, file]) =>
  publicValues(root, file).map((value) => ({ ...value, entry })),
)
const folder = mkdtempSync(join(tmpdir(), 'halfdice-examples-'))
const examples = new Map<string, Example>()
let faults = ''
let shown: Record<string, { values: unknown[]; error?: string }> = {}

beforeAll(() => {
  for (const { name, file } of values) {
    const example = exampleOf(root, name, file)
    if (example) examples.set(name, example)
  }
  writePackage()
  for (const [name, { code }] of examples) writeFileSync(join(folder, `${name}.ts`), moduleOf(code))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  faults = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: folder, encoding: 'utf8' }).stdout
  const runner = join(root, 'test/support/run-examples.mjs')
  execFileSync(process.execPath, [runner, ...examples.keys()], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  shown = deserialize(readFileSync(join(folder, 'shown')))
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true }))

describe('the example of each public value', () => {
  test.each(values.map(({ name, file }) => [name, file] as const))('%s', (name, file) => {
    const example = examples.get(name)
    if (!example) return expect.unreachable(`${name} in src/${file} has no @example`)
    expect(example.faults).toEqual([])
    const own = faults.split('\n').filter((line) => line.startsWith(`${name}.ts`))
    expect(own, 'is accepted by the compiler').toEqual([])
    expect(shown[name].error, 'runs').toBeUndefined()
    expect(shown[name].values, 'shows every value once').toHaveLength(example.comments.length)
    for (const [i, comment] of example.comments.entries()) expectShown(shown[name].values[i], comment)
  })
})

test('the example of docs/pipelines.md prints what it shows', () => {
  const page = readFileSync(join(root, 'docs/pipelines.md'), 'utf8')
  const code = /^```js\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  writeFileSync(join(folder, 'page.mjs'), code)
  const printed = execFileSync(process.execPath, ['page.mjs'], { cwd: folder, encoding: 'utf8' })
  // Numbers are shown by their first digits: 0.4444…
  const digits = printed.trim().replaceAll(/(\.\d{4})\d+/g, '$1…')
  expect(code.trimEnd()).toMatch(/console\.log\(/)
  expect(code.trimEnd().endsWith(`// ${digits}`), digits).toBe(true)
})

test('entry points hold what they are for', () => {
  const names = (entry: string) => values.filter((value) => value.entry === entry).map(({ name }) => name)
  expect(names('halfdice').length).toBeLessThanOrEqual(50)
  expect(names('halfdice')).not.toContain('chart')
  expect(names('halfdice')).not.toContain('readVolume')
  expect(new Set(values.map(({ name }) => name)).size, 'no name in two entry points').toBe(values.length)
})

/** A folder in which the built package is installed, as a user's is. */
function writePackage(): void {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/halfdice'), 'dir')
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const compilerOptions = {
    ...{ module: 'NodeNext', target: 'ES2022', lib: ['ES2023', 'DOM'], outDir: 'compiled', rootDir: '.' },
    ...{ strict: true, skipLibCheck: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
}

/** The code of an example as a module that takes what it uses from the entry points. */
function moduleOf(code: string): string {
  const used = values.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(code))
  const imports = Object.keys(entries).flatMap((entry) => {
    const names = used.filter((value) => value.entry === entry).map(({ name }) => name)
    return names.length > 0 ? [`import { ${names.join(', ')} } from '${entry}'`] : []
  })
  const head = 'export async function example(show: (value: unknown) => void): Promise<void> {'
  return `${imports.join('\n')}\n${head}\n${code}\n}\n`
}
