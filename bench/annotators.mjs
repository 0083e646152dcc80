// Do σ, ℓ, biases, τ and presence of simulated annotators come back, and do their 95 % intervals hold them as often as
// they say? Each data set is 12 cases of 3 annotators, a fit with intervals each:
//
//   node bench/annotators.mjs --sets 200 [--seed 0] [--data ../shared/data] [SETTING…]
//
// Fits are kept in work/annotators (--folder), a line each, and a run goes on where another stopped: sets are done in
// turn, one of every setting. --table prints what there is, --bound how little any method could be off by. --data adds
// real organs where these data sets are there.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fitAnnotators } from '../dist/annotators/fit.js'
import { middleMask } from '../dist/annotators/middle-mask.js'
import { observeAnnotators } from '../dist/annotators/observe.js'
import { gaussLegendre } from '../dist/decision/gauss-legendre.js'
import { readVolume } from '../dist/formats/volume-file.js'
import { createSampler } from '../dist/noise/sampler.js'
import { boxOf, cropEqual, growBox } from '../dist/volume/box.js'
import { createGrid } from '../dist/volume/grid.js'
import { randomStream, streamSeed } from '../dist/volume/random.js'

const cases = 12

/** A bent ellipsoid of about `radius` mm, of its own size and place between voxels, outlined `bias` mm farther out. */
function ellipsoid(name, { radius, spacing }, bias = 0) {
  const random = randomStream('shape', name)
  const axes = [1.3, 1, 0.8].map((factor) => radius * factor * random.between(0.9, 1.1))
  const n = axes.map((mm, axis) => Math.ceil((2.8 * mm + 20) / spacing[axis]))
  const centre = n.map((count) => count / 2 + random.between(-0.5, 0.5))
  const bend = random.between(-0.25, 0.25) / radius
  const values = new Uint8Array(n[0] * n[1] * n[2])
  for (let i = 0; i < values.length; i++) {
    const x = ((i % n[0]) - centre[0]) * spacing[0]
    const y = ((Math.floor(i / n[0]) % n[1]) - centre[1]) * spacing[1] + bend * x * x
    const z = (Math.floor(i / n[0] / n[1]) - centre[2]) * spacing[2]
    if ((x / (axes[0] + bias)) ** 2 + (y / (axes[1] + bias)) ** 2 + (z / (axes[2] + bias)) ** 2 <= 1) values[i] = 1
  }
  return { grid: createGrid(n, spacing), values }
}

const settings = {
  ball: { radius: 12, spacing: [1, 1, 1], sigma: 1, length: 6 },
  fine: { radius: 12, spacing: [1, 1, 1], sigma: 0.4, length: 5 },
  coarse: { radius: 16, spacing: [1, 1, 1], sigma: 3, length: 12 },
  long: { radius: 14, spacing: [1, 1, 1], sigma: 1, length: 20 },
  short: { radius: 14, spacing: [1, 1, 1], sigma: 0.8, length: 3 },
  slices: { radius: 22, spacing: [0.8, 0.8, 4], sigma: 0.8, length: 10 },
  nodule: { radius: 5, spacing: [0.7, 0.7, 2], sigma: 0.7, length: 5, presence: 0.8 },
  biased: { radius: 12, spacing: [1, 1, 1], sigma: 1, length: 6, bias: [0.6, -0.1, -0.5] },
  random: { radius: 12, spacing: [1, 1, 1], sigma: 1, length: 6, tau: 0.7 },
  hippocampus: { data: 'Dataset004_Hippocampus/labelsTr', sigma: 0.8, length: 5 },
  kidney: { data: 'kits23_raters', sigma: 1, length: 10 },
}

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    sets: { type: 'string', default: '10' },
    seed: { type: 'string', default: '0' },
    draws: { type: 'string', default: '200' },
    data: { type: 'string' },
    folder: { type: 'string', default: 'work/annotators' },
    table: { type: 'boolean', default: false },
    bound: { type: 'boolean', default: false },
  },
})
const wanted = Object.entries(settings).filter(
  ([name, { data }]) =>
    (positionals.length === 0 || positionals.includes(name)) &&
    (flags.table || data === undefined || (flags.data !== undefined && existsSync(join(flags.data, data)))),
)

/** A real organ of a data set, drawn by the name; of several annotators' masks the one in the middle. */
async function organ(name, { data }) {
  const folder = join(flags.data, data)
  const entries = readdirSync(folder)
    .filter((entry) => !entry.startsWith('.'))
    .sort()
  const path = join(folder, entries[randomStream('organ', name).integer(entries.length)])
  const files = /\.nii(\.gz)?$/.test(path) ? [path] : readdirSync(path).map((file) => join(path, file))
  const volumes = []
  for (const file of files) volumes.push(await readVolume(file))
  const { grid } = volumes[0]
  const masks = volumes.map(({ data: values }) => Uint8Array.from(values, (v) => Number(v !== 0)))
  const whole = masks.length === 1 ? masks[0] : middleMask(masks, grid)
  const margin = grid.spacing.map((mm) => Math.ceil(10 / mm))
  const box = growBox(boxOf(whole, grid.shape, 0), margin, grid)
  return { grid: createGrid(box.shape, grid.spacing), values: cropEqual(whole, grid.shape, box, 1) }
}

async function fitOne(name, setting, set) {
  const { sigma, length, presence = 1, bias, tau = 0 } = setting
  const seed = Number(flags.seed)
  const observations = []
  for (let c = 0; c < cases; c++) {
    const shape = `${name} ${seed} ${set} ${c}`
    const noise = { sigmaMm: [sigma, sigma, sigma], lengthMm: length, presence }
    // A shape is outlined farther out before it is cut into voxels: a bias moves it by fractions of one.
    const outline = async (r) => {
      if (setting.data) return organ(shape, setting)
      const own = bias?.[r] ?? (tau > 0 ? randomStream('bias', shape, r).normal(0, tau) : 0)
      return ellipsoid(shape, setting, own)
    }
    const { grid } = await outline(0)
    const maps = []
    for (const r of [0, 1, 2]) {
      const { values } = await outline(r)
      maps.push(createSampler(values, grid, noise).sample(streamSeed('recovery', name, seed, set, c), r))
    }
    observations.push(observeAnnotators(`case ${c}`, maps, grid, 1))
  }
  const begin = performance.now()
  const fit = fitAnnotators(observations, { anonymous: bias === undefined, draws: Number(flags.draws), seed: set })
  const { sigmaMm, lengthMm, presence: q, biasMm, biasSdMm, check } = fit
  const seconds = (performance.now() - begin) / 1000
  return {
    seed,
    set,
    sigma: sigmaMm,
    length: lengthMm,
    presence: q,
    bias: biasMm,
    tau: biasSdMm,
    fits: check.fits,
    seconds,
  }
}

/**
 * The Cramér–Rao bound of log σ and log ℓ for spheres, and the error of σ by the mean square alone. Displacements
 * along the normal have the covariance σ² exp(−h²/2ℓ²) n·n′, whose eigenfunctions on a sphere are spherical harmonics;
 * each voxel of the outline adds an error of its own, uniform over a voxel. The truth is unknown: three annotators are
 * two deviations.
 */
function boundOf({ radius, spacing, sigma, length, presence = 1 }) {
  const [degrees, step] = [80, 1e-4]
  const { nodes, weights } = gaussLegendre(400)
  const eigenvalues = (ell) => {
    const sums = new Float64Array(degrees)
    for (const [i, x] of nodes.entries()) {
      const covariance = sigma ** 2 * Math.exp((-(radius ** 2) * (1 - x)) / ell ** 2) * x
      let [previous, value] = [0, 1]
      for (let n = 0; n < degrees; n++) {
        sums[n] += 2 * Math.PI * radius ** 2 * weights[i] * covariance * value
        ;[previous, value] = [value, ((2 * n + 1) * x * value - n * previous) / (n + 1)]
      }
    }
    return sums
  }
  const lambda = eigenvalues(length)
  const [more, less] = [eigenvalues(length * (1 + step)), eigenvalues(length * (1 - step))]
  const voxel = Math.cbrt(spacing[0] * spacing[1] * spacing[2])
  const noise = voxel ** 4 / 12
  const deviations = cases * (3 * presence - 1)
  let [ss, sl, ll, squares] = [0, 0, 0, 0]
  for (const [n, own] of lambda.entries()) {
    const weight = (deviations / 2) * (2 * n + 1)
    const [bySigma, byLength] = [2 * own, (more[n] - less[n]) / (2 * step)].map((x) => x / (own + noise))
    ss += weight * bySigma * bySigma
    sl += weight * bySigma * byLength
    ll += weight * byLength * byLength
    squares += (2 * n + 1) * (own + noise) ** 2
  }
  const both = ss * ll - sl * sl
  const area = lambda.reduce((sum, own, n) => sum + (2 * n + 1) * own, 0)
  return [ll / both, ss / both, squares / area ** 2 / (2 * deviations)].map((variance) => 100 * Math.sqrt(variance))
}

if (flags.bound) {
  console.log('standard error of one set at least, %: σ, ℓ; of σ by the mean square of displacements')
  for (const [name, setting] of wanted) {
    if (setting.data === undefined) console.log(name, ...boundOf(setting).map((percent) => percent.toFixed(1)))
  }
  process.exit()
}

const fileOf = (name) => join(flags.folder, `${name}.jsonl`)
const done = (name) =>
  existsSync(fileOf(name))
    ? readFileSync(fileOf(name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []

if (!flags.table) {
  mkdirSync(flags.folder, { recursive: true })
  for (let set = 0; set < Number(flags.sets); set++) {
    for (const [name, setting] of wanted) {
      if (done(name).some((one) => one.set === set && one.seed === Number(flags.seed))) continue
      appendFileSync(fileOf(name), `${JSON.stringify(await fitOne(name, setting, set))}\n`)
    }
  }
}

/** σ where it has one for each axis: the first, along the slices. */
const number = (value) => [value].flat()[0]
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length
const deviation = (values) =>
  Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)) * (values.length / (values.length - 1)))
console.log('| setting | sets | of | truth | mean | off by | spread of one set | 95 % intervals that hold it | fits |')
console.log('|---|---|---|---|---|---|---|---|---|')
for (const [name, setting] of wanted) {
  const fits = done(name)
  if (fits.length < 2) continue
  const { sigma, length, presence, bias = [], tau } = setting
  const rows = [
    ['σ', sigma, fits.map((fit) => fit.sigma), true],
    ['ℓ', length, fits.map((fit) => fit.length), true],
    ...(presence ? [['q', presence, fits.map((fit) => fit.presence), false]] : []),
    ...(tau ? [['τ', tau, fits.map((fit) => fit.tau), true]] : []),
    ...bias.map((mm, r) => [`bias ${r + 1}`, mm, fits.map((fit) => fit.bias[r]), false]),
  ]
  for (const [what, truth, estimates, relative] of rows) {
    const values = estimates.map(({ estimate }) => number(estimate))
    const held = estimates.filter(({ low, high }) => number(low) <= truth && truth <= number(high)).length
    const shown = (x) => (relative ? `${((100 * x) / truth).toFixed(1)} %` : x.toFixed(3))
    const cells = [
      ...[
        name,
        fits.length,
        what,
        truth,
        mean(values).toFixed(3),
        shown(mean(values) - truth),
        shown(deviation(values)),
      ],
      ...[`${held} of ${fits.length}`, what === 'σ' ? fits.filter((fit) => fit.fits).length : ''],
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
