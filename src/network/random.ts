export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number
  /** Standard normal. */
  normal(): number
  /** A whole number from 0 up to `n` (not included). */
  integer(n: number): number
}

/**
 * Random numbers that a seed and a stream number fix: each step of training has its own stream, so that a run may
 * stop at any step and go on as if it had not. Generator: sfc32 (Chris Doty-Humphrey, PractRand).
 */
export function createRandom(seed: number, stream: number): Random {
  let a = Math.floor(seed / 2 ** 32) | 0
  let b = seed | 0
  let c = stream | 0
  let counter = 1
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  // The author's recommendation: 12 rounds after seeding with little entropy.
  for (let i = 0; i < 12; i++) next()
  const uniform = () => next() / 2 ** 32
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log((next() + 1) / 2 ** 32)) * Math.cos(2 * Math.PI * uniform()),
    integer: (n) => Math.floor(uniform() * n),
  }
}
