import type { RandomStream } from '../../volume/random.ts'
import type { Shape } from './shapes.ts'
import type { Texture } from './smooth-field.ts'

/**
 * One thing the phantom's painter lays over what it has painted before. Coordinates: mm, +x right, +y front, +z head.
 */
export interface Structure {
  readonly shape: Shape
  /** Hounsfield units, or a function of the place and of the depth under the surface (negative inside). */
  readonly hu: number | ((x: number, y: number, z: number, distance: number) => number)
  /** The label that its voxels get; 0 where it is none of the labelled organs. */
  readonly label: number
}

/** What the builders of a case share. */
export interface Build {
  /** An independent random stream for the structure of that name in this case. */
  random(name: string): RandomStream
  /** A smooth field of mean 0, sd 1 and features of `scaleMm`, for textures. */
  texture(name: string, scaleMm: number): Texture
  /** Strength of the contrast agent, 0 (early, faint) to 1 (portal venous, bright). */
  readonly contrast: number
}
