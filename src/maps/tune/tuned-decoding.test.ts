import { expect, test } from 'vitest'
import { createGrid } from '../../volume/grid.ts'
import { memoryMaps } from '../array-maps.ts'
import { mapArrayOf } from '../map-array.ts'
import { withScheme } from '../open-case.ts'
import type { Tuned, TunedClass } from './tuned.ts'
import { tunedDecoding } from './tuned-decoding.ts'

const gain = { mean: 0.1, low: 0.05, high: 0.15 }
const about = { cases: 5, patients: 4, diceAtHalf: 0.5, dice: 0.6, gain }
const tuned = (...rules: Pick<TunedClass, 'cut'>[]): Tuned => ({
  ...{ version: 1, kind: 'exclusive', background: true, scale: 1, logits: 'none', cases: ['a'], patients: ['a'] },
  classes: rules.map((rule, i) => ({ name: `class ${i + 1}`, labels: [i + 1], ...about, ...rule })),
})

/** Three maps of two voxels of 2 × 3 × 4 mm. */
async function opened() {
  const array = mapArrayOf({ shape: [3, 1, 1, 2], data: Float32Array.of(0.5, 0.2, 0.3, 0.3, 0.2, 0.5) }, 'x')
  const source = { ...(await memoryMaps(array, 'x', {})), grid: createGrid([2, 1, 1], [2, 3, 4]) }
  return withScheme(source, undefined, {}, 'array')
}

test('each map is decoded by the rule of its class, sizes in its own voxels', async () => {
  const calibration = { a: 1, b: 2, c: 3 }
  const post = { holes: true, keep: 'largest' } as const
  const rules = tuned(
    { cut: 'beta', calibration, smallestMm3: 48 } as TunedClass,
    { cut: 'fixed', at: 0.3, postProcessing: post } as TunedClass,
  )
  expect(tunedDecoding(rules, await opened())).toEqual({
    metric: 'dice',
    at: [undefined, undefined, 0.3],
    calibrations: [undefined, calibration, undefined],
    criteria: [undefined, undefined, undefined],
    postProcessing: [undefined, undefined, post],
    smallestElsewhere: [undefined, 2, undefined],
  })
  expect(tunedDecoding(tuned({ cut: 'rma' }, { cut: 'case' }), await opened()).criteria).toEqual([
    undefined,
    'rma',
    undefined,
  ])
})

test('exclusive classes, all at ½: the largest probability wins; with one other rule it does not', async () => {
  const half = { cut: 'half', at: 0.5 } as TunedClass
  expect(tunedDecoding(tuned(half, half), await opened())).toMatchObject({ metric: 'accuracy', at: undefined })
  const mixed = tunedDecoding(tuned(half, { cut: 'case' }), await opened())
  expect([mixed.metric, mixed.at]).toEqual(['dice', [undefined, 0.5, undefined]])
})
