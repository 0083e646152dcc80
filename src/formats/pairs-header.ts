/** What an NRRD or MetaImage file held beside the image: its key/value pairs, written back by `writeVolume`. */
export interface PairsHeader {
  readonly format: 'pairs'
  readonly pairs: ReadonlyMap<string, string>
}

/** The pairs of a volume's header; none where it came from another format. */
export function keyedPairs(header: unknown): ReadonlyMap<string, string> {
  const { format, pairs } = (header ?? {}) as Partial<PairsHeader>
  return format === 'pairs' && pairs ? pairs : new Map()
}
