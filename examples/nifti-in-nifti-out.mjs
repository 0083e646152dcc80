// node examples/nifti-in-nifti-out.mjs [MAP.nii.gz MASK.nii.gz]: without arguments, on a map that it makes itself.
import { marginal, phantomCase, probabilitiesOf, softDiceOptimum, thresholdMask } from 'halfdice'
import { readVolume, writeVolume } from 'halfdice/node'

const [input = 'gallbladder.nii.gz', output = 'mask.nii.gz'] = process.argv.slice(2)
if (process.argv.length === 2) {
  const { labels } = phantomCase(0, 0, { shape: [48, 40, 32], spacing: [6, 6, 6] })
  const data = marginal(labels.data, labels.grid, 2, [5, 5, 5])
  await writeVolume(input, { grid: labels.grid, channels: 1, data })
}

const volume = await readVolume(input)
const probabilities = probabilitiesOf(volume, input)
const { threshold } = softDiceOptimum(probabilities)
// The grid and the header travel with the mask: affine, units and codes stay as they are.
await writeVolume(output, {
  grid: volume.grid,
  channels: 1,
  header: volume.header,
  data: thresholdMask(probabilities, threshold),
})
console.log(`${output}: cut at t* = ${threshold.toFixed(3)}`)
