// Do σ, ℓ, bias and presence of simulated annotators come back, and do their 95 % intervals hold them as often as they
// say? node bench/annotators.mjs [SETS] [SETTING…]: so many simulated data sets of 12 cases and 3 annotators a setting.
import { parseArgs } from 'node:util'
import { fitAnnotators } from '../dist/annotators/fit.js'
import { observeAnnotators } from '../dist/annotators/observe.js'
import { createSampler } from '../dist/noise/sampler.js'
import { createGrid } from '../dist/volume/grid.js'
import { randomStream, streamSeed } from '../dist/volume/random.js'

/** Bent ellipsoids of about `radiusMm`, each of its own size and place between the voxels. */
function shape(name, radiusMm, spacing) {
  const random = randomStream('shape', name)
  const axes = [1.3, 1, 0.8].map((factor) => radiusMm * factor * random.between(0.9, 1.1))
  const n = axes.map((mm, axis) => Math.ceil((2.8 * mm + 20) / spacing[axis]))
  const centre = n.map((count) => count / 2 + random.between(-0.5, 0.5))
  const bend = random.between(-0.25, 0.25) / radiusMm
  const grid = createGrid(n, spacing)
  const values = new Uint8Array(n[0] * n[1] * n[2])
  for (let i = 0; i < values.length; i++) {
    const x = ((i % n[0]) - centre[0]) * spacing[0]
    const y = ((Math.floor(i / n[0]) % n[1]) - centre[1]) * spacing[1] + bend * x * x
    const z = (Math.floor(i / n[0] / n[1]) - centre[2]) * spacing[2]
    if ((x / axes[0]) ** 2 + (y / axes[1]) ** 2 + (z / axes[2]) ** 2 <= 1) values[i] = 1
  }
  return { grid, values }
}

const settings = {
  ball: { radius: 12, spacing: [1, 1, 1], sigma: 1, length: 6 },
  fine: { radius: 12, spacing: [1, 1, 1], sigma: 0.4, length: 5 },
  coarse: { radius: 16, spacing: [1, 1, 1], sigma: 3, length: 12 },
  long: { radius: 14, spacing: [1, 1, 1], sigma: 1, length: 20 },
  short: { radius: 14, spacing: [1, 1, 1], sigma: 0.8, length: 3 },
  slices: { radius: 22, spacing: [0.8, 0.8, 4], sigma: 0.8, length: 10 },
  'slices-2': { radius: 22, spacing: [0.8, 0.8, 4], sigma: 2, length: 10 },
  nodule: { radius: 5, spacing: [0.7, 0.7, 2], sigma: 0.7, length: 5, presence: 0.8 },
  biased: { radius: 12, spacing: [1, 1, 1], sigma: 1, length: 6, bias: [0.6, -0.1, -0.5] },
  random: { radius: 12, spacing: [1, 1, 1], sigma: 1, length: 6, tau: 0.7 },
}

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { first: { type: 'string', default: '0' }, draws: { type: 'string', default: '200' } },
})
const [sets = '10', ...wanted] = positionals
for (const [name, setting] of Object.entries(settings)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const { radius, spacing, sigma, length, presence = 1, bias, tau } = setting
  const truth = { sigma, length, ...(presence < 1 && { presence }), ...(tau && { tau }) }
  const found = Object.fromEntries(Object.keys(truth).map((key) => [key, []]))
  const widths = Object.fromEntries(Object.keys(truth).map((key) => [key, 0]))
  const covered = Object.fromEntries(Object.keys(truth).map((key) => [key, 0]))
  const biases = []
  let [biasCovered, biasCount, ms, fits] = [0, 0, 0, 0]
  for (let set = Number(flags.first); set < Number(flags.first) + Number(sets); set++) {
    const observations = Array.from({ length: 12 }, (_, c) => {
      const { grid, values } = shape(`${name} ${set} ${c}`, radius, spacing)
      const maps = [0, 1, 2].map((r) => {
        const noise = {
          sigmaMm: [sigma, sigma, sigma],
          lengthMm: length,
          presence,
          biasMm: bias?.[r] ?? 0,
          biasSdMm: tau ?? 0,
        }
        return createSampler(values, grid, noise).sample(streamSeed('recovery', name, set, c), r)
      })
      return observeAnnotators(`case ${c}`, maps, grid, 1)
    })
    const start = performance.now()
    const fit = fitAnnotators(observations, { anonymous: bias === undefined, draws: Number(flags.draws), seed: set })
    ms += performance.now() - start
    fits += fit.check.fits ? 1 : 0
    const own = { sigma: fit.sigmaMm, length: fit.lengthMm, presence: fit.presence, tau: fit.biasSdMm }
    for (const [key, value] of Object.entries(truth)) {
      const { estimate, low, high } = own[key]
      found[key].push([estimate].flat()[0])
      widths[key] += ([high].flat()[0] - [low].flat()[0]) / 2 / Number(sets)
      if ([low].flat()[0] <= value && value <= [high].flat()[0]) covered[key]++
    }
    for (const [r, value] of (bias ?? []).entries()) {
      biases.push(fit.biasMm[r].estimate - value)
      biasCovered += fit.biasMm[r].low <= value && value <= fit.biasMm[r].high ? 1 : 0
      biasCount++
    }
  }
  const line = Object.entries(truth).map(([key, value]) => {
    const list = found[key]
    const mean = list.reduce((a, b) => a + b, 0) / list.length
    const sd = Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1))
    const percent = (x) => `${((100 * x) / value).toFixed(1)} %`
    const errors = `off ${percent(mean - value)}, sd ${percent(sd)}, half width ${percent(widths[key])}`
    return `${key} ${value}: ${mean.toFixed(3)} (${errors}), covered ${covered[key]}/${list.length}`
  })
  const biased = bias
    ? `; bias off by at most ${Math.max(...biases.map(Math.abs)).toFixed(3)} mm, covered ${biasCovered}/${biasCount}`
    : ''
  console.log(
    `${name}: ${line.join('; ')}${biased}; fits ${fits}/${sets}; ${(ms / Number(sets) / 1000).toFixed(1)} s a fit`,
  )
}
