import type { Vec3 } from '../volume/grid.ts'
import type { Dataset } from './dataset.ts'
import { phantomCase, phantomNames } from './phantom/phantom.ts'

export interface PhantomSpec {
  readonly kind: 'phantom'
  readonly cases: number
  readonly seed: number
  readonly shape?: Vec3
  readonly spacing?: Vec3
}

/** The built-in phantom as a data set: made by formulas, each case a patient of its own. */
export function openPhantom({ cases, seed, shape, spacing }: PhantomSpec): Dataset {
  const ids = Array.from({ length: cases }, (_, i) => `phantom_${String(i).padStart(3, '0')}`)
  return {
    name: 'phantom',
    labels: new Map(phantomNames.slice(1).map((name, i) => [name, [i + 1]])),
    leftOut: [],
    cases: ids.map((id) => ({ id, patient: id, images: [], labels: [] })),
    async load({ id }) {
      const { image, labels } = phantomCase(seed, ids.indexOf(id), {
        ...(shape && { shape }),
        ...(spacing && { spacing }),
      })
      return { image, labels }
    },
  }
}
