import type { Grid } from '../../src/volume/grid.ts'
import type { Item, Sight } from '../protocol.ts'
import type { Field } from '../view/fields.ts'
import type { Scene } from '../view/slice-view.ts'
import type { Client } from './client.ts'
import type { State } from './state.ts'

/** What panels may ask of the page. */
export interface Lab {
  readonly state: State
  readonly items: readonly Item[]
  /** Holds the files, and computes on probabilities. */
  readonly data: Client
  /** Computes noise on labels that it is given; it may be stopped at any time. */
  readonly noise: Client
  /** Changes the state and the address; nothing is drawn by itself. */
  change(part: Partial<State>): void
  /** Draws the scene of the open panel again, before the next frame. */
  draw(): void
  /**
   * Puts the cross hairs on an object, unless the user or the address has put them somewhere on this grid.
   *
   * @param chosen the user has asked for this object just now
   */
  lookAt(grid: Grid, sight: Sight, chosen?: boolean): void
  /** Why the image that is open is not shown on a grid, where there is one. */
  imageNote(grid: Grid): string | undefined
  /** An item's voxels, for drawing; read once. */
  voxels(item: Item): Promise<Field>
  /** The grey layer's field and window for a grid, where there is an image on it. */
  imageOn(grid: Grid): GreyImage | undefined
  /** Shows what goes on; an empty text says that it is over. */
  tell(text: string): void
  /** Shows what went wrong; calls that were overtaken are no fault. */
  fail(error: unknown): void
  save(download: { readonly name: string; readonly blob: Blob }): void
  /** Takes over noise that was fitted, and opens its panel. */
  openNoise(noise: Partial<State>): void
}

export interface GreyImage {
  readonly field: Field
  readonly window: readonly [number, number]
}

/** One of the tabs. */
export interface Panel {
  readonly element: HTMLElement
  /** What the views show while this panel is open. */
  scene(): Scene | undefined
  /** The mask for the view in space. */
  solid(): Solid | undefined
  /** Called when the panel is opened, and when files came or went while it is open. */
  refresh(): void
}

/** A mask in space. */
export interface Solid {
  readonly grid: Grid
  /** Changes where the mask does. */
  readonly key: string
  readonly mask: () => Uint8Array
  readonly colour: string
}
