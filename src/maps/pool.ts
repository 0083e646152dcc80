import { DiceHistogram } from '../decision/dice-histogram.ts'
import type { SoftDiceOptimum } from '../decision/soft-dice.ts'
import { InputError } from '../volume/errors.ts'
import type { OpenedCase } from './open-case.ts'
import { readMaps } from './read-maps.ts'

/**
 * The soft-Dice optimum of each class over all cases pooled (docs/theory.md, "Scope: a case, or a data set"), in two
 * passes over the files; undefined for the background.
 *
 * @param onCase called after each case of each pass
 * @throws InputError where a case has another number of maps, or a file is damaged
 */
export async function poolCases(
  cases: readonly OpenedCase[],
  onCase: () => void = () => undefined,
): Promise<(SoftDiceOptimum | undefined)[]> {
  const [{ source, scheme }] = cases
  const other = cases.find((each) => each.source.channels !== source.channels)?.source
  if (other) {
    throw new InputError(
      other.input,
      `has ${other.channels} maps, ${source.input} has ${source.channels}; pool cases of the same classes only`,
    )
  }
  const pass = async (pools: readonly ({ add(m: Float32Array): void } | undefined)[]) => {
    for (const { source, scheme } of cases) {
      let channel = 0
      for await (const m of readMaps(source, scheme)) pools[channel++]?.add(m)
      onCase()
    }
  }
  const coarse = scheme.maps.map((each) => each && new DiceHistogram())
  await pass(coarse)
  const fine = coarse.map((each) => each?.refine())
  await pass(fine)
  return fine.map((each) => each?.optimum())
}
