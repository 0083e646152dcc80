// node examples/noisy-labels.mjs: labels whose contours stray by 4 mm in bumps of 16 mm.
import { createSampler, dice, marginal, phantomCase, softDiceOptimum } from 'halfdice'

const liver = 1
const noise = { sigmaMm: [4, 4, 4], lengthMm: 16 }
const { labels } = phantomCase(0, 0, { shape: [48, 40, 32], spacing: [6, 6, 6] })
const reference = labels.data.map((label) => Number(label === liver))

const sampler = createSampler(labels.data, labels.grid, noise)
for (let sample = 0; sample < 3; sample++) {
  const noisy = sampler.sample(0, sample).map((label) => Number(label === liver))
  console.log(`sample ${sample}: Dice with the reference ${dice(noisy, reference).toFixed(3)}`)
}

// What a network that learned from endless such labels would answer, and what its best mask can reach.
const { supDice, threshold } = softDiceOptimum(marginal(labels.data, labels.grid, liver, noise.sigmaMm))
console.log(`a perfect network reaches Dice ${supDice.toFixed(3)}, cut at ${threshold.toFixed(3)}`)
