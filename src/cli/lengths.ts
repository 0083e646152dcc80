import { InputError } from '../volume/errors.ts'
import type { Grid, Vec3 } from '../volume/grid.ts'

/** A length as written on the command line: one number for all axes or one an axis, in mm or in voxels. */
export interface Length {
  readonly text: string
  readonly values: readonly { readonly value: number; readonly unit: 'mm' | 'vx' }[]
}

/**
 * Parses `4`, `4mm`, `2vx` or `4,4,6`. Throws InputError unless every part is a number, none negative and not all zero
 * (an axis of several may have 0: nothing moves along it).
 */
export function parseLength(option: string, text: string): Length {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.length > 3)
    throw new InputError(option, `'${text}' has ${parts.length} parts; give one length or one an axis`)
  const values = parts.map((part) => {
    const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(mm|vx)?$/i.exec(part)
    if (match === null) {
      throw new InputError(option, `'${text}' is not a length; write it as 4, 4mm, 2vx or 4,4,6`)
    }
    const value = Number(match[1])
    return { value, unit: match[2]?.toLowerCase() === 'vx' ? ('vx' as const) : ('mm' as const) }
  })
  if (!values.every(({ value }) => value >= 0 && Number.isFinite(value)) || !values.some(({ value }) => value > 0)) {
    throw new InputError(option, `'${text}' is not greater than zero; give a positive length`)
  }
  return { text, values }
}

/** The length along each axis of the grid, in mm. For a 2-D image two numbers are enough. */
export function lengthPerAxisMm(option: string, { text, values }: Length, grid: Grid): Vec3 {
  const axes = grid.shape[2] === 1 ? 2 : 3
  if (values.length !== 1 && values.length !== 3 && values.length !== axes) {
    throw new InputError(option, `'${text}' has ${values.length} lengths for ${axes} axes; give 1 or ${axes}`)
  }
  const along = (axis: number) => {
    const { value, unit } = values[Math.min(axis, values.length - 1)]
    return unit === 'mm' ? value : value * grid.spacing[axis]
  }
  return [along(0), along(1), along(2)]
}

/**
 * One length for all directions, in mm. Voxels that are no cubes have no such length, so there it must be given in mm.
 */
export function lengthMm(option: string, length: Length, grid: Grid): number {
  const { text, values } = length
  if (values.length !== 1) throw new InputError(option, `'${text}' has several parts; the length scale is one number`)
  const [x, y, z] = lengthPerAxisMm(option, length, grid)
  const axes = grid.shape[2] === 1 ? [x, y] : [x, y, z]
  if (Math.max(...axes) > Math.min(...axes) * 1.001) {
    const spacing = grid.spacing.map((s) => Number(s.toPrecision(4))).join('×')
    throw new InputError(option, `'${text}' means several lengths where a voxel is ${spacing} mm; give it in mm`)
  }
  return x
}

/** As results show it: one number where all axes have the same. */
export function oneOrPerAxis(mm: Vec3): number | Vec3 {
  return mm.every((value) => value === mm[0]) ? mm[0] : mm
}
