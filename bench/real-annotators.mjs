// What real annotators leave to a mask, from their masks alone, as docs/results/annotators has it:
//
//   node bench/real-annotators.mjs [--noise fit.json] MASKS…       as halfdice raters takes them
//
// 1. Leave one out: of every case, each annotator in turn is left out; the others' mean map cut at ½ (both ways where
//    votes tie) and at its t*, and their mean-Dice mask, are scored on the one left out; paired over cases.
// 2. What all annotators of a case leave: D*, t* and the loss of the ½ cut, with those who drew nothing and without.
// 3. Where the tails come from: distances of all outlines together, and of each case by its own σ; how much of them
//    whole outlines share (a bias), a shift and a turn explain. With --noise beside it annotators simulated with a fit.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { consensus, meanMap } from '../dist/annotators/consensus.js'
import { solve } from '../dist/annotators/covariogram.js'
import { observeAnnotators } from '../dist/annotators/observe.js'
import { findAnnotatorCases, readAnnotatorCase } from '../dist/datasets/annotator-cases.js'
import { softDiceOptimum } from '../dist/decision/soft-dice.js'
import { dice } from '../dist/metrics/overlap.js'
import { comparePaired } from '../dist/metrics/statistics/paired.js'
import { quantile } from '../dist/metrics/statistics/quantile.js'
import { createSampler } from '../dist/noise/sampler.js'
import { boxOfLabel, cropEqual } from '../dist/volume/box.js'
import { streamSeed } from '../dist/volume/random.js'

const { positionals, values: flags } = parseArgs({ allowPositionals: true, options: { noise: { type: 'string' } } })
const noise = flags.noise && { ...JSON.parse(readFileSync(flags.noise, 'utf8')).noise, presence: 1 }
const found = await findAnnotatorCases(positionals)

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length
const spread = (values) => Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)))
const cut = (map, isIn) => Uint8Array.from(map, (p) => Number(isIn(p)))

const rules = ['> ½', '≥ ½', 't*', 'mean Dice']

/** Mean scores of the rules on the one left out, by rule; `drawnOnly`: where that one drew something. */
function leaveOneOut(masks, drawnOnly) {
  const scores = rules.map(() => [])
  for (const [r, left] of masks.entries()) {
    if (drawnOnly && !left.includes(1)) continue
    const others = masks.filter((_, other) => other !== r)
    const map = meanMap(others, 1)
    const { threshold } = softDiceOptimum(map)
    const made = [
      cut(map, (p) => p > 0.5),
      cut(map, (p) => p >= 0.5),
      map.some((p) => p > 0) ? cut(map, (p) => p >= threshold) : new Uint8Array(map.length),
      consensus(others, 'dice', { labels: [1] }).values,
    ]
    for (const [m, mask] of made.entries()) scores[m].push(dice(mask, left))
  }
  return Object.fromEntries(rules.map((rule, m) => [rule, mean(scores[m])]))
}

function optima(masks) {
  const { supDice, threshold, diceAtHalf, volumeRatio, volumeRatioHalf } = softDiceOptimum(meanMap(masks, 1))
  return { supDice, threshold, loss: supDice - diceAtHalf, volumeRatio, volumeRatioHalf }
}

const cases = []
for (const one of found.cases) {
  const { maps, grid } = await readAnnotatorCase(one)
  const boxes = maps.flatMap((map) => boxOfLabel(map, grid.shape, 1) ?? [])
  if (boxes.length === 0) continue
  const low = [0, 1, 2].map((axis) => Math.min(...boxes.map(({ start }) => start[axis])))
  const high = [0, 1, 2].map((axis) => Math.max(...boxes.map(({ start, shape }) => start[axis] + shape[axis])))
  const box = { start: low, shape: high.map((end, axis) => end - low[axis]) }
  const masks = maps.map((map) => cropEqual(map, grid.shape, box, 1))
  const present = masks.filter((mask) => mask.includes(1))
  const { outlines } = observeAnnotators(one.name, maps, grid, 1)
  cases.push({
    name: one.name,
    drawn: present.length,
    of: masks.length,
    scores: leaveOneOut(masks, false),
    drawnScores: leaveOneOut(masks, true),
    all: optima(masks),
    present: present.length > 1 ? optima(present) : undefined,
    real: outlines && measured(outlines.measured),
    simulated: outlines && noise && simulated(one.name, outlines, present.length),
  })
}

function simulated(name, { middle, grid }, annotators) {
  const sampler = createSampler(middle, grid, noise)
  const maps = Array.from({ length: annotators }, (_, r) => sampler.sample(streamSeed('real annotators', name), r))
  const { outlines } = observeAnnotators(name, maps, grid, 1)
  return outlines && measured(outlines.measured)
}

/** Distances of each annotator from the annotators' mean, and where: mm. */
function measured({ byAnnotator, points, normals }) {
  const own = byAnnotator.map((one) => Array.from(one, (v, u) => v - mean(byAnnotator.map((other) => other[u]))))
  return { own, points, normals }
}

/** Squares of distances up to `limit`, and what of them whole outlines, a shift and a turn explain (least squares). */
function rigidOf({ own, points, normals }, limit) {
  const n = points.length / 3
  const centre = [0, 1, 2].map((axis) => mean(Array.from({ length: n }, (_, u) => points[3 * u + axis])))
  const rows = Array.from({ length: n }, (_, u) => {
    const [x, y, z] = [0, 1, 2].map((axis) => points[3 * u + axis] - centre[axis])
    const [a, b, c] = [0, 1, 2].map((axis) => normals[3 * u + axis])
    return [1, a, b, c, y * c - z * b, z * a - x * c, x * b - y * a]
  })
  const products = rows[0].map((_, i) => rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0)))
  const sums = [0, 0, 0, 0]
  for (const one of own) {
    const d = one.map((value) => Math.max(-limit, Math.min(limit, value)))
    sums[0] += d.reduce((sum, value) => sum + value * value, 0)
    for (const [k, size] of [1, 4, 7].entries()) {
      const right = Array.from({ length: size }, (_, i) => rows.reduce((sum, row, u) => sum + row[i] * d[u], 0))
      const matrix = right.map((_, i) => right.map((_, j) => products[i][j] + (i === j ? 1e-6 * n : 0)))
      sums[k + 1] += solve(matrix, right).reduce((sum, x, i) => sum + x * right[i], 0)
    }
  }
  return sums
}

const number = (x, digits = 4) => x.toFixed(digits)
console.log(`${cases.length} cases of ${found.annotators.length} annotators\n`)
console.log('Leave one out, Dice on the one left out:\n')
console.log('| rule | mean | less ½ (>) | 95 % interval | p | better, worse |')
console.log('|---|---|---|---|---|---|')
const groups = [['all cases', cases]]
const full = cases.filter(({ drawn, of }) => drawn === of)
if (full.length < cases.length)
  groups.push(
    ['drawn by all', full],
    ['not by all', cases.filter((c) => c.drawn < c.of)],
    ['all, on who drew', cases, 'drawnScores'],
  )
for (const [what, some, which = 'scores'] of groups) {
  console.log(`| **${what}**, ${some.length} | | | | | |`)
  const scoresOf = (rule) => some.map((one) => one[which][rule])
  for (const rule of rules) {
    const own = scoresOf(rule)
    const against = rule === '> ½' ? undefined : comparePaired(own, scoresOf('> ½'))
    const cells = against
      ? [
          number(against.difference.value),
          `${number(against.difference.low)} to ${number(against.difference.high)}`,
          against.wilcoxon.pValue?.toPrecision(2) ?? '',
          `${against.betterCases}, ${against.worseCases}`,
        ]
      : ['', '', '', '']
    console.log(`| ${[rule, number(mean(own)), ...cells].join(' | ')} |`)
  }
}

console.log('\nWhat the annotators of a case leave to a mask, by their mean map:\n')
console.log('| of | cases | D* | t* | ½ loses | volume at ½ | volume at t* |')
console.log('|---|---|---|---|---|---|---|')
const row = (what, some) => {
  const of = (key) => some.map((one) => one[key])
  const cells = [
    ...[what, some.length, number(mean(of('supDice')), 3), number(mean(of('threshold')), 3)],
    ...[
      number(mean(of('loss'))),
      `${number(mean(of('volumeRatioHalf')), 3)} ± ${number(spread(of('volumeRatioHalf')), 3)}`,
    ],
    `${number(mean(of('volumeRatio')), 3)} ± ${number(spread(of('volumeRatio')), 3)}`,
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
row(
  'all annotators',
  cases.map(({ all }) => all),
)
row(
  'those who drew it',
  cases.flatMap(({ present }) => present ?? []),
)
if (full.length < cases.length)
  row(
    'cases that all drew',
    full.map(({ all }) => all),
  )

console.log(
  '\nTails: the 1 to 99 % width over the 25 to 75 % width (a Gaussian has 3.45). Distances count up to 8 σ:\n',
)
const absolute = Float64Array.from(cases.flatMap(({ real }) => real?.own.flat().map(Math.abs) ?? [])).sort()
// 1.48 medians of the absolute value are the σ of a Gaussian.
const limit = 8 * 1.48 * quantile(absolute, 0.5)
for (const which of noise ? ['real', 'simulated'] : ['real']) {
  const some = cases.flatMap((one) => one[which] ?? [])
  const ofCases = some.map(({ own }) => own.flat().map((d) => Math.max(-limit, Math.min(limit, d))))
  const sigmas = ofCases.map((own) => Math.sqrt(mean(own.map((d) => d * d))))
  const scaled = ofCases.flatMap((own, c) => (sigmas[c] > 0 ? own.map((d) => d / sigmas[c]) : []))
  const ratio = (values) => {
    const sorted = Float64Array.from(values).sort()
    return (quantile(sorted, 0.99) - quantile(sorted, 0.01)) / (quantile(sorted, 0.75) - quantile(sorted, 0.25))
  }
  const sorted = Float64Array.from(sigmas).sort()
  const [middle, low, high] = [0.5, 0.1, 0.9].map((share) => number(quantile(sorted, share), 3))
  const sums = some.map((one) => rigidOf(one, limit))
  const total = (k) => sums.reduce((sum, own) => sum + own[k], 0)
  const shares = [total(1), total(2) - total(1), total(3) - total(2)].map((x) => number((100 * x) / total(0), 1))
  console.log(
    `${which}: all together ${number(ratio(ofCases.flat()), 2)}, each case by its own σ ${number(ratio(scaled), 2)}`,
  )
  console.log(`  σ of a case, mm: median ${middle}, 10 to 90 % of cases ${low} to ${high}`)
  console.log(`  of the squares whole outlines share ${shares[0]} %, shifts ${shares[1]} %, turns ${shares[2]} %`)
}
