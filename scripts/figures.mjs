// Draws the figures of README.md and docs/theory.md into docs/figures, from the formulas and the built-in phantom:
// npm run figures (after a build). The same version draws the same bytes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { meanMap } from '../dist/annotators/consensus.js'
import { consensus, createSampler, marginal, phantomCase, softDiceOptimum } from '../dist/index.js'
import { normalCdf } from '../dist/kernels/normal-cdf.js'
import { fitAnnotators, observeAnnotators } from '../dist/node.js'
import { expectedDiceChart, foldingChart } from '../dist/report/demo/chart-figures.js'
import { contourColour, lineColour } from '../dist/report/kit/palette.js'
import { sheet } from '../dist/report/kit/sheet.js'
import { chart, cropPlane, demoResults, largestSlice, slicePanels } from '../dist/report.js'

const folder = fileURLToPath(new URL('../docs/figures', import.meta.url))
mkdirSync(folder, { recursive: true })
const save = (name, svg) => {
  writeFileSync(`${folder}/${name}.svg`, `${svg}\n`)
  console.log(`docs/figures/${name}.svg  ${(svg.length / 1024).toFixed(0)} kB`)
}

const phantom = phantomCase(0, 1, { shape: [192, 160, 128], spacing: [1.5, 1.5, 1.5] })
const { image, labels } = phantom
const { grid } = labels
const grey = { kind: 'grey', values: image.data, window: [-160, 240] }
const isOrgan = (label) => (at) => labels.data[at] === label
const outline = (label, name, colour = '#ffffff', width = 1.8) => ({
  kind: 'contour',
  values: (at) => Number(labels.data[at] === label),
  level: 0.5,
  colour,
  width,
  label: name,
})
const noisyOutline = (sample, label, i) => ({
  kind: 'contour',
  values: (at) => Number(sample[at] === label),
  level: 0.5,
  colour: contourColour([0, 1, 2, 3, 5][i % 5]),
  width: 1.2,
  ...(i === 0 ? { label: 'noisy labels' } : {}),
})
const percent = (ratio) => `${Math.round(100 * ratio)} %`
const isotropic = (sigma, length) => ({ sigmaMm: [sigma, sigma, sigma], lengthMm: length })
const results = demoResults({ seed: 0 })

story()
samples()
annotators()
save('expected-dice', sheet([expectedDiceChart(results)], 1, 'Expected Dice against the threshold'))
save('folding', sheet([foldingChart(results)], 1, 'Folding probability'))
shapes()

/** README: noisy annotators, their marginal, the two cuts. */
function story() {
  const [label, sigma] = [2, 8]
  const m = marginal(labels.data, grid, label, [sigma, sigma, sigma])
  const optimum = softDiceOptimum(m)
  const sampler = createSampler(labels.data, grid, isotropic(sigma, 4 * sigma))
  const noisy = Array.from({ length: 5 }, (_, i) => sampler.sample(0, i))
  const expected = results.organs.find((o) => o.label === label).expected
  const inside = isOrgan(label)
  const plane = cropPlane(grid, largestSlice(grid, 'axial', inside), inside, 24)
  const base = { grid, plane }
  const reference = outline(label, 'reference')
  const cut = (t, colour, name) => ({ kind: 'fill', inside: (at) => m[at] >= t, colour, label: name })
  const description =
    'Four views of a phantom’s gall bladder: outlines by five noisy annotators, the probability map, ' +
    'the small mask cut at one half, the larger mask cut at t*.'
  const panels = [
    {
      ...base,
      title: '1  Annotators disagree',
      note: `contours stray by σ = ${sigma} mm`,
      layers: [grey, ...noisy.map((s, i) => noisyOutline(s, label, i)), reference],
    },
    {
      ...base,
      title: '2  A perfect network’s answer',
      note: `best Dice it can expect: D* = ${optimum.supDice.toFixed(2)}`,
      layers: [grey, { kind: 'heat', values: m }, { ...reference }],
    },
    {
      ...base,
      title: `3  Cut at ½: Dice ${expected.atHalf.mean.toFixed(2)}`,
      note: `${percent(optimum.volumeRatioHalf)} of the expected volume`,
      layers: [grey, cut(0.5, '#33bbee', 'cut at ½'), reference],
    },
    {
      ...base,
      title: `4  Cut at t* = ${optimum.threshold.toFixed(2)}: Dice ${expected.atOptimum.mean.toFixed(2)}`,
      note: `${percent(optimum.volumeRatio)} of the expected volume`,
      layers: [grey, cut(optimum.threshold, '#7ddc5a', 'cut at t*'), reference],
    },
  ]
  save('story', sheet([slicePanels({ panels, description, heatLabel: 'probability m' })], 1, description))
}

/** theory §2: three strengths, two length scales. */
function samples() {
  const label = 1
  const inside = isOrgan(label)
  const plane = cropPlane(grid, largestSlice(grid, 'axial', inside), inside, 22)
  const panels = [4, 1.5].flatMap((ratio) =>
    [2, 4, 8].map((sigma) => {
      const sampler = createSampler(labels.data, grid, isotropic(sigma, ratio * sigma))
      return {
        title: `σ = ${sigma} mm, ℓ = ${ratio * sigma} mm`,
        grid,
        plane,
        layers: [
          grey,
          ...[0, 1, 2].map((i) => noisyOutline(sampler.sample(0, i), label, i)),
          outline(label, 'reference'),
        ],
      }
    }),
  )
  const description =
    'Noisy outlines of a liver at three strengths; smooth for a long length scale, ragged for a short one.'
  save('samples', sheet([slicePanels({ panels, columns: 3, description })], 1, description))
}

/** README and docs/annotators.md: three annotators, what they agree on, and others with the noise of their fit. */
function annotators() {
  const label = 1
  const mask = Uint8Array.from(labels.data, (value) => Number(value === label))
  const people = [0, 1, 2].map((i) => createSampler(mask, grid, isotropic(3, 16)).sample(1, i))
  const fit = fitAnnotators([observeAnnotators('phantom', people, grid, 1)])
  const [sigma, length] = [fit.noise.sigmaMm[0], fit.noise.lengthMm]
  const best = consensus(people, 'dice')
  const others = [0, 1, 2].map((i) => createSampler(best.values, grid, fit.noise).sample(2, i))
  const share = meanMap(people, 1)
  const inside = (at) => mask[at] !== 0
  const base = { grid, plane: cropPlane(grid, largestSlice(grid, 'axial', inside), inside, 22) }
  const drawn = (sample, i, name) => ({
    kind: 'contour',
    values: (at) => sample[at],
    level: 0.5,
    colour: contourColour([0, 1, 5][i]),
    width: 1.4,
    ...(i === 0 && { label: name }),
  })
  const { dice } = fit.check
  const panels = [
    {
      ...base,
      title: '1  Three annotators',
      note: `pairs agree by a Dice of ${dice.real.toFixed(3)}`,
      layers: [grey, ...people.map((one, i) => drawn(one, i, 'an annotator each'))],
    },
    {
      ...base,
      title: '2  The mask with the best mean Dice',
      note: `${best.labels[0].meanDice.toFixed(3)} to the three`,
      layers: [
        grey,
        { kind: 'heat', values: share },
        { ...drawn(best.values, 0, 'consensus'), colour: '#ffffff', width: 1.8 },
      ],
    },
    {
      ...base,
      title: `3  Simulated: σ = ${sigma.toFixed(1)} mm, ℓ = ${length.toFixed(0)} mm`,
      note: `pairs agree by a Dice of ${dice.simulated.toFixed(3)}`,
      layers: [grey, ...others.map((one, i) => drawn(one, i, 'an annotator each'))],
    },
  ]
  const description =
    'A liver as three annotators outlined it; the share of them at every voxel with the consensus; three annotators ' +
    'simulated with the noise fitted to the first.'
  save(
    'annotators',
    sheet([slicePanels({ panels, columns: 3, description, heatLabel: 'share of annotators' })], 1, description),
  )
}

/** theory §4: slab, disc and ball of radius 1 in the continuum, by quadrature over the radius. */
function shapes() {
  const strengths = Array.from({ length: 41 }, (_, i) => 0.05 * 30 ** (i / 40))
  const curves = ['slab', 'disc', 'ball'].map((name, i) => ({
    name,
    rows: strengths.map((s) => radialOptimum(i + 1, s)),
  }))
  const x = { label: 'σ / R', scale: 'log', ticks: [0.05, 0.1, 0.2, 0.5, 1], domain: [0.05, 1.5] }
  const lines = (value, dash) =>
    curves.map(({ name, rows }, i) => ({
      kind: 'line',
      colour: lineColour(i),
      dash,
      ...(dash ? {} : { label: name }),
      points: rows.map((row, k) => [strengths[k], value(row)]),
    }))
  const half = { kind: 'line', colour: 'currentColor', dash: '5 3', label: 'cut at ½', points: [] }
  const size = { width: 460, height: 320 }
  const charts = [
    {
      ...size,
      title: 'Dice: best (solid) and cut at ½ (dashed)',
      description: 'Best Dice and Dice at one half',
      x,
      y: { label: 'Dice', domain: [0, 1] },
      marks: [...lines((r) => r.diceAtHalf, '5 3'), ...lines((r) => r.supDice), half],
    },
    {
      ...size,
      title: 'Threshold t* = ½ D*',
      description: 'Threshold',
      x,
      y: { label: 'threshold t*', domain: [0, 0.5] },
      marks: lines((r) => r.supDice / 2),
    },
  ]
  save('shapes', sheet(charts.map(chart), 2, 'Best Dice and threshold for a slab, a disc and a ball of radius R'))
}

/** D* and the Dice of the ½ cut for a body of radius 1 in `dimension` dimensions; m falls with the radius. */
function radialOptimum(dimension, sigma) {
  const steps = 3000
  const reach = 1 + 7 * sigma
  let total = 0
  const shells = Array.from({ length: steps }, (_, i) => {
    const r = ((i + 0.5) * reach) / steps
    const volume = r ** (dimension - 1) * (reach / steps)
    const m = radialMarginal(dimension, r, sigma)
    total += m * volume
    return { m, volume }
  })
  let [inside, size, supDice, diceAtHalf] = [0, 0, 0, 0]
  for (const { m, volume } of shells) {
    inside += m * volume
    size += volume
    const dice = (2 * inside) / (size + total)
    supDice = Math.max(supDice, dice)
    if (m >= 0.5) diceAtHalf = dice
  }
  return { supDice, diceAtHalf }
}

/**
 * P(|x + X| ≤ 1) at distance r from the centre, X normal with standard deviation σ in each of `dimension` directions.
 */
function radialMarginal(dimension, r, sigma) {
  const slab = normalCdf((1 - r) / sigma) - normalCdf((-1 - r) / sigma)
  if (dimension === 1) return slab
  const density = (u) => Math.exp(-0.5 * (u / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI))
  if (dimension === 3) return Math.max(0, slab - (sigma ** 2 / r) * (density(1 - r) - density(1 + r)))
  // The disc: a chord's length at each x, weighted by where x may go. Midpoints in the angle remove the square root's
  // edge.
  const steps = 400
  let sum = 0
  for (let i = 0; i < steps; i++) {
    const angle = -Math.PI / 2 + ((i + 0.5) * Math.PI) / steps
    const chord = 2 * normalCdf(Math.cos(angle) / sigma) - 1
    sum += density(Math.sin(angle) - r) * chord * Math.cos(angle)
  }
  return Math.min(1, (sum * Math.PI) / steps)
}
