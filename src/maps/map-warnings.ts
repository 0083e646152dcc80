import type { DecodedCase } from '../decision/decode/case-decoder.ts'

/** What a user should know of maps whose masks do not depend on any threshold, a sentence each. */
export function mapWarnings({ maps }: Pick<DecodedCase, 'maps'>): string[] {
  const results = maps.filter((each) => each !== undefined)
  if (results.length > 0 && results.every(({ largest }) => largest === 0)) {
    return ['its probabilities are 0 everywhere, so that the mask is empty']
  }
  // Soft Dice reaches 1 only where every probability is 0 or 1.
  const held = results.filter(({ largest }) => largest > 0)
  if (held.length > 0 && held.every(({ supDice }) => supDice === 1)) {
    return ['holds only 0 and 1, so that every threshold gives the same mask: is it a segmentation?']
  }
  return []
}
