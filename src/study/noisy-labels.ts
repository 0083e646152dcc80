import { datasetNoiseSeed } from '../noise/noise-seed.ts'
import { createSampler } from '../noise/sampler.ts'
import type { LabelArray } from '../volume/labels.ts'
import type { Volume } from '../volume/volume.ts'
import type { Cell } from './plan.ts'

/**
 * The case's noisy label at a cell's strength. Labels that are in no organ of the group become background first. One
 * field moves all organs of a group. It is seeded by the study's seed, the case, the group and the strength: every
 * fold and both losses see the same label.
 */
export function noisyLabels(
  cell: Cell,
  id: string,
  labels: Volume<LabelArray>,
): { readonly clean: Volume<LabelArray>; readonly noisy: Volume<LabelArray> } {
  const { group, organs, noiseSeed } = cell
  const wanted = new Set(organs.flatMap((organ) => organ.labels))
  const data = labels.data.map((label) => (wanted.has(label) ? label : 0)) as LabelArray
  const seed = datasetNoiseSeed(noiseSeed, id, group, cell)
  const noisy = createSampler(data, labels.grid, cell).sample(seed, 0)
  const { grid } = labels
  return { clean: { grid, channels: 1, data }, noisy: { grid, channels: 1, data: noisy } }
}
