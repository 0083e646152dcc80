// Which cut of the marginal is best for the clean label, and not for one more annotator's: ½, t*, the expected volume
// (docs/theory.md, "The outline they mean"), and the best of all cuts, which nobody can know. Exact marginals of real
// labels, no network. Prints a CSV: means over cases, differences with 95 % intervals from a bootstrap of patients.
//   node bench/clean-label.mjs DATASET:SIGMAS[:inplane] … > docs/results-clean-label.csv
// DATASET is a folder in nnU-Net's raw layout, SIGMAS are mm, separated by commas; inplane: no displacement along k.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { labelMapOf, marginalInBox, softDiceOptimum, volumeCut } from '../dist/index.js'
import { bootstrap } from '../dist/metrics/statistics/bootstrap.js'
import { readClasses, readVolume } from '../dist/node.js'

const methods = ['half', 'case', 'volume', 'best']
const number = (x) => (Math.abs(x) < 5e-7 ? '0' : String(Number(x.toPrecision(5))))
const compared = methods
  .slice(0, 2)
  .flatMap((other) => ['', '_low', '_high'].map((end) => `volume_less_${other}${end}`))
console.log(
  ['dataset', 'organ', 'sigma_mm', 'cases', 'patients', ...methods, 'cut_volume', 'cut_best', ...compared].join(),
)

for (const argument of process.argv.slice(2)) {
  const [folder, sigmas, inplane] = argument.split(':')
  const classes = readClasses(join(folder, 'dataset.json')).maps.filter((each) => each !== undefined)
  const files = readdirSync(join(folder, 'labelsTr')).filter((name) => /\.nii(\.gz)?$/.test(name))
  const rows = new Map()
  for (const file of files) {
    const volume = await readVolume(join(folder, 'labelsTr', file))
    const labels = labelMapOf(volume, file).values
    for (const { name, labels: own } of classes) {
      const clean = Uint8Array.from(labels, (label) => Number(own.includes(label)))
      for (const sigma of sigmas.split(',').map(Number)) {
        const noise = [sigma, sigma, inplane ? 0 : sigma]
        const found = marginalInBox(clean, volume.grid, 1, noise)
        if (found === undefined) continue
        const key = `${name},${sigma}`
        const patient = basename(file)
          .replace(/\.nii(\.gz)?$/, '')
          .replace(/_frame\d+$/, '')
        rows.set(key, [...(rows.get(key) ?? []), { patient, ...scores(found, clean, volume.grid) }])
      }
    }
  }
  for (const [key, cases] of rows) {
    const mean = (of) => cases.reduce((sum, each) => sum + of(each), 0) / cases.length
    const patients = cases.map(({ patient }) => patient)
    const differences = methods.slice(0, 2).flatMap((other) => {
      const values = cases.map(({ dice }) => dice.volume - dice[other])
      const { value, low, high } = bootstrap(patients, meanOf(values), { draws: 2000, key: [key, other] })
      return [value, low, high]
    })
    const told = [...methods.map((method) => mean(({ dice }) => dice[method])), mean(({ cuts }) => cuts.volume)]
    const numbers = [...told, mean(({ cuts }) => cuts.best), ...differences].map(number)
    console.log([basename(folder), key, cases.length, new Set(patients).size, ...numbers].join())
  }
}

function meanOf(values) {
  return (drawn) => drawn.reduce((sum, i) => sum + values[i], 0) / drawn.length
}

/** Dice of each cut with the clean label; of the best cut by trying every one of them. */
function scores({ box, data: m }, clean, grid) {
  const inside = insideBox(clean, grid, box)
  const volume = inside.reduce((a, b) => a + b, 0)
  const dice = (cut) => {
    let [all, both] = [0, 0]
    for (let i = 0; i < m.length; i++) {
      if (m[i] < cut) continue
      all++
      both += inside[i]
    }
    return (2 * both) / (all + volume)
  }
  const cuts = {
    half: 0.5,
    case: softDiceOptimum(m).threshold,
    volume: volumeCut(m).threshold,
    best: bestCut(m, inside, volume),
  }
  return { cuts, dice: Object.fromEntries(Object.entries(cuts).map(([name, cut]) => [name, dice(cut)])) }
}

function bestCut(m, inside, volume) {
  const order = Uint32Array.from(m.keys()).sort((a, b) => m[b] - m[a])
  let [both, best, cut] = [0, 0, 0.5]
  for (const [rank, i] of order.entries()) {
    both += inside[i]
    if (rank + 1 < order.length && m[order[rank + 1]] === m[i]) continue
    const value = (2 * both) / (rank + 1 + volume)
    if (value > best) [best, cut] = [value, m[i]]
  }
  return cut
}

function insideBox(mask, { shape: [nx, ny] }, { start, shape: [bx, by, bz] }) {
  const out = new Uint8Array(bx * by * bz)
  for (let k = 0; k < bz; k++) {
    for (let j = 0; j < by; j++) {
      const from = ((k + start[2]) * ny + j + start[1]) * nx + start[0]
      out.set(mask.subarray(from, from + bx), (k * by + j) * bx)
    }
  }
  return out
}
