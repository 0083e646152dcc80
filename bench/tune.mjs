// What `tune` promises against what comes: patients are split in two at random, thresholds are tuned on one half, and
// the gain over 1/2 is measured on the other, which neither the choice nor the fits have seen. Of many such splits: how
// often the promised 95 % interval holds the other half's mean gain, and how often the one for as many new patients
// does. Needs a built tree; without arguments the hippocampi of ../shared/data against clean and noisy labels.
//   node bench/tune.mjs [MAPS REFERENCES CLASSES [SUFFIX [LABELS]]]
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findLabelCases } from '../dist/datasets/label-cases.js'
import { patientOf } from '../dist/datasets/nnunet.js'
import { matchCases } from '../dist/maps/find-cases.js'
import { CandidateFits } from '../dist/maps/tune/candidates.js'
import { chooseRule } from '../dist/maps/tune/choose-rule.js'
import { candidateName } from '../dist/maps/tune/rule.js'
import { run as tabulate } from '../dist/maps/tune/tune-job.js'
import { unpackCutTable } from '../dist/metrics/packed-cut-table.js'
import { randomStream } from '../dist/volume/random.js'

const splits = 20
const given = process.argv.slice(2)
if (given.length > 0) await measure(given[1], given[0], given[1], given[2], given[3], given[4])
else {
  const data = fileURLToPath(new URL('../../shared/data/hippocampus_probabilities', import.meta.url))
  if (!existsSync(data)) console.log('skipped: ../shared/data is absent')
  else {
    for (const truth of ['clean', 'noisy']) {
      const references = join(data, `{case}_${truth}.nii.gz`)
      for (const net of ['ce', 'sd']) {
        const title = `${net === 'ce' ? 'cross-entropy' : 'soft Dice'}, ${truth} labels`
        await measure(title, join(data, `{case}_${net}.nii.gz`), references, 'anterior=1,posterior=2,whole=1+2')
      }
    }
  }
}

async function measure(title, maps, references, classes, suffix, labels) {
  const { cases: found } = await matchCases([maps], { suffix })
  const truth = new Map((await findLabelCases([references])).cases.map(({ name, input }) => [name, input]))
  const opening = { classes, decode: 'separate', labels: labels?.split(',') }
  const cases = []
  for (const one of found) {
    const reference = truth.get(one.name)
    if (reference === undefined) continue
    const { value, fault } = await tabulate({ found: one, reference, opening })
    if (fault) throw new Error(`${fault.subject}: ${fault.fault}`)
    cases.push({ name: one.name, ...value })
  }
  const names = cases[0].scheme.maps.map((each) => each.name)
  const patients = [...new Set(cases.map(({ name }) => patientOf(name)))].sort()
  console.log(`${title}: ${cases.length} cases of ${patients.length} patients, ${splits} splits in two`)
  for (const [c, name] of names.entries()) {
    const own = cases.map(({ name: id, voxelMm3, classes: all }) => {
      const { packed, curves } = all[c]
      return { case: id, patient: patientOf(id), voxelMm3, table: unpackCutTable(packed), curves }
    })
    const results = Array.from({ length: splits }, (_, s) => split(own, patients, s))
    const mean = (of) => results.reduce((sum, each) => sum + of(each), 0) / splits
    const share = (of) => `${Math.round(100 * mean((each) => Number(of(each))))} %`
    const counts = new Map()
    for (const { rule } of results) counts.set(rule, (counts.get(rule) ?? 0) + 1)
    const chosen = [...counts].sort((a, b) => b[1] - a[1]).map(([rule, n]) => `${rule} ${n}`)
    console.log(
      [
        `  ${name}: promised ${signed(mean((r) => r.promised))}, realised ${signed(mean((r) => r.realised))}`,
        `in the promised interval ${share((r) => r.realised >= r.low && r.realised <= r.high)}`,
        `in that of as many new patients ${share((r) => r.realised >= r.newLow && r.realised <= r.newHigh)}`,
        `at least the promised lower end ${share((r) => r.realised >= r.low)}`,
        `not below 1/2 ${share((r) => r.realised >= 0)}`,
        chosen.slice(0, 3).join(', '),
      ].join('; '),
    )
  }
}

/** Tuned on half of the patients, applied to the others. */
function split(all, patients, number) {
  const random = randomStream(17, number)
  const order = patients.map((patient) => [random.uniform(), patient]).sort((a, b) => a[0] - b[0])
  const tuning = new Set(order.slice(0, Math.ceil(order.length / 2)).map(([, patient]) => patient))
  const train = all.filter(({ patient }) => tuning.has(patient))
  const { candidate, gain, gainOfNew } = chooseRule(train, false)
  const fits = new CandidateFits(all, false)
  const inside = [...all.keys()].filter((i) => tuning.has(all[i].patient))
  const fit = fits.fit(candidate, inside)
  const outside = [...all.keys()].filter((i) => !tuning.has(all[i].patient))
  const gains = outside.map((i) => fit.dice(i) - fits.half(i))
  const realised = gains.reduce((a, b) => a + b, 0) / gains.length
  return {
    promised: gain.value,
    low: gain.low,
    high: gain.high,
    realised,
    newLow: gainOfNew.low,
    newHigh: gainOfNew.high,
    rule: candidateName(candidate),
  }
}

function signed(x) {
  return `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(3)}`
}
