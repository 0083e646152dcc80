/** Red, green and blue from 0 to 1. Told apart by their order, since viewers draw neighbours beside each other. */
const colours = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
  [1, 0.5, 0],
  [1, 0, 0.5],
  [0.5, 1, 0.5],
  [0, 0.5, 1],
] as const

/** The colour that files suggest for a label: the same in every format. */
export function labelColour(label: number): readonly [red: number, green: number, blue: number] {
  return colours[label % colours.length]
}
