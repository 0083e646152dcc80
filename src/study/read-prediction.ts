import { organParts } from '../datasets/dataset.ts'
import type { NumberOptions } from '../maps/case-maps.ts'
import type { ClassScheme } from '../maps/classes.ts'
import type { FoundCase } from '../maps/find-cases.ts'
import { openCase } from '../maps/open-case.ts'
import { readMaps } from '../maps/read-maps.ts'
import type { SchemeOptions } from '../maps/scheme.ts'
import type { OutputSpec } from '../training/model-file.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference, voxelCount } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'

/**
 * The probabilities of organs as another program has predicted them: one channel an organ, on the grid of the labels.
 *
 * @throws InputError where the case lies on another grid, or its classes do not hold an organ
 */
export async function readPrediction(
  found: FoundCase,
  organs: readonly OutputSpec[],
  grid: Grid,
  options: NumberOptions & SchemeOptions,
): Promise<Volume<Float32Array>> {
  const { source, scheme } = await openCase(found, { ...options, geometryOptional: true })
  const difference = source.hasGeometry
    ? gridDifference(source.grid, grid)
    : gridDifference({ ...grid, shape: source.grid.shape }, grid)
  if (difference !== undefined) {
    throw new InputError(
      found.input,
      `lies on another grid than the labels of its case (${difference}); predict on that`,
    )
  }
  const parts = organs.map((organ) => mapsOf(organ, scheme, found.input, organs.length === 1))
  const voxels = voxelCount(grid)
  const data = new Float32Array(organs.length * voxels)
  let map = 0
  for await (const values of readMaps(source, scheme)) {
    for (const [k, maps] of parts.entries()) {
      if (!maps.includes(map)) continue
      const out = data.subarray(k * voxels, (k + 1) * voxels)
      // Classes that exclude each other add up; rounding must not carry them beyond 1.
      for (let i = 0; i < voxels; i++) out[i] = Math.min(1, out[i] + values[i])
    }
    map++
  }
  return { grid, channels: organs.length, data }
}

/** The maps that make an organ: called like it or its parts, or with its labels, or the only one there is. */
function mapsOf(organ: OutputSpec, { kind, maps }: ClassScheme, input: string, alone: boolean): readonly number[] {
  const where = (wanted: (each: { readonly name: string; readonly labels: readonly number[] }) => boolean) =>
    maps.flatMap((each, i) => (each !== undefined && wanted(each) ? [i] : []))
  const byName = where(({ name }) => name === organ.name)
  if (byName.length === 1) return byName
  const foreground = where(() => true)
  if (alone && foreground.length === 1) return foreground
  const sameLabels = where(({ labels }) => String([...labels].sort()) === String([...organ.labels].sort()))
  if (sameLabels.length === 1) return sameLabels
  const names = organParts(organ.name)
  const partsByName = where(({ name }) => names.includes(name))
  if (kind === 'exclusive' && partsByName.length === names.length) return partsByName
  const within = where(({ labels }) => labels.every((label) => organ.labels.includes(label)))
  const covered = new Set(within.flatMap((i) => maps[i]?.labels ?? []))
  if (kind === 'exclusive' && organ.labels.every((label) => covered.has(label))) return within
  const there = foreground.map((i) => maps[i]?.name).join(', ')
  throw new InputError(input, `has no map of ${organ.name} (labels ${organ.labels.join(', ')}), only of ${there}`)
}
