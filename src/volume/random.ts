import { InputError } from './errors.ts'

/** A stream of random numbers; number n of a stream is a hash of the stream's key and n. */
export interface RandomStream {
  /** Uniform on (0, 1). */
  uniform(): number
  /** Uniform on (low, high). */
  between(low: number, high: number): number
  /** Normal, by Box and Muller. */
  normal(mean?: number, sd?: number): number
  /** A whole number from 0 up to `n` (not included), for n far below 2³². */
  integer(n: number): number
  /** 32 random bits. */
  bits(): number
}

/**
 * The random stream that belongs to a key such as `(seed, case, 'liver')`. Streams of different keys are independent
 * for our purposes, so that adding an organ to the phantom does not change the others. The mixing function is murmur3's
 * finalizer, applied to a Weyl sequence (SplitMix's construction with 32-bit words); not for cryptography.
 */
export function randomStream(...key: readonly (number | string)[]): RandomStream {
  let weyl = 0x9e3779b9
  let salt = 0x85ebca6b
  for (const part of key) {
    const words = typeof part === 'string' ? [...part].map((c) => c.codePointAt(0) ?? 0) : numberWords(part)
    for (const word of words) {
      weyl = mix(weyl ^ word)
      salt = mix(salt + Math.imul(word, 0x9e3779b1) + weyl)
    }
  }
  const bits = (): number => {
    weyl = (weyl + 0x9e3779b9) | 0
    return mix(mix(weyl) ^ salt)
  }
  // 32 bits, shifted by half a step so that neither 0 nor 1 occurs.
  const uniform = (): number => (bits() + 0.5) / 4294967296
  const normal = (mean = 0, sd = 1): number =>
    mean + sd * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  return {
    bits,
    uniform,
    normal,
    between: (low, high) => low + (high - low) * uniform(),
    integer: (n) => Math.floor(uniform() * n),
  }
}

/**
 * The seed, a whole number below 2⁵³, that belongs to a key such as `(seed, case)`: `sample(streamSeed(0, 'liver_012'),
 * 0)` draws for each case with a field of its own. The same key gives the same seed in every process and browser;
 * different keys share one with probability 10⁻¹⁶.
 *
 * @param key numbers and texts, in an order that matters; ('a', 'bc') and ('ab', 'c') differ
 * @example
 * streamSeed(0, 'liver_012') === streamSeed(0, 'liver_013') // false
 */
export function streamSeed(...key: readonly (number | string)[]): number {
  // Texts go with their length, so that no two keys have the same words.
  const random = randomStream(...key.flatMap((part) => (typeof part === 'string' ? [part.length, part] : [part])))
  return random.bits() * 2 ** 21 + (random.bits() >>> 11)
}

/** Throws an InputError unless a seed or a sample's number is a whole number from 0 to 2⁵³ − 1. */
export function checkStreamNumber(value: number, subject: 'seed' | 'index'): void {
  if (!(Number.isSafeInteger(value) && value >= 0)) {
    throw new InputError(subject, `is ${value}; give a whole number from 0 to 2^53 - 1`)
  }
}

function numberWords(value: number): [number, number] {
  const words = new Uint32Array(new Float64Array([value]).buffer)
  return [words[0], words[1]]
}

function mix(h: number): number {
  let x = h | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
