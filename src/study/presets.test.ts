import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseStudyConfig } from './config.ts'
import { exampleConfig } from './presets.ts'

/** The smallest configuration of each kind of data. */
const presetData = {
  nnunet: { folder: 'D' },
  totalsegmentator: { folder: 'D' },
  pairs: { images: 'I', labels: 'L', labelNames: { a: 1 } },
  phantom: { cases: 4 },
}
const small = { organs: ['a'], training: { steps: 1 }, softDice: {}, noise: { sigma: [1] } }

/** The example with its commented-out keys taken in, but for those named. */
function uncommented(but: readonly string[] = []): string {
  return exampleConfig.replaceAll(/^( *)# (\w+)(: .*)$/gm, (line, indent, key, rest) =>
    but.includes(key) ? line : `${indent}${key}${rest}`,
  )
}

/** The keys that the parser knows in a section, by what it says of one that it does not know. */
function knownKeys(section: string, kind: keyof typeof presetData): string[] {
  const config: Record<string, object> = { ...small, data: { kind, ...presetData[kind] } }
  const text = JSON.stringify(
    section === '' ? { ...config, nonsense: 0 } : { ...config, [section]: { ...config[section], nonsense: 0 } },
  )
  try {
    parseStudyConfig(text, 'study.yaml')
  } catch (error) {
    const [, list] = /nonsense' is unknown here; known are (.*)$/.exec((error as Error).message) ?? []
    if (list !== undefined) return list.split(', ')
    throw error
  }
  throw new Error(`the parser took a key that makes no sense in '${section}'`)
}

test.each(['', 'data', 'noise', 'training', 'softDice'])("the example has every key of section '%s'", (section) => {
  const kinds = Object.keys(presetData) as (keyof typeof presetData)[]
  const known = new Set(kinds.flatMap((kind) => knownKeys(section, kind)))
  expect(known.size).toBeGreaterThan(1)
  const written = parse(uncommented(), { uniqueKeys: false }) as Record<string, Record<string, unknown>>
  expect(Object.keys(section === '' ? written : written[section]).sort()).toEqual([...known].sort())
})

test('every line with a key says what it is for', () => {
  for (const line of exampleConfig.split('\n')) {
    if (/^ *(# )?\w+: ./.test(line)) expect(line, line).toMatch(/\S +# \S/)
  }
})

test('keys that are commented out show their defaults', () => {
  // These have no default that could be written, or belong to another kind of data.
  const without = 'split images labels labelNames shape seed cases patient length patch file label'.split(' ')
  const read = (text: string) => parseStudyConfig(text, 'study.yaml')
  expect(uncommented(without)).not.toBe(exampleConfig)
  expect(read(uncommented(without))).toEqual(read(exampleConfig))
})
