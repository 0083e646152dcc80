import { open, readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { type Mat3, type Vec3, vec3 } from '../volume/grid.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { inputFault } from './file-faults.ts'
import { readItkImage } from './itk-file.ts'
import { volumeOfItk } from './itk-image.ts'
import { withItk } from './itk-worker.ts'
import { allocateVoxels, arrayType } from './voxel-types.ts'

interface Slice {
  readonly path: string
  readonly series: string
  /** Whether the file says where it lies (ImagePositionPatient). */
  readonly placed: boolean
  readonly volume: Volume
}

/**
 * Reads the DICOM series in a folder as one volume. Slices are ordered by their position, whatever their names; each
 * slice's rescale slope is applied. A stack that is not perpendicular to its slices (gantry tilt) keeps its shear.
 *
 * @throws InputError where the folder holds no DICOM files, more than one series, slices of different size or
 *   orientation, two slices at one place, or where a slice is missing
 */
export async function readDicomFolder(folder: string): Promise<Volume> {
  const slices = await readSlices(folder, await dicomFiles(folder))
  requireOneSeries(slices, folder)
  if (slices.length === 1) return slices[0].volume
  const { volume } = slices[0]
  const normal = normalOf(volume.grid.direction)
  for (const slice of slices) requireAlike(slice, slices[0], normal, folder)
  const along = (slice: Slice) => dot(slice.volume.grid.origin, normal)
  slices.sort((a, b) => along(a) - along(b))
  requireEvenSteps(slices.map(along), folder)
  const [first, last] = [slices[0].volume.grid.origin, slices[slices.length - 1].volume.grid.origin]
  const step = vec3((axis) => (last[axis] - first[axis]) / (slices.length - 1))
  const spacing = Math.hypot(...step)
  const { shape, direction: d } = volume.grid
  const grid = {
    shape: [shape[0], shape[1], slices.length] as const,
    spacing: [volume.grid.spacing[0], volume.grid.spacing[1], spacing] as const,
    origin: first,
    direction: [d[0], d[1], step[0], d[3], d[4], step[1], d[6], d[7], step[2]].map((value, n) =>
      n % 3 === 2 ? value / spacing : value,
    ) as unknown as Mat3,
  }
  return { grid, channels: 1, data: stack(slices.map((slice) => slice.volume.data)) }
}

async function dicomFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries.filter((entry) => !entry.isDirectory() && entry.name !== 'DICOMDIR').map(({ name }) => name)
    const paths: string[] = []
    for (const name of names.sort()) if (await isDicom(join(folder, name))) paths.push(join(folder, name))
    if (paths.length > 0) return paths
  } catch (error) {
    throw inputFault(error, folder)
  }
  throw new InputError(folder, 'is a folder without DICOM files; give an image file or the folder of a DICOM series')
}

/** Whether a file begins as DICOM Part 10 says: 128 bytes of anything, then "DICM". */
export async function isDicom(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const magic = Buffer.alloc(4)
    await file.read(magic, 0, 4, 128)
    return magic.toString('latin1') === 'DICM'
  } finally {
    await file.close()
  }
}

/** ITK needs some 50 ms a file, most of it to start; several threads share the files. */
async function readSlices(folder: string, paths: readonly string[]): Promise<Slice[]> {
  const slices: Slice[] = []
  const threads = Math.min(availableParallelism(), 4, Math.ceil(paths.length / 8))
  let next = 0
  const work = () =>
    withItk(async (call) => {
      while (next < paths.length) {
        const path = paths[next++]
        const image = await readItkImage(call, path).catch((error) => {
          next = paths.length // the other threads need not go on
          throw error
        })
        const volume = volumeOfItk(image, path)
        const series = String(image.metadata.get('0020|000e') ?? '')
        slices.push({ path, series, placed: image.metadata.has('0020|0032'), volume })
      }
    })
  await Promise.all(Array.from({ length: threads }, work))
  if (slices.length > 1 && !slices.every((slice) => slice.placed)) {
    throw new InputError(folder, 'holds DICOM files that do not say where they lie; give the folder of an image series')
  }
  return slices
}

function requireOneSeries(slices: readonly Slice[], folder: string): void {
  const counts = new Map<string, number>()
  for (const { series } of slices) counts.set(series, (counts.get(series) ?? 0) + 1)
  if (counts.size > 1) {
    const sizes = [...counts.values()].sort((a, b) => b - a).join(', ')
    throw new InputError(folder, `holds ${counts.size} DICOM series (of ${sizes} files); give a folder with one series`)
  }
}

function requireAlike(slice: Slice, reference: Slice, normal: Vec3, folder: string): void {
  const refuse = (what: string): never => {
    throw new InputError(folder, `its slices differ in ${what}; give the folder of one image series`)
  }
  const [a, b] = [slice.volume, reference.volume]
  if (a.grid.shape[2] !== 1 || a.channels !== 1) refuse('kind (several frames or colours in one file)')
  if (a.grid.shape.some((n, axis) => n !== b.grid.shape[axis])) refuse('size')
  if (a.grid.spacing.some((mm, axis) => axis < 2 && Math.abs(mm - b.grid.spacing[axis]) > 1e-4 * mm)) refuse('spacing')
  // 1e-3 rad: direction cosines are written with as few as four digits.
  if (a.grid.direction.some((value, n) => n % 3 < 2 && Math.abs(value - b.grid.direction[n]) > 1e-3))
    refuse('orientation')
  if (!(Math.hypot(...normal) > 0.5)) refuse('geometry')
}

/** Positions rise by equal steps. Positions and thicknesses are often rounded to 0.1 mm: 10 % of a step is no gap. */
function requireEvenSteps(positions: readonly number[], folder: string): void {
  const steps = positions.slice(1).map((mm, n) => mm - positions[n])
  const median = [...steps].sort((a, b) => a - b)[steps.length >> 1]
  const repeated = steps.findIndex((mm) => mm < 0.1 * median || mm < 1e-4)
  if (repeated >= 0) {
    const mm = positions[repeated].toFixed(2)
    throw new InputError(folder, `has two slices at ${mm} mm (several time points?); give the folder of one volume`)
  }
  const uneven = steps.findIndex((mm) => Math.abs(mm - median) > 0.1 * median)
  if (uneven >= 0) {
    const gap = `${steps[uneven].toFixed(2)} mm apart after ${uneven + 1} slices, elsewhere ${median.toFixed(2)} mm`
    throw new InputError(folder, `its slices are ${gap}: one is missing or too many; complete the series`)
  }
}

function stack(parts: readonly VoxelArray[]): VoxelArray {
  const types = new Set(parts.map(arrayType))
  // GDCM chooses a type per slice from its rescale slope; float64 holds all of them.
  const out = allocateVoxels(types.size === 1 ? arrayType(parts[0]) : 'float64', parts.length * parts[0].length)
  for (const [k, part] of parts.entries()) out.set(part, k * part.length)
  return out
}

function normalOf(d: Mat3): Vec3 {
  const [u, v] = [0, 1].map((column) => [d[column], d[column + 3], d[column + 6]])
  return [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
}

function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
