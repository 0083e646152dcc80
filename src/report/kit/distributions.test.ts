import { XMLValidator } from 'fast-xml-parser'
import { expect, test } from 'vitest'
import { histogramMark, reliabilityDiagram } from './distributions.ts'

test('a histogram’s bars are densities: their area is the share of the values inside', () => {
  const mark = histogramMark([0, 0.1, 0.5, 0.99, 1, 2], [0, 1], 4, { colour: '#000' })
  if (mark.kind !== 'bars') throw new Error('bars expected')
  expect(mark.bars.map((b) => b.y * 0.25 * 6)).toEqual([2, 0, 1, 2].map((n) => expect.closeTo(n, 12)))
  expect(mark.bars[3].x1).toBe(1)
})

test('a reliability diagram draws the groups that have voxels', () => {
  const bin = (probability: number, frequency: number, voxels: number) => ({ probability, frequency, voxels })
  const svg = reliabilityDiagram([
    { label: 'net', bins: [bin(0.1, 0.2, 5), bin(Number.NaN, Number.NaN, 0), bin(0.9, 0.7, 3)] },
  ])
  expect(XMLValidator.validate(svg)).toBe(true)
  expect(svg).not.toContain('NaN')
  // One circle stands in the legend.
  expect(svg.match(/<circle/g)).toHaveLength(3)
})
