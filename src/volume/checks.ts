import { InputError } from './errors.ts'
import { type Grid, gridFault, type Vec3, voxelCount } from './grid.ts'
import { largestLabel } from './label-numbers.ts'
import type { VoxelArray } from './volume.ts'

// What the library's public functions ask of their arguments. Nothing here reads the voxels.

/** Throws an InputError unless it is a grid that can exist; see `gridFault`. */
export function checkGrid(grid: Grid, subject = 'grid'): void {
  checkShapeAndSpacing(grid, subject)
  if (!isList(grid.origin, 3) || !isList(grid.direction, 9)) {
    throw new InputError(subject, 'lacks an origin or directions; make it with createGrid(shape, spacing)')
  }
  const fault = gridFault(grid)
  if (fault !== undefined) throw new InputError(subject, `has ${fault}; correct it`)
}

/** The same for what needs shape and spacing only. */
export function checkShapeAndSpacing({ shape, spacing }: { shape: Vec3; spacing: Vec3 }, subject = 'grid'): void {
  if (!isList(shape, 3)) throw new InputError(subject, `has shape ${String(shape)}; give three numbers of voxels`)
  if (!isList(spacing, 3)) throw new InputError(subject, `has spacing ${String(spacing)}; give three numbers of mm`)
  const fault = gridFault({ shape, spacing, origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] })
  if (fault !== undefined) throw new InputError(subject, `has ${fault}; correct it`)
}

/** Throws an InputError unless it is a typed array of numbers, of `length` elements if that is given. */
export function checkVoxels(values: VoxelArray, subject: string, length?: number): void {
  if (!isTyped(values)) {
    throw new InputError(subject, `is ${kindOf(values)}; give a typed array such as Uint8Array or Float32Array`)
  }
  if (length !== undefined && values.length !== length) {
    throw new InputError(subject, `has ${values.length} values for ${length} voxels; give one for each`)
  }
}

/** Throws an InputError unless it is an integer typed array with one label for each voxel of the grid. */
export function checkLabelArray(labels: VoxelArray, grid: Grid, subject = 'labels'): void {
  checkGrid(grid)
  checkVoxels(labels, subject, voxelCount(grid))
  if (labels instanceof Float32Array || labels instanceof Float64Array) {
    throw new InputError(subject, `is ${kindOf(labels)}; give integers, or convert it with labelMapOf`)
  }
}

/** Throws an InputError unless it is the bytes of a file. */
export function checkBytes(bytes: Uint8Array, subject: string): void {
  if (!(bytes instanceof Uint8Array)) throw new InputError(subject, `is ${kindOf(bytes)}; give bytes as a Uint8Array`)
}

/** Throws an InputError unless it can be a label's number. */
export function checkLabelArgument(label: number, subject = 'label'): void {
  if (!(Number.isInteger(label) && label >= 0 && label <= largestLabel)) {
    throw new InputError(subject, `is ${String(label)}; give a whole number from 0 to ${largestLabel}`)
  }
}

function isList(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every((x) => typeof x === 'number')
}

const types = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array]

function isTyped(value: unknown): boolean {
  return types.some((Type) => value instanceof Type)
}

function kindOf(value: unknown): string {
  return value === null || value === undefined ? String(value) : (Object(value).constructor?.name ?? 'an object')
}
