import type { Grid } from '../volume/grid.ts'

/** The probability maps of one case, wherever and however they are stored; may be read several times. */
export interface CaseMaps {
  /** What the user named: for messages and results. */
  readonly input: string
  /** Name of the case: the file's name without its ending. */
  readonly name: string
  readonly grid: Grid
  /** The header to be carried over to masks (see `Volume.header`). */
  readonly header?: unknown
  /** Number of maps, one a class. */
  readonly channels: number
  /** What the maps are called, where their files say it. */
  readonly names?: readonly string[]
  /** The maps in order. An array is valid only until the next is asked for, and is the caller's until then. */
  maps(): AsyncIterable<Float32Array>
}

/** How stored numbers become probabilities. */
export interface MapOptions {
  /** What stands for probability 1. */
  readonly scale?: number
  /** The numbers are logits: of one softmax over all maps, or of a sigmoid each. */
  readonly logits?: 'softmax' | 'sigmoid'
}
