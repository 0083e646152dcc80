import type { Dataset } from './dataset.ts'
import { type NnunetSpec, openNnunet } from './nnunet-dataset.ts'
import { openPairs, type PairsSpec } from './pairs.ts'
import { openPhantom, type PhantomSpec } from './phantom-dataset.ts'
import { openTotalSegmentator, type TotalSegmentatorSpec } from './totalsegmentator.ts'

/** Where a data set lies and how it is laid out. */
export type DatasetSpec = NnunetSpec | TotalSegmentatorSpec | PairsSpec | PhantomSpec

/**
 * Opens a data set: lists its cases, reads no image.
 *
 * @param parts the labels that will be used, for layouts with one file a label
 * @throws InputError naming what is missing
 *
 * @example
 * const dataset = await openDataset({ kind: 'nnunet', folder: 'Dataset004_Hippocampus' }, ['anterior'])
 * const { image, labels } = await dataset.load(dataset.cases[0])
 */
export async function openDataset(spec: DatasetSpec, parts: readonly string[]): Promise<Dataset> {
  switch (spec.kind) {
    case 'nnunet':
      return openNnunet(spec)
    case 'totalsegmentator':
      return openTotalSegmentator(spec, parts)
    case 'pairs':
      return openPairs(spec)
    case 'phantom':
      return openPhantom(spec)
  }
}
