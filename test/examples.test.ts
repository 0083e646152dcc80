import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as library from '../src/index.ts'
import * as node from '../src/node.ts'
import * as report from '../src/report.ts'

/** Needs a trained network; test/train.test.ts covers them. */
const needNetwork = new Set(['openModel', 'predictProbability', 'predictedMask', 'trainSegmentation'])

const scope = { ...node, ...report }
const values = [...exported('index'), ...exported('report'), ...exported('node')]
const folder = mkdtempSync(join(tmpdir(), 'halfdice-examples-'))
const home = process.cwd()

beforeAll(async () => {
  process.chdir(folder)
  const grid = library.createGrid([4, 1, 1])
  await node.writeVolume('liver.nii.gz', { grid, channels: 1, data: Uint8Array.of(0, 1, 1, 0) })
  await node.writeVolume('probabilities.nii.gz', { grid, channels: 1, data: Float32Array.of(0, 0.9, 0.8, 0.2) })
  // Two classes, as nnU-Net stores them: (classes, z, y, x).
  const p = { shape: [2, 1, 1, 4], data: Float32Array.of(0.9, 0.2, 0.1, 0.9, 0.1, 0.8, 0.9, 0.1) }
  const dataset = JSON.stringify({
    channel_names: { 0: 'CT' },
    labels: { background: 0, liver: 1 },
    file_ending: '.nii.gz',
  })
  mkdirSync('predictions')
  for (const where of ['.', 'predictions']) {
    await node.writeNpz(join(where, 'case.npz'), { probabilities: p })
    writeFileSync(join(where, 'dataset.json'), dataset)
  }
  await node.writeNpy('p.npy', p)
})

afterAll(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

describe('the example of each public value runs and gives what it shows', () => {
  test.each(values.map(({ name, file }) => [name, file] as const))('%s', async (name, file) => {
    const lines = exampleOf(name, file)
    if (needNetwork.has(name)) return
    vi.spyOn(console, 'log').mockImplementation(() => {})
    await run(lines)
  })
})

test('entry points hold what they are for', () => {
  expect(exported('index').length).toBeLessThanOrEqual(50)
  expect(Object.keys(library)).not.toContain('chart')
  expect(Object.keys(library)).not.toContain('readVolume')
})

/** The values that an entry point exports itself, and the files that they come from. */
function exported(entry: string): { name: string; file: string }[] {
  const source = readFileSync(join(import.meta.dirname, `../src/${entry}.ts`), 'utf8')
  return [...source.matchAll(/export \{([^}]*)\} from '\.\/([^']+)'/g)].flatMap(([, names, file]) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '))
      .map((name) => ({ name, file })),
  )
}

/** The lines of code of a value's `@example`. */
function exampleOf(name: string, file: string): string[] {
  const source = readFileSync(join(import.meta.dirname, '../src', file), 'utf8')
  const declaration = new RegExp(`^export (?:async )?(?:function\\*? ?|class |const )${name}\\b`, 'm').exec(source)
  const before = source.slice(0, declaration?.index ?? 0).trimEnd()
  const comment = before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : ''
  const example = comment.split('@example')[1]
  expect(example, `${name} in ${file} has no @example`).toBeDefined()
  return (example ?? '')
    .replace('*/', '')
    .split('\n')
    .map((line) => line.replace(/^ \* ?/, ''))
    .filter((line) => line.trim() !== '')
}

/** Runs the lines; where a comment stands behind an expression, its value is compared. */
async function run(lines: readonly string[]): Promise<void> {
  const shown: string[] = []
  const code = lines.map((line) => {
    const [, expression, comment] = /^(.*?\S)\s*\/\/ (.*)$/.exec(line) ?? []
    if (expression === undefined || /^(const|for|let|if| |\}|\))/.test(expression)) return line
    shown.push(comment)
    return `check(${shown.length - 1}, ${expression})`
  })
  let compared = 0
  const check = (index: number, value: unknown) => {
    compared++
    expectShown(value, shown[index])
  }
  const names = Object.keys(scope)
  const AsyncFunction = (async () => {}).constructor as new (...words: string[]) => (...all: unknown[]) => Promise<void>
  await new AsyncFunction('check', ...names, `{\n${code.join('\n')}\n}`)(check, ...names.map((n) => Object(scope)[n]))
  expect(compared).toBe(shown.length)
}

/** Compares a value with a comment such as `2/3`, `0.444…`, `[1, 2]: words` or `0.75 = (0.9 + 0.6)/2`. */
function expectShown(value: unknown, comment: string): void {
  const text = comment.replaceAll('·', '*').replace(/^\w+Array (?=\[)/, '')
  const ends = [...text.matchAll(/: | = |, t\*|$/g)].map(({ index }) => text.slice(0, index)).reverse()
  for (const candidate of ends) {
    const numbers = candidate.replace(/(\d+\.\d+)…/g, (_, digits: string) => `{ starts: '${digits}' }`)
    let expected: unknown
    try {
      expected = new Function(`return (${numbers})`)()
    } catch {
      continue
    }
    agree(value, expected, comment)
    return
  }
  expect.unreachable(`'${comment}' shows no value`)
}

function agree(value: unknown, expected: unknown, comment: string): void {
  if (typeof expected === 'number') {
    expect(Math.abs(Number(value) - expected), `${value} for ${comment}`).toBeLessThanOrEqual(1e-6 * Math.abs(expected))
  } else if (Array.isArray(expected)) {
    const items = Array.from(value as ArrayLike<unknown>)
    expect(items, comment).toHaveLength(expected.length)
    for (const [i, each] of expected.entries()) agree(items[i], each, comment)
  } else if (typeof expected === 'object' && expected !== null && 'starts' in expected) {
    expect(String(value)).toMatch(new RegExp(`^${String(expected.starts).replace('.', '\\.')}`))
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, each] of Object.entries(expected)) agree(Object(value)[key], each, comment)
  } else expect(value, comment).toBe(expected)
}
