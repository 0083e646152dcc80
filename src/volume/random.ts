/** A stream of random numbers; number n of a stream is a hash of the stream's key and n. */
export interface RandomStream {
  /** Uniform on (0, 1). */
  uniform(): number
  /** Uniform on (low, high). */
  between(low: number, high: number): number
  /** Normal, by Box and Muller. */
  normal(mean?: number, sd?: number): number
  /** 32 random bits. */
  bits(): number
}

/**
 * The random stream that belongs to a key such as `(seed, case, 'liver')`. Streams of different keys are independent for
 * our purposes, so that adding an organ to the phantom does not change the others. The mixing function is murmur3's
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
  return { bits, uniform, normal, between: (low, high) => low + (high - low) * uniform() }
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
