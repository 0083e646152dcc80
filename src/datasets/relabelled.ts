import { type LabelArray, narrowed } from '../volume/labels.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'

/** A label map with other labels, stored in its own type; labels behind a slope are stored as they are. */
export function relabelled(reference: Volume, values: LabelArray): Volume {
  const { scaling, ...plain } = reference
  if (scaling) return { ...plain, data: narrowed(values) }
  if (plain.data.constructor === values.constructor) return { ...plain, data: values }
  const data = new (plain.data.constructor as new (n: number) => VoxelArray)(values.length)
  data.set(values)
  return { ...plain, data }
}
