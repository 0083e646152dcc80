/**
 * Which part of each row of a plane is wanted: two numbers a row, the first column and the first behind it, multiples
 * of 4. Equal numbers (0, 0): nothing.
 */
export type Spans = Uint32Array

/** Widens the span of a row so that it holds the columns from … until − 1. */
export function widen(spans: Spans, row: number, from: number, until: number): void {
  if (until <= from) return
  const empty = spans[2 * row] === spans[2 * row + 1]
  spans[2 * row] = empty ? from : Math.min(spans[2 * row], from)
  spans[2 * row + 1] = empty ? until : Math.max(spans[2 * row + 1], until)
}

/** What any of several planes wants. */
export function union(planes: readonly Spans[]): Spans {
  const all = planes[0].slice()
  for (const spans of planes.slice(1)) {
    for (let row = 0; 2 * row < spans.length; row++) widen(all, row, spans[2 * row], spans[2 * row + 1])
  }
  return all
}

/** What a filter of `taps` rows reads to make `spans` (row r from rows r … r + taps − 1), in groups of four rows. */
export function readInFours(spans: Spans, taps: number): Spans {
  const fours = new Uint32Array(2 * Math.ceil((spans.length / 2 + taps - 1) / 4))
  for (let row = 0; 2 * row < spans.length; row++) {
    for (let four = row >> 2; four <= (row + taps - 1) >> 2; four++) {
      widen(fours, four, spans[2 * row], spans[2 * row + 1])
    }
  }
  return fours
}

export function isEmpty(spans: Spans): boolean {
  return spans.every((value) => value === 0)
}
