import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Estimated, estimateDecimals, estimateParts, estimateText, intervalText } from './estimate.ts'

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const small = fc.double({ min: -1, max: 1, noNaN: true })
/** Estimates within their intervals, of any width down to none. */
const estimates = fc
  .tuple(fc.oneof(finite, small), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(8))
  .map(([low, share, narrow]): Estimated => {
    const high = low + Math.abs(low) * 10 ** -narrow
    return { low, high, value: Math.min(high, Math.max(low, low + share * (high - low))) }
  })
const read = (text: string) => Number(text.replace('−', '-'))

describe('an estimate and its interval', () => {
  test('are printed in their order, whatever their size and the style', () => {
    const styles = fc.record({ signed: fc.boolean(), decimals: fc.option(fc.nat(8), { nil: undefined }) })
    fc.assert(
      fc.property(estimates, styles, (estimate, { signed, decimals }) => {
        const style = decimals === undefined ? { signed } : { signed, decimals }
        const { value, low, high } = estimateParts(estimate, style)
        expect(read(low)).toBeLessThanOrEqual(read(value))
        expect(read(value)).toBeLessThanOrEqual(read(high))
        // The same digits behind the point everywhere.
        expect(new Set([value, low, high].map((text) => text.split('.')[1]?.length)).size).toBe(1)
        expect(estimateText(estimate, style)).toBe(`${value} (95 % ${low} to ${high})`)
        expect(intervalText(estimate, style)).toBe(`${low}\u00a0to\u00a0${high}`)
      }),
      { numRuns: 1000 },
    )
  })

  test('by default have digits enough to tell the ends apart', () => {
    fc.assert(
      fc.property(estimates, (estimate) => {
        if (estimate.high - estimate.low < 1e-5) return
        const { low, high } = estimateParts(estimate)
        expect(low).not.toBe(high)
      }),
      { numRuns: 1000 },
    )
  })

  test('read as people write them', () => {
    expect(estimateText({ value: 0.00534, low: 0.0046, high: 0.00612 })).toBe('0.0053 (95 % 0.0046 to 0.0061)')
    expect(estimateText({ value: -0.0049, low: -0.0101, high: 0.00001 }, { signed: true })).toBe(
      '−0.005 (95 % −0.010 to 0.000)',
    )
    expect(estimateText({ value: 12.3, low: 8.1, high: 20 })).toBe('12 (95 % 8 to 20)')
    expect(estimateText({ value: 0.5, low: 0.5, high: 0.5 })).toBe('0.500 (95 % 0.500 to 0.500)')
    expect(estimateText({ value: Number.NaN, low: Number.NaN, high: Number.NaN })).toBe('– (95 % – to –)')
  })
})

test('a column has the decimals of its narrowest interval', () => {
  const wide = { low: 0.1, high: 0.9 }
  expect(estimateDecimals([wide])).toBe(1)
  expect(estimateDecimals([wide, { low: 0.1, high: 0.103 }])).toBe(4)
  expect(estimateDecimals([{ low: 1, high: 1 + 1e-7 }])).toBe(6)
  expect(estimateDecimals([{ low: 3.354, high: 3.354 + 1e-14 }], 2)).toBe(3)
  expect(estimateDecimals([])).toBe(3)
})
