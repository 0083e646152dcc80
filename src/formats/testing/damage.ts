import { InputError } from '../../volume/errors.ts'

/** A random integer below a bound. */
export type Below = (bound: number) => number

/** Mulberry32: the cases are the same on every run. */
export function generator(seed: number): Below {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** How many cases to try: `HALFDICE_FUZZ=50 npx vitest run fuzz` tries fifty times as many. */
export function cases(count: number): number {
  return Math.ceil(count * Number(process.env.HALFDICE_FUZZ ?? 1))
}

const extremes = [0, 1, 2, 0x7f, 0x80, 0xff]

/**
 * One to four faults: bytes set to random or extreme values (mostly in the first `head` bytes), runs, cuts, insertions.
 */
export function damaged(bytes: Uint8Array, head: number, random: Below): Uint8Array {
  let out = Uint8Array.from(bytes)
  for (let faults = 1 + random(4); faults > 0 && out.length > 0; faults--) {
    const at = random(random(4) > 0 ? Math.min(head, out.length) : out.length)
    const kind = random(8)
    if (kind < 3) out[at] = random(256)
    else if (kind < 5) out.fill(extremes[random(extremes.length)], at, at + 1 + random(8))
    else if (kind === 5) out[at] ^= 1 << random(8)
    else if (kind === 6) out = out.slice(0, random(out.length + 1))
    else
      out = Uint8Array.of(
        ...out.subarray(0, at),
        ...Array.from({ length: random(20) }, () => random(256)),
        ...out.subarray(at),
      )
  }
  return out
}

const hostileWords = [
  '0',
  '-1',
  '1e999',
  'nan',
  'inf',
  '4294967296',
  '9'.repeat(40),
  '',
  '()',
  'none',
  '__proto__',
  '%d',
  '\n',
]

/** The same for text: besides bytes, whole words are replaced, doubled or left out. */
export function damagedText(text: string, random: Below): Uint8Array {
  let words = text.split(/(?<=[\s,:=()"])/)
  for (let faults = 1 + random(3); faults > 0; faults--) {
    const at = random(words.length)
    const kind = random(6)
    if (kind < 3) words[at] = `${hostileWords[random(hostileWords.length)]}${/\s$/.exec(words[at])?.[0] ?? ''}`
    else if (kind === 3) words = words.toSpliced(at, 0, words[random(words.length)])
    else if (kind === 4) words = words.toSpliced(at, 1)
    else return damaged(new TextEncoder().encode(words.join('')), words.join('').length, random)
  }
  return new TextEncoder().encode(words.join(''))
}

/** A copy with one bit turned, at or behind byte `from`. */
export function flipped(bytes: Uint8Array, from: number, random: Below): Uint8Array {
  const out = Uint8Array.from(bytes)
  out[from + random(out.length - from)] ^= 1 << random(8)
  return out
}

/** No file this small takes as long on any machine, unless reading it depends on what it claims. */
const maxMs = 3000

/** The result of reading, or undefined where it ended in an InputError of one line, as it should. */
export async function outcome<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  const start = performance.now()
  const result = await resultOf(read)
  const ms = performance.now() - start
  if (ms > maxMs) throw new Error(`reading took ${ms.toFixed(0)} ms`)
  return result
}

async function resultOf<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    if (error.message.includes('\n')) throw new Error(`an error message of several lines: ${error.message}`)
    return undefined
  }
}
