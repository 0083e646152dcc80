import { type ParserError, parse } from 'parse5'
import { describe, expect, test } from 'vitest'
import { demoResults } from '../../study/demo.ts'
import { demoReport, demoSummary } from './report.ts'

describe('demoReport', () => {
  const options = { seed: 0, samples: 60, phantom: { shape: [48, 40, 32], spacing: [6, 6, 6] } } as const
  const shares: number[] = []
  const results = demoResults({ ...options, onProgress: (share) => shares.push(share) })
  const html = demoReport(results, '9.9.9')
  const summary = demoSummary(results)

  test('shows what theory says: t* = ½D*, a gain over ½ that grows from the large organ to the thin one', () => {
    const [liver, gallbladder, aorta, pancreas] = results.organs
    for (const { curve, optimum } of results.organs) {
      expect(optimum.threshold).toBeCloseTo(optimum.supDice / 2, 10)
      for (let i = 1; i < curve.length; i++) expect(curve[i].supDice).toBeLessThan(curve[i - 1].supDice)
    }
    expect(liver.optimum.supDice).toBeGreaterThan(gallbladder.optimum.supDice)
    for (const organ of [gallbladder, aorta, pancreas]) {
      expect(organ.expected.gain.low).toBeGreaterThan(0.05)
      expect(organ.expected.gain.mean).toBeGreaterThan(liver.expected.gain.mean)
    }
  })

  test('samples agree with the closed form', () => {
    // Neighbouring z-scores are correlated, hence the room; the exact test of marginals stands beside the sampler.
    const { zScores, frequencies } = results
    const rms = Math.sqrt(zScores.reduce((sum, z) => sum + z * z, 0) / zScores.length)
    expect(rms).toBeGreaterThan(0.75)
    expect(rms).toBeLessThan(1.3)
    for (const { marginal, frequency } of frequencies) expect(Math.abs(frequency - marginal)).toBeLessThan(0.06)
  })

  test('is one sound page that holds its numbers and fetches nothing', () => {
    const errors: ParserError[] = []
    parse(html, { onParseError: (error) => errors.push(error) })
    expect(errors).toEqual([])
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//)
    for (const { optimum, expected } of results.organs) {
      expect(html).toContain(`>${optimum.threshold.toFixed(3)}</td>`)
      expect(html).toContain(`>${expected.atOptimum.mean.toFixed(3)}</td>`)
    }
    expect(html).toContain('halfdice 9.9.9')
    expect(summary).toHaveLength(2)
  })

  test('reports progress, and the same seed gives the same bytes', () => {
    expect(shares[shares.length - 1]).toBeCloseTo(1, 12)
    expect(shares.every((share, i) => i === 0 || share >= shares[i - 1])).toBe(true)
    expect(demoReport(demoResults(options), '9.9.9') === html).toBe(true)
  })
})
