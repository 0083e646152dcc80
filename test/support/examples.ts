import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/** A value that an entry point exports, and the file that it comes from. */
export interface PublicValue {
  readonly name: string
  readonly file: string
}

/** Code of an `@example`, in which `show(…)` stands around each expression with a comment behind it. */
export interface Example {
  readonly code: string
  readonly comments: readonly string[]
  /** Lines whose values would not be compared, and why. */
  readonly faults: readonly string[]
}

/** The values that `src/ENTRY.ts` exports itself. */
export function publicValues(root: string, entry: string): PublicValue[] {
  const source = readFileSync(join(root, `src/${entry}.ts`), 'utf8')
  return [...source.matchAll(/export \{([^}]*)\} from '\.\/([^']+)'/g)].flatMap(([, names, file]) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '))
      .map((name) => ({ name, file })),
  )
}

/** The `@example` in the comment before a value's declaration, if it has one. */
export function exampleOf(root: string, name: string, file: string): Example | undefined {
  const source = readFileSync(join(root, 'src', file), 'utf8')
  const declaration = new RegExp(`^export (?:async )?(?:function\\*? ?|class |const )${name}\\b`, 'm').exec(source)
  const before = source.slice(0, declaration?.index ?? 0).trimEnd()
  const comment = before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : ''
  const text = comment.split('@example')[1]
  if (text === undefined) return undefined
  const lines = text
    .replace('*/', '')
    .split('\n')
    .map((line) => line.replace(/^ \* ?/, '').trimEnd())
    .filter((line) => line !== '')
  const comments: string[] = []
  const faults: string[] = []
  const code = lines.map((line) => {
    if (/\/\/$/.test(line)) faults.push(`'${line}' ends in an empty comment; its value belongs there`)
    const [, expression, comment] = /^(.*?\S)\s*\/\/ (.*)$/.exec(line) ?? []
    if (expression === undefined) return line
    if (/^(\s|const |for |let |if |await \w+\(.*\)$|[})])/.test(expression)) {
      if (valueIn(comment) !== undefined) faults.push(`'${comment}' stands behind no whole expression`)
      return line
    }
    comments.push(comment)
    return `show(${expression})`
  })
  return { code: code.join('\n'), comments, faults }
}

/** Compares a value with a comment such as `2/3`, `0.444…`, `[1, 2]: words` or `0.75 = (0.9 + 0.6)/2`. */
export function expectShown(value: unknown, comment: string): void {
  const expected = valueIn(comment)
  if (expected) agree(value, expected.value, comment)
  else expect.unreachable(`'${comment}' shows no value`)
}

/** The value that a comment shows, up to the words of explanation behind it. */
function valueIn(comment: string): { readonly value: unknown } | undefined {
  const text = comment.replaceAll('·', '*').replace(/^\w+Array (?=\[)/, '')
  const ends = [...text.matchAll(/: | = |, t\*|$/g)].map(({ index }) => text.slice(0, index)).reverse()
  for (const candidate of ends) {
    const numbers = candidate.replace(/(\d+\.\d+)…/g, (_, digits: string) => `{ starts: '${digits}' }`)
    try {
      return { value: new Function(`return (${numbers})`)() }
    } catch {
      // Words: what comes before them may be a value.
    }
  }
  return undefined
}

function agree(value: unknown, expected: unknown, comment: string): void {
  if (typeof expected === 'number') {
    expect(typeof value, comment).toBe('number')
    // Examples hold float32 numbers, whose last digit is 6·10⁻⁸ of them.
    const tolerance = 1e-6 * Math.abs(expected)
    expect(Math.abs(Number(value) - expected), `${value} for ${comment}`).toBeLessThanOrEqual(tolerance)
  } else if (Array.isArray(expected)) {
    const items = Array.from(value as ArrayLike<unknown>)
    expect(items, comment).toHaveLength(expected.length)
    for (const [i, each] of expected.entries()) agree(items[i], each, comment)
  } else if (typeof expected === 'object' && expected !== null && 'starts' in expected) {
    expect(String(value), comment).toMatch(new RegExp(`^${String(expected.starts).replace('.', '\\.')}`))
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, each] of Object.entries(expected)) agree(Object(value)[key], each, comment)
  } else expect(value, comment).toBe(expected)
}
