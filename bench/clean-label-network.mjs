// Cuts of a cross-entropy network's probabilities against clean and noisy labels, beside a soft-Dice network at ½: the
// table of docs/results-clean-label.md, "One network".
//   node bench/clean-label-network.mjs FOLDER
// FOLDER holds for each case CASE_ce, CASE_sd (4-D: maps of anterior, posterior, whole), CASE_clean and CASE_noisy,
// each .nii.gz.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { dice, labelMapOf, probabilitiesOf, softDiceOptimum, thresholdMask, volumeCut } from '../dist/index.js'
import { bootstrap } from '../dist/metrics/statistics/bootstrap.js'
import { readVolume } from '../dist/node.js'

const folder = process.argv[2]
const cases = readdirSync(folder).flatMap((name) => name.match(/^(.*)_ce\.nii\.gz$/)?.[1] ?? [])
const parts = { anterior: [1], posterior: [2], whole: [1, 2] }
const rows = { clean: {}, noisy: {} }
for (const name of cases) {
  const read = (kind) => readVolume(join(folder, `${name}_${kind}.nii.gz`))
  const [ce, sd] = await Promise.all(['ce', 'sd'].map(read))
  for (const label of ['clean', 'noisy']) {
    const values = labelMapOf(await read(label), name).values
    for (const [channel, [part, own]] of Object.entries(parts).entries()) {
      const truth = Uint8Array.from(values, (value) => Number(own.includes(value)))
      const [m, soft] = [ce, sd].map((maps) => mapOf(maps, channel))
      const at = (map, cut) => dice(thresholdMask(map, cut), truth)
      rows[label][part] ??= []
      rows[label][part].push({
        half: at(m, 0.5),
        case: at(m, softDiceOptimum(m).threshold),
        volume: at(m, volumeCut(m).threshold),
        soft: at(soft, 0.5),
        share: m.reduce((a, b) => a + b, 0) / truth.reduce((a, b) => a + b, 0),
      })
    }
  }
}

console.log('label part: CE at 1/2, t*, volume; soft-Dice; sum of CE over the label; volume less t*, less soft-Dice')
for (const [label, byPart] of Object.entries(rows)) {
  for (const [part, own] of Object.entries(byPart)) {
    const mean = (of) => (drawn) => drawn.reduce((sum, i) => sum + of(own[i]), 0) / drawn.length
    const all = [...own.keys()]
    const means = ['half', 'case', 'volume', 'soft', 'share'].map((key) => mean((row) => row[key])(all).toFixed(4))
    const less = ['case', 'soft'].map((key) => {
      const statistic = mean((row) => row.volume - row[key])
      const { value, low, high } = bootstrap(cases, statistic, { draws: 2000, key: [label, part] })
      return `${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`
    })
    console.log(`${label} ${part}: ${[...means, ...less].join(', ')}`)
  }
}

function mapOf(volume, channel) {
  const voxels = volume.data.length / volume.channels
  const data = volume.data.subarray(channel * voxels, (channel + 1) * voxels)
  return probabilitiesOf({ ...volume, channels: 1, data }, 'map')
}
