import { contourColours } from '../../src/report/kit/palette.ts'

/** One colour for each thing, on slices, in charts and in words; apart in lightness too, and repeated by dashes. */
export const colours = {
  half: contourColours[1],
  optimum: contourColours[0],
  cut: '#ffffff',
  reference: contourColours[3],
  difference: contourColours[2],
  reference2: contourColours[5],
} as const

/** Of annotators and samples, one after the other. */
export const several: readonly string[] = [...contourColours.slice(0, 4), contourColours[5], '#b39ddb', '#ffffff']

export const colourOf = (index: number): string => several[index % several.length]
/** Of the line in a chart on the page's own ground, where bright colours would not be seen. */
export const chartColours = {
  half: '#c47f00',
  optimum: '#0077bb',
  cut: 'currentColor',
  reference: '#2a8c3c',
  promised: '#0077bb',
} as const
