import { expect, test } from 'vitest'
import { createGrid } from '../../volume/grid.ts'
import { viewPlane } from './plane.ts'
import { edgeLetters, scaleBarMm } from './slice-marks.ts'

test('letters are those of radiological display, whatever way the voxels run', () => {
  const ras = createGrid([8, 8, 8])
  const lps = { ...ras, direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] as const }
  const turned = { ...ras, direction: [0, 0, 1, -1, 0, 0, 0, 1, 0] as const }
  for (const grid of [ras, lps, turned]) {
    const at = (view: 'axial' | 'coronal' | 'sagittal') => edgeLetters(grid, viewPlane(grid, view, 0))
    expect(at('axial')).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' })
    expect(at('coronal')).toEqual({ left: 'R', right: 'L', top: 'S', bottom: 'I' })
    expect(at('sagittal')).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' })
  }
})

test('a scale bar is round and at most a third of the width', () => {
  expect([3, 10, 100, 160, 299, 301].map(scaleBarMm)).toEqual([1, 2, 20, 50, 50, 100])
})
