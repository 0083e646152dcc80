import { existsSync, statSync } from 'node:fs'
import { imageOfCase } from '../maps/case-file.ts'
import { sampleImage } from '../maps/sample-image.ts'
import { InputError } from '../volume/errors.ts'
import type { FlatSlice } from './kit/flat-slice.ts'

/** With less of the slice in it, an image belongs to something else. */
const leastShare = 0.5

/** The images that pictures are drawn over, and what the user should know of them. */
export class Images {
  readonly #folder: string | undefined
  readonly #without: string[] = []
  readonly #warnings: string[] = []

  /** @param folder undefined where pictures are drawn without images; throws InputError where it is none */
  constructor(folder: string | undefined) {
    if (folder !== undefined && !(existsSync(folder) && statSync(folder).isDirectory())) {
      throw new InputError(folder, 'is no folder of images; give one')
    }
    this.#folder = folder
  }

  /**
   * The values of a case's image on a slice, by where both lie in space; undefined where there is none, or it shows
   * less than half of the slice, or it cannot be read: a picture is no reason to lose a report.
   */
  async under(name: string, { grid }: FlatSlice): Promise<Float32Array | undefined> {
    if (this.#folder === undefined) return undefined
    const path = imageOfCase(this.#folder, name)
    if (path === undefined) {
      if (!this.#without.includes(name)) this.#without.push(name)
      return undefined
    }
    try {
      const { values, share } = await sampleImage(path, grid)
      if (share >= leastShare) return values
      this.#warn(`${path}: lies elsewhere than its mask (${Math.round(100 * share)} % of a slice); not drawn`)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      this.#warn(`${error.message}; not drawn`)
    }
    return undefined
  }

  /** What went wrong, each once. */
  get warnings(): readonly string[] {
    const [first, ...more] = this.#without
    if (first === undefined) return this.#warnings
    const of = more.length === 0 ? first : `${first} and ${more.length} ${more.length === 1 ? 'other' : 'others'}`
    const missing = `${this.#folder}: holds no image of ${of} (CASE_0000.nii.gz or CASE.nii.gz); drawn without one`
    return [...this.#warnings, missing]
  }

  #warn(text: string): void {
    if (!this.#warnings.includes(text)) this.#warnings.push(text)
  }
}
