import { CutTable } from './cut-table.ts'

/** A `CutTable` for keeping: only the bins that hold voxels, so that a small or certain map takes little memory. */
export interface PackedCutTable {
  readonly bins: Uint16Array
  readonly counts: Uint32Array
  readonly hits: Uint32Array
  readonly sums: Float64Array
}

export function packCutTable({ counts, hits, sums }: CutTable): PackedCutTable {
  const used = [...counts.keys()].filter((bin) => counts[bin] > 0)
  return {
    bins: Uint16Array.from(used),
    counts: Uint32Array.from(used, (bin) => counts[bin]),
    hits: Uint32Array.from(used, (bin) => hits[bin]),
    sums: Float64Array.from(used, (bin) => sums[bin]),
  }
}

export function unpackCutTable({ bins, counts, hits, sums }: PackedCutTable): CutTable {
  const table = new CutTable()
  for (const [i, bin] of bins.entries()) {
    table.counts[bin] = counts[i]
    table.hits[bin] = hits[i]
    table.sums[bin] = sums[i]
  }
  return table
}
