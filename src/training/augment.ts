import type { Vec3 } from '../volume/grid.ts'
import type { RandomStream } from '../volume/random.ts'
import { copyPatch, type PreparedCase, resamplePatch } from './patch.ts'

/** Random changes of training images. Rotation and scaling are about the patch's centre. */
export interface Augmentation {
  /** Share of samples that are rotated and scaled. */
  readonly probability: number
  /** Largest rotation in mm space, in each plane of the patch whose axes have voxels of like size. */
  readonly rotationDegrees: number
  /** Smallest and largest magnification. */
  readonly scale: readonly [number, number]
  /** Largest random shift of the patch, in voxels of the finest axis, beyond where a patch may lie anyway. */
  readonly shiftVoxels: number
  /** Whether images may be mirrored along i, j, k. Not for axes that tell structures apart. */
  readonly flip: readonly [boolean, boolean, boolean]
  /** Deviation of the intensities' factor (around 1), offset and noise, in units of the normalised image. */
  readonly intensity: { readonly factor: number; readonly offset: number; readonly noise: number }
}

/**
 * Mirroring is off by default. It teaches a network that left and right are alike, which is wrong for every label that
 * depends on the side (left and right kidney, the heart's ventricles). Turn it on where sides do not matter.
 */
export const defaultAugmentation: Augmentation = {
  probability: 0.5,
  rotationDegrees: 15,
  scale: [0.85, 1.15],
  shiftVoxels: 4,
  flip: [false, false, false],
  intensity: { factor: 0.1, offset: 0.1, noise: 0.05 },
}

export const noAugmentation: Augmentation = {
  probability: 0,
  rotationDegrees: 0,
  scale: [1, 1],
  shiftVoxels: 0,
  flip: [false, false, false],
  intensity: { factor: 0, offset: 0, noise: 0 },
}

/** Above this ratio of spacings two axes are not rotated into each other, as in nnU-Net: thick slices would blur. */
const mostAnisotropic = 3

type Triple = [number, number, number]

/**
 * Draws one training sample: a patch around a random centre (one in three around a labelled voxel, as in nnU-Net),
 * transformed, with its targets (1 inside, 0 outside). Beyond the image: its lowest value, and no label. With a
 * patch of depth 1 a slice of the volume is drawn.
 *
 * @param patch size along (i, j, k)
 */
export function drawSample(
  source: PreparedCase,
  patch: readonly [number, number, number],
  augmentation: Augmentation,
  random: RandomStream,
  image: Float32Array,
  target: Float32Array,
): void {
  const { spacingMm } = source.image.placement
  const finest = Math.min(...(patch[2] > 1 ? spacingMm : spacingMm.slice(0, 2)))
  const shifts = spacingMm.map((s) => (augmentation.shiftVoxels * finest) / s)
  const centre = drawCentre(source, patch, shifts, random)
  const transformed = random.uniform() < augmentation.probability
  const matrix = drawMatrix(augmentation, spacingMm, patch[2] > 1, transformed, random)
  const outputs = target.length / (patch[0] * patch[1] * patch[2])
  if (transformed) resamplePatch(source, patch, centre, matrix, image, target, outputs)
  else
    copyPatch(
      source,
      patch,
      centre.map(Math.round) as Triple,
      [matrix[0], matrix[4], matrix[8]],
      image,
      target,
      outputs,
    )
  const voxels = patch[0] * patch[1] * patch[2]
  for (let channel = 0; channel < source.image.channels; channel++) {
    const { factor, offset, noise } = augmentation.intensity
    disturb(image.subarray(channel * voxels, (channel + 1) * voxels), factor, offset, noise, random)
  }
}

/** The voxel (fractional) at the patch's centre. */
function drawCentre(
  source: PreparedCase,
  patch: readonly number[],
  shifts: readonly number[],
  random: RandomStream,
): Triple {
  const { size } = source.image.placement
  const { foreground } = source
  const anchor =
    random.uniform() < 1 / 3 && foreground.length > 0
      ? foreground[Math.floor(random.uniform() * foreground.length)]
      : -1
  const inside =
    anchor < 0
      ? undefined
      : [anchor % size[0], Math.floor(anchor / size[0]) % size[1], Math.floor(anchor / size[0] / size[1])]
  return size.map((n, axis) => {
    const p = patch[axis]
    const jitter = (2 * random.uniform() - 1) * shifts[axis]
    const u = random.uniform()
    if (p === 1) return inside === undefined ? Math.floor(u * n) : inside[axis]
    // Where the patch covers the image it stays in the middle, else it lies anywhere within (half a patch from the
    // ends).
    const [low, high] = n <= p ? [(n - 1) / 2, (n - 1) / 2] : [(p - 1) / 2, n - 1 - (p - 1) / 2]
    const middle = inside === undefined ? low + u * (high - low) : Math.min(high, Math.max(low, inside[axis]))
    return middle + jitter
  }) as Triple
}

/** Patch offsets to image offsets, row by row over (i, j, k). */
function drawMatrix(
  { rotationDegrees, scale, flip }: Augmentation,
  spacingMm: Vec3,
  deep: boolean,
  transformed: boolean,
  random: RandomStream,
): number[] {
  const signs = flip.map((allowed, axis) => {
    const mirrored = random.uniform() < 0.5
    return allowed && mirrored && (axis < 2 || deep) ? -1 : 1
  })
  let matrix = [signs[0], 0, 0, 0, signs[1], 0, 0, 0, signs[2]]
  if (!transformed) return matrix
  const magnification = Math.exp(random.between(Math.log(scale[0]), Math.log(scale[1])))
  const planes: [number, number][] = deep
    ? [
        [0, 1],
        [0, 2],
        [1, 2],
      ]
    : [[0, 1]]
  for (const [a, b] of planes) {
    const angle = ((2 * random.uniform() - 1) * rotationDegrees * Math.PI) / 180
    const rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    rotation[4 * a] = rotation[4 * b] = Math.cos(angle)
    rotation[3 * a + b] = -Math.sin(angle)
    rotation[3 * b + a] = Math.sin(angle)
    const ratio = spacingMm[a] / spacingMm[b]
    if (Math.max(ratio, 1 / ratio) > mostAnisotropic) continue
    matrix = product(rotation, matrix)
  }
  // From mm to voxels: a rotation of the body, whatever the shape of its voxels.
  return matrix.map((m, i) => {
    const magnified = deep || i !== 8 ? m / magnification : m
    return (magnified * spacingMm[i % 3]) / spacingMm[Math.floor(i / 3)]
  })
}

function product(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [3 * Math.floor(i / 3), i % 3]
    return a[row] * b[column] + a[row + 1] * b[3 + column] + a[row + 2] * b[6 + column]
  })
}

function disturb(image: Float32Array, factor: number, offset: number, noise: number, random: RandomStream): void {
  if (factor === 0 && offset === 0 && noise === 0) return
  const scale = Math.exp(factor * random.normal())
  const shift = offset * random.normal()
  const deviation = noise * random.uniform()
  // Uniform noise of the same deviation takes a fifth of the time of normal noise, and after the first convolution's
  // sums the two look alike.
  const width = deviation * Math.sqrt(12)
  let state = random.bits() | 1
  for (let i = 0; i < image.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223
    image[i] = image[i] * scale + shift + width * ((state >>> 8) / 2 ** 24 - 0.5)
  }
}
