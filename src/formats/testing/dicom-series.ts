import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dicomFile, type Elements, type SliceRecipe, sliceElements, withElements } from './dicom-bytes.ts'

export interface SeriesRecipe {
  readonly slices?: number
  readonly rows?: number
  readonly columns?: number
  /** Direction of a row, then of a column. */
  readonly orientation?: readonly number[]
  readonly first?: readonly [number, number, number]
  /** From one slice to the next (LPS, mm). */
  readonly step?: readonly [number, number, number]
  readonly pixelSpacing?: readonly [number, number]
  readonly syntax?: string
  /** More elements of each slice; undefined leaves one out. */
  readonly more?: readonly (readonly [tag: number, vr: string, value: string | undefined])[]
}

/** A turned patient, slices that are thicker than pixels are wide. */
const turned: Required<Pick<SeriesRecipe, 'orientation' | 'step'>> = {
  orientation: [0.8, 0.6, 0, -0.36, 0.48, 0.8],
  step: [1.2, -1.6, 1.5],
}
export const seriesRecipes = {
  straight: {},
  turned,
  /** Gantry tilt: slices are shifted along their columns. */
  tilted: { step: [0, 0.7, 2.5] },
} as const satisfies Record<string, SeriesRecipe>

/** Writes a CT series (of no multiple of 7 slices), its files in an order of their own; returns the folder. */
export function writeSeries(folder: string, recipe: SeriesRecipe = {}): string {
  mkdirSync(folder, { recursive: true })
  const {
    slices = 5,
    rows = 4,
    columns = 6,
    first = [-20.5, 7.25, 100],
    step = [0, 0, 2.5],
    syntax,
    more = [],
  } = recipe
  const { orientation = [1, 0, 0, 0, 1, 0], pixelSpacing = [0.9, 0.7] } = recipe
  for (let k = 0; k < slices; k++) {
    const slice: SliceRecipe = {
      ...{ rows, columns, orientation, pixelSpacing, instance: k + 1 },
      pixels: Int16Array.from({ length: rows * columns }, (_, n) => 100 * k + n),
      position: [0, 1, 2].map((axis) => first[axis] + k * step[axis]) as unknown as SliceRecipe['position'],
    }
    const about: Elements = [
      [0x00080020, 'DA', '20240203'],
      [0x00080030, 'TM', '101112'],
      [0x00080050, 'SH', 'A1'],
      [0x00100010, 'PN', 'Doe^Jane'],
      [0x00100020, 'LO', 'P17'],
      [0x00100030, 'DA', '19500102'],
      [0x00100040, 'CS', 'F'],
      [0x00200010, 'SH', '7'],
      [0x00200011, 'IS', '4'],
      [0x00200052, 'UI', '1.2.3.9'],
    ]
    const elements = withElements(sliceElements(slice), ...about, ...more)
    writeFileSync(join(folder, `IM${(k * 7) % slices}`), dicomFile(elements, { ...(syntax && { syntax }) }))
  }
  return folder
}
