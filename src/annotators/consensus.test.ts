import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { softDiceOptimum } from '../decision/soft-dice.ts'
import { dice } from '../metrics/overlap.ts'
import { python } from '../metrics/testing/python.ts'
import { consensus, consensusRules, labelsOf, meanMap } from './consensus.ts'
import { staple } from './staple.ts'
import { votesOn } from './votes.ts'

const meanDiceTo = (mask: Uint8Array, maps: readonly Uint8Array[]) =>
  maps.reduce((sum, map) => sum + dice(mask, map), 0) / maps.length

/** Annotators of a few voxels, of all kinds: alike, unlike, empty. */
const fewVoxels = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 9 }))
  .chain(([annotators, n]) =>
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: n, maxLength: n }) },
        { weight: 1, arbitrary: fc.constant(new Array<number>(n).fill(0)) },
      ),
      { minLength: annotators, maxLength: annotators },
    ),
  )
  .map((maps) => maps.map((map) => Uint8Array.from(map)))

describe('the mean-Dice consensus', () => {
  test('is the best of all masks', () => {
    fc.assert(
      fc.property(fewVoxels, (maps) => {
        const n = maps[0].length
        let best = 0
        for (let code = 0; code < 2 ** n; code++) {
          best = Math.max(
            best,
            meanDiceTo(
              Uint8Array.from({ length: n }, (_, i) => (code >> i) & 1),
              maps,
            ),
          )
        }
        const { values, labels } = consensus(maps, 'dice', { labels: [1] })
        expect(meanDiceTo(values, maps)).toBeCloseTo(best, 12)
        expect(labels[0].meanDice).toBeCloseTo(best, 12)
      }),
      { numRuns: 300 },
    )
  })

  test('is the best of all sizes, where patterns hold many voxels and the best takes one in part', () => {
    // Nested masks of very different sizes: the weights' order changes with the size of the mask.
    const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 2, maxLength: 12 })
    let inPart = 0
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 12, maxLength: 12 }),
        (own, starts) => {
          const maps = own.map((size, r) =>
            Uint8Array.from({ length: 700 }, (_, i) => Number(i >= starts[r] && i < starts[r] + size)),
          )
          const { patterns, sizes: voxels } = votesOn(maps, 1)
          // All sizes, each filled in the order of its weights.
          let best = voxels.filter((size) => size === 0).length / maps.length
          for (let k = 1; k <= patterns.reduce((sum, p) => sum + p.voxels, 0); k++) {
            const weights = patterns.map(({ members }) => members.reduce((sum, r) => sum + 2 / (k + voxels[r]), 0))
            let [left, value] = [k, 0]
            for (const j of [...patterns.keys()].sort((a, b) => weights[b] - weights[a])) {
              value += Math.min(left, patterns[j].voxels) * weights[j]
              left -= Math.min(left, patterns[j].voxels)
            }
            best = Math.max(best, value / maps.length)
          }
          const result = consensus(maps, 'dice', { labels: [1] })
          expect(result.labels[0].meanDice).toBeCloseTo(best, 12)
          expect(meanDiceTo(result.values, maps)).toBeCloseTo(best, 12)
          const inside = new Map(patterns.map(({ code }) => [code, 0]))
          const { codes } = votesOn(maps, 1)
          result.values.forEach((v, i) => {
            if (v === 1) inside.set(codes[i], (inside.get(codes[i]) ?? 0) + 1)
          })
          if (patterns.some(({ code, voxels: n }) => (inside.get(code) ?? 0) > 0 && (inside.get(code) ?? 0) < n))
            inPart++
        },
      ),
      { numRuns: 100, seed: 3 },
    )
    expect(inPart).toBeGreaterThan(0)
  })

  test('has at least the mean Dice of the others', () => {
    fc.assert(
      fc.property(fewVoxels, (maps) => {
        const of = (rule: (typeof consensusRules)[number]) => consensus(maps, rule, { labels: [1] }).labels[0].meanDice
        for (const rule of consensusRules) expect(of('dice')).toBeGreaterThanOrEqual(of(rule) - 1e-12)
      }),
      { numRuns: 300 },
    )
  })

  test('of twenty annotators takes no longer than of three', () => {
    const maps = Array.from({ length: 20 }, (_, r) =>
      Uint8Array.from({ length: 40_000 }, (_, i) =>
        Number(Math.hypot((i % 200) - 100 - (r % 5), Math.floor(i / 200) - 100 + (r % 3)) < 60 + r),
      ),
    )
    const { labels } = consensus(maps, 'dice', { labels: [1] })
    expect(labels[0].meanDice).toBeGreaterThan(consensus(maps, 'mean', { labels: [1] }).labels[0].meanDice - 1e-12)
    expect(labels[0].annotators).toHaveLength(20)
  })
})

describe('majority and mean map', () => {
  const maps = [
    [1, 1, 1, 0, 0, 0, 0, 0],
    [1, 1, 0, 1, 0, 0, 0, 0],
    [1, 0, 0, 0, 1, 1, 0, 0],
  ].map((map) => Uint8Array.from(map))

  test('of three are what two drew, and what the mean map’s t* takes in', () => {
    expect(consensus(maps, 'majority').values).toEqual(Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0))
    const { values, labels } = consensus(maps, 'mean')
    const mean = meanMap(maps, 1)
    expect(mean[1]).toBeCloseTo(2 / 3, 6)
    const best = softDiceOptimum(mean)
    expect(labels[0].threshold).toBeCloseTo(best.threshold, 7)
    expect(values).toEqual(Uint8Array.from(mean, (m) => Number(m >= best.threshold)))
  })

  test('the threshold of the mean map is the soft-Dice optimum’s, whatever the annotators', () => {
    fc.assert(
      fc.property(fewVoxels, (any) => {
        const { labels, values } = consensus(any, 'mean', { labels: [1] })
        const mean = meanMap(any, 1)
        const best = softDiceOptimum(mean)
        expect(labels[0].threshold).toBeCloseTo(best.threshold, 6)
        // A share that equals t* costs nothing either way, and its rounding decides.
        const size = values.reduce((a, b) => a + b, 0)
        const total = mean.reduce((a, b) => a + b, 0)
        const inside = mean.reduce((sum, m, i) => sum + values[i] * m, 0)
        expect(total === 0 ? 1 : (2 * inside) / (size + total)).toBeCloseTo(best.supDice, 6)
      }),
      { numRuns: 200 },
    )
  })

  test('of two or four, half of them are no majority', () => {
    const four = [
      [1, 1],
      [1, 1],
      [0, 1],
      [0, 0],
    ].map((map) => Uint8Array.from(map))
    expect(consensus(four, 'majority').values).toEqual(Uint8Array.of(0, 1))
  })

  test('each annotator is scored against the consensus', () => {
    const [first, , third] = consensus(maps, 'majority').labels[0].annotators
    expect(first).toEqual({ sensitivity: 1, specificity: 5 / 6, dice: 4 / 5 })
    expect(third).toEqual({ sensitivity: 1 / 2, specificity: 1 - 2 / 6, dice: 2 / 5 })
    const none = consensus([Uint8Array.of(0, 1), Uint8Array.of(1, 0)], 'majority', { labels: [1] }).labels[0]
    expect(none.annotators[0]).toEqual({ sensitivity: null, specificity: 0.5, dice: 0 })
    const all = consensus([Uint8Array.of(1, 1), Uint8Array.of(1, 1)], 'majority').labels[0]
    expect(all).toMatchObject({
      voxels: 2,
      meanDice: 1,
      annotators: [{ sensitivity: 1, specificity: null, dice: 1 }, {}],
    })
  })
})

/** STAPLE voxel by voxel, as the paper's equations 15 to 20 stand, in NumPy. */
const stapleScript = `
import json, sys
import numpy as np
D = np.array(json.load(sys.stdin), float)          # annotators x voxels
R, n = D.shape
f = D.mean()
p, q = np.full(R, .99999), np.full(R, .99999)
for _ in range(20000):
    a = f * np.prod(np.where(D == 1, p[:, None], 1 - p[:, None]), axis=0)
    b = (1 - f) * np.prod(np.where(D == 0, q[:, None], 1 - q[:, None]), axis=0)
    W = a / (a + b)
    p2, q2 = (D * W).sum(1) / W.sum(), ((1 - D) * (1 - W)).sum(1) / (1 - W).sum()
    done = max(abs(p2 - p).max(), abs(q2 - q).max()) < 1e-12
    p, q = p2, q2
    if done: break
print(json.dumps([W.tolist(), p.tolist(), q.tolist()]))
`

describe('STAPLE', () => {
  test.skipIf(!python).each([3, 4, 7])('of %i annotators equals NumPy’s, voxel by voxel', (annotators) => {
    const maps = Array.from({ length: annotators }, (_, r) =>
      Uint8Array.from({ length: 900 }, (_, i) => {
        const wobble = 0.7 * Math.sin(0.01 * i * (r + 2)) + 0.4 * (r % 3)
        return Number(Math.hypot((i % 30) - 14 + wobble, Math.floor(i / 30) - 15 - wobble) < 8 + (r % 2))
      }),
    )
    const input = JSON.stringify(maps.map((map) => [...map]))
    const [w, p, q] = JSON.parse(execFileSync(python!, ['-c', stapleScript], { input, encoding: 'utf8' }))
    const votes = votesOn(maps, 1)
    const own = staple(votes)
    const index = new Map(votes.patterns.map(({ code }, j) => [code, j]))
    votes.codes.forEach((code, i) => {
      if (code !== 0) expect(own.probability[index.get(code)!]).toBeCloseTo(w[i], 6)
    })
    own.sensitivity.forEach((value, r) => {
      expect(value).toBeCloseTo(p[r], 6)
      expect(own.specificity[r]).toBeCloseTo(q[r], 6)
    })
    const { values, labels } = consensus(maps, 'staple')
    expect(values).toEqual(Uint8Array.from(w as number[], (share) => Number(share >= 0.5)))
    expect(labels[0].estimates?.[0].sensitivity).toBeCloseTo(p[0], 6)
  })

  test('of annotators who agree is what they drew; of nobody’s masks, nothing', () => {
    const same = Uint8Array.of(0, 1, 1, 0)
    expect(consensus([same, same, same], 'staple').values).toEqual(same)
    const none = consensus([new Uint8Array(4), new Uint8Array(4)], 'staple', { labels: [1] })
    expect(none.values).toEqual(new Uint8Array(4))
    expect(none.labels[0]).toMatchObject({ meanDice: 1, warnings: [] })
    const all = new Uint8Array(4).fill(1)
    expect(consensus([all, all], 'staple').values).toEqual(all)
  })

  test('says where it is known to fail', () => {
    // Two annotators of three drew nothing: STAPLE may side with the one.
    const one = Uint8Array.from({ length: 400 }, (_, i) => Number(i < 40))
    const odd = consensus([one, one, Uint8Array.from({ length: 400 }, (_, i) => Number(i < 160))], 'staple')
    const other = consensus([one, new Uint8Array(400), new Uint8Array(400)], 'staple', { labels: [1] })
    for (const { labels } of [odd, other]) for (const text of labels[0].warnings) expect(text).toMatch(/STAPLE/)
    const wide = Array.from({ length: 3 }, (_, r) =>
      Uint8Array.from({ length: 1000 }, (_, i) => Number(i >= 300 * r && i < 300 * r + 320)),
    )
    expect(consensus(wide, 'staple').labels[0].warnings.join()).toMatch(/times the volume|leaves nothing|worse than/)
  })
})

describe('several labels', () => {
  const maps = [
    [1, 1, 2, 2, 0, 0],
    [1, 2, 2, 2, 0, 5],
    [1, 1, 1, 2, 0, 5],
  ].map((map) => Int16Array.from(map))

  test('give one map; a voxel that two of them claim gets the one that is wanted more', () => {
    const { values, labels, contested } = consensus(maps, 'majority')
    expect(values).toEqual(Int16Array.of(1, 1, 2, 2, 0, 5))
    expect(labels.map(({ label }) => label)).toEqual([1, 2, 5])
    expect(contested).toBe(0)
    const spread = [
      [1, 1, 0],
      [2, 0, 0],
      [2, 0, 3],
      [3, 0, 0],
      [3, 0, 0],
    ].map((map) => Uint8Array.from(map))
    const wanted = consensus(spread, 'mean')
    expect(wanted.contested).toBeGreaterThan(0)
    // Of label 1's two voxels, one is lost to a label that more annotators drew there: its scores follow.
    expect(wanted.values[1]).toBe(1)
    for (const { label, voxels } of wanted.labels) {
      expect(voxels).toBe([...wanted.values].filter((v) => v === label).length)
    }
    expect(labelsOf(maps)).toEqual([1, 2, 5])
  })

  test('each alone is as it is for masks, where none is contested', () => {
    const only = (label: number) => maps.map((map) => Uint8Array.from(map, (v) => Number(v === label)))
    const whole = consensus(maps, 'dice')
    if (whole.contested === 0) {
      for (const { label, meanDice } of whole.labels) {
        expect(meanDice).toBeCloseTo(consensus(only(label), 'dice').labels[0].meanDice, 12)
      }
    }
    expect(consensus(maps, 'majority', { labels: [2] }).values).toEqual(Int16Array.of(0, 0, 2, 2, 0, 0))
  })
})

test('fewer than two annotators, more than twenty, and maps of other sizes are refused', () => {
  const map = new Uint8Array(4)
  expect(() => consensus([map], 'dice')).toThrow('annotators: are 1; give 2 to 20 of them')
  expect(() => consensus(new Array(21).fill(map), 'dice')).toThrow('annotators: are 21')
  expect(() => consensus([map, new Uint8Array(3)], 'dice')).toThrow('annotator 2: has 3 values for 4 voxels')
  expect(() => meanMap([map], 1)).toThrow('annotators')
})

test('blocks of nothing but background are passed over without a change', () => {
  // Objects in the first, a middle and the last block, across a border of blocks, and in no block of others.
  const drawn = [5, 2040, 2041, 2047, 2048, 2049, 9000, 9001, 9002, 12287]
  const maps = [0, 1, 2].map((r) => {
    const map = new Uint8Array(12288)
    for (const [i, at] of drawn.entries()) if ((i + r) % 3 !== 0) map[at] = 1 + (i % 2)
    return map
  })
  for (const rule of consensusRules) {
    // The same voxels side by side, where no block is empty; STAPLE's prior counts voxels, so as many are added.
    const small = maps.map((map) => {
      const dense = new Uint8Array(12288)
      dense.set(drawn.map((at) => map[at]))
      return dense
    })
    const [sparse, dense] = [consensus(maps, rule), consensus(small, rule)]
    expect(drawn.map((at) => sparse.values[at])).toEqual([...dense.values.subarray(0, drawn.length)])
    expect(sparse.labels).toEqual(dense.labels)
    expect(sparse.values.filter((v) => v !== 0).length).toBe(dense.values.filter((v) => v !== 0).length)
  }
})
