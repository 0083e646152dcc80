import { outcomeOf } from '../../datasets/over-cases.ts'
import { CutTable } from '../../metrics/cut-table.ts'
import { type PackedCutTable, packCutTable } from '../../metrics/packed-cut-table.ts'
import { type ComponentCurves, componentCurves } from '../../metrics/post-processing/component-curves.ts'
import { voxelVolumeMm3 } from '../../volume/grid.ts'
import type { NumberOptions } from '../case-maps.ts'
import type { ClassScheme, MapClass } from '../classes.ts'
import type { FoundCase } from '../find-cases.ts'
import { openCase } from '../open-case.ts'
import { readMaps } from '../read-maps.ts'
import { readReference } from '../reference.ts'
import type { SchemeOptions } from '../scheme.ts'

/** One case to tune on: plain data, which a process can be handed. */
export interface TuneJob {
  readonly found: FoundCase
  readonly reference: string
  readonly opening: SchemeOptions & NumberOptions
}

/** What is kept of a case, which does not grow with the image. */
export interface TabulatedCase {
  readonly scheme: ClassScheme
  readonly voxelMm3: number
  readonly warnings: readonly string[]
  /** One a class, without the background. */
  readonly classes: readonly { readonly packed: PackedCutTable; readonly curves: ComponentCurves }[]
}

/** What a process runs, and the module where it finds it. */
export const tuneWork = {
  module: new URL('./tune-job.js', import.meta.url),
  run: (job: TuneJob) => outcomeOf(() => tabulate(job)),
}
export const { run } = tuneWork

/** The foreground's classes, in the order of their maps. */
export const foreground = (maps: ClassScheme['maps']): MapClass[] => maps.filter((each) => each !== undefined)

/** Each class of a case against the reference, at every cut. */
async function tabulate({ found, reference: path, opening }: TuneJob): Promise<TabulatedCase> {
  const { source, scheme } = await openCase(found, { ...opening, geometryOptional: true })
  const reference = await readReference(path, source, scheme)
  const grid = { shape: source.grid.shape, voxelMm3: voxelVolumeMm3(source.grid) }
  const classes: { readonly packed: PackedCutTable; readonly curves: ComponentCurves }[] = []
  let index = 0
  for await (const map of readMaps(source, scheme)) {
    const own = scheme.maps[index++]
    if (own === undefined) continue
    const inside = (label: number) => own.labels.includes(label)
    const table = new CutTable()
    table.add(map, reference.values, inside)
    classes.push({ packed: packCutTable(table), curves: componentCurves(map, grid, reference.values, inside) })
  }
  const { voxelMm3 } = grid
  return { scheme, voxelMm3, warnings: source.warnings, classes }
}
