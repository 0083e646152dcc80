import { voxelVolumeMm3 } from '../../volume/grid.ts'
import type { DecodeCaseOptions } from '../decode.ts'
import type { OpenedCase } from '../open-case.ts'
import { rulesFor, type Tuned } from './tuned.ts'

/**
 * How the maps of a case are decoded by rules that were tuned on other cases.
 *
 * @throws InputError where the case has other classes, or another form, than those that were tuned
 */
export function tunedDecoding(tuned: Tuned, { source, scheme }: OpenedCase): DecodeCaseOptions {
  const rules = rulesFor(tuned, scheme, source.input)
  const voxelMm3 = voxelVolumeMm3(source.grid)
  // Where ½ stays for classes that exclude each other, that is the argmax, which leaves no voxel without a class.
  const argmax = scheme.kind === 'exclusive' && rules.every((rule) => rule === undefined || rule.cut === 'half')
  return {
    metric: argmax ? 'accuracy' : 'dice',
    at: argmax ? undefined : rules.map((rule) => rule?.at),
    calibrations: rules.map((rule) => rule?.calibration),
    criteria: rules.map((rule) => (rule?.cut === 'rma' ? 'rma' : undefined)),
    postProcessing: rules.map((rule) => rule?.postProcessing),
    // The cases that a class was tuned on say how large it is.
    smallestElsewhere: rules.map((rule) => (rule?.smallestMm3 === undefined ? undefined : rule.smallestMm3 / voxelMm3)),
  }
}
