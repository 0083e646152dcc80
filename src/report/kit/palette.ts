/**
 * Line colours that stay apart under the common colour-vision deficiencies, on white and on near-black alike: Paul
 * Tol's «vibrant» scheme. Dashes and markers repeat the distinction without colour.
 */
export const lineColours = ['#0077bb', '#ee7733', '#009988', '#cc3311', '#ee3377', '#33bbee', '#888888'] as const

export const dashes = [undefined, '6 3', '2 2.5', '8 3 2 3', '1 4', '10 4', '4 2'] as const

export type Marker = 'circle' | 'square' | 'diamond' | 'triangle'

export const markers: readonly Marker[] = ['circle', 'square', 'diamond', 'triangle']

/** Contours over a grey image: bright, and different in lightness too. */
export const contourColours = ['#33bbee', '#ffb000', '#ff5fa2', '#7ddc5a', '#ffffff', '#ff6a3d'] as const

export function lineColour(index: number): string {
  return lineColours[index % lineColours.length]
}

export function contourColour(index: number): string {
  return contourColours[index % contourColours.length]
}

/** Nine stops of matplotlib's «inferno» (CC0), dark to bright with rising lightness, so that it also reads in grey. */
const heat: readonly (readonly [number, number, number])[] = [
  [0, 0, 4],
  [31, 12, 72],
  [85, 15, 109],
  [136, 34, 106],
  [186, 54, 85],
  [227, 89, 51],
  [249, 140, 10],
  [249, 201, 50],
  [252, 255, 164],
]

/** The heat map's colour at `t` in [0, 1], as bytes. */
export function heatColour(t: number): readonly [number, number, number] {
  const at = Math.min(1, Math.max(0, t)) * (heat.length - 1)
  const i = Math.min(heat.length - 2, Math.floor(at))
  const mix = (c: 0 | 1 | 2): number => Math.round(heat[i][c] + (at - i) * (heat[i + 1][c] - heat[i][c]))
  return [mix(0), mix(1), mix(2)]
}
