import { Arena, instantiate } from './wasm/arena.ts'
import { wasmBase64 } from './wasm/generated/voxels.ts'

// Passes over whole volumes. Blocks are copied into WebAssembly's memory (assembly/voxels.ts), which costs less than
// looking at each number in JavaScript: a quarter of the time over the cases of bench/threshold-cohort.mjs.

/** Voxels a block: with the results, what fits the processor's first caches. */
const blockLength = 8192

/** IEEE 754 binary16 numbers, as their bits, written to `out` as float32: exactly, NaN and infinities included. */
export function floatsFromHalves(source: Uint16Array, out: Float32Array): void {
  const { halves, floats, run } = (kernel ??= createKernel())
  for (let start = 0; start < source.length; start += blockLength) {
    const part = source.subarray(start, start + blockLength)
    halves.set(part)
    run.floatsFromHalves(floats.byteOffset, halves.byteOffset, roundUp(part.length, 8))
    out.set(part.length === blockLength ? floats : floats.subarray(0, part.length), start)
  }
}

/** The largest bits of any number, compared as unsigned: NaN and what has a sign are larger than all other numbers. */
export function largestBits(m: Float32Array): number {
  const { run } = (kernel ??= createKernel())
  let largest = 0
  for (let start = 0; start < m.length; start += blockLength) {
    const { at, length } = load(m, start)
    largest = Math.max(largest, run.largestBits(at, length) >>> 0)
  }
  return largest
}

/**
 * Where the bits, as signed numbers, of m[start] and the numbers behind it are at least `bits` (above 0): their
 * distances from `start`, in order, within one block. A view that holds until the next call.
 */
export function positionsFrom(m: Float32Array, start: number, bits: number): Uint16Array {
  const { positions, run } = (kernel ??= createKernel())
  const { at, length } = load(m, start)
  return positions.subarray(0, run.positionsFrom(at, length, bits, positions.byteOffset))
}

/** Numbers that `positionsFrom` looks at. */
export const positionsBlock = blockLength

/** Copies a block, padded with zeros. */
function load(m: Float32Array, start: number): { at: number; length: number } {
  const { floats } = (kernel ??= createKernel())
  const part = m.subarray(start, start + blockLength)
  const length = roundUp(part.length, 16)
  floats.set(part)
  floats.fill(0, part.length, length)
  return { at: floats.byteOffset, length }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}

interface Kernel {
  readonly halves: Uint16Array
  readonly floats: Float32Array
  readonly positions: Uint16Array
  readonly run: {
    floatsFromHalves(out: number, source: number, length: number): void
    largestBits(source: number, length: number): number
    positionsFrom(source: number, length: number, bits: number, out: number): number
  }
}

let kernel: Kernel | undefined

function createKernel(): Kernel {
  const arena = new Arena()
  const [floats, halves, positions] = [4, 2, 2].map((bytes) => arena.reserve(bytes * blockLength))
  const shorts = (at: number) => new Uint16Array(arena.memory.buffer, at, blockLength)
  const run = instantiate<Kernel['run']>(wasmBase64, arena)
  return { floats: arena.floats(floats, blockLength), halves: shorts(halves), positions: shorts(positions), run }
}
