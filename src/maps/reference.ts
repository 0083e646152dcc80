import { datasetJsonBeside } from '../datasets/dataset-json.ts'
import { readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference } from '../volume/grid.ts'
import { type LabelArray, labelMapOf, withoutIgnored } from '../volume/labels.ts'
import { onGrid } from '../volume/one-grid.ts'
import { referenceLabels } from '../volume/reference-labels.ts'
import type { ClassScheme } from './classes.ts'

/** What maps are compared with. */
export interface Reference {
  /** Labels on the maps' grid; `notAnnotated` (−1) where nobody has annotated. */
  readonly values: LabelArray
  /** How labels that stand for no class were read, if there are any. */
  readonly note?: string
}

/**
 * Reads the reference of a case. The label `ignore` is that of the `dataset.json` beside the reference, or else that of
 * the model.
 *
 * @throws InputError where it is no label map or lies on another grid
 */
export async function readReference(
  path: string,
  { input, grid }: { readonly input: string; readonly grid: Grid },
  { maps, leftOut = [], ignore }: Pick<ClassScheme, 'maps' | 'leftOut' | 'ignore'>,
): Promise<Reference> {
  const volume = onGrid(await readVolume(path), grid)
  const difference = gridDifference(grid, volume.grid)
  if (difference) throw new InputError(path, `lies on another grid than ${input}: ${difference}; resample it`)
  const annotated = withoutIgnored(labelMapOf(volume, path), datasetJsonBeside(path)?.ignore ?? ignore)
  // A label of a class that nobody asked for stands for one all the same.
  const { map, note } = referenceLabels(annotated, [...maps.filter((each) => each !== undefined), ...leftOut])
  return { values: map.values, ...(note !== undefined && { note }) }
}
