// node examples/annotators.mjs: three annotators drew six cases; how far do their contours stray, and what is right?
import { consensus, createGrid, createSampler, dice } from 'halfdice'
import { fitAnnotators, observeAnnotators } from 'halfdice/node'

// Discs of 24 mm, each drawn by three people who stray by 1.5 mm.
const grid = createGrid([48, 48, 1])
const truth = Uint8Array.from({ length: 48 * 48 }, (_, i) =>
  Number(Math.hypot((i % 48) - 23.6, Math.floor(i / 48) - 24.3) < 12),
)
const sampler = createSampler(truth, grid, { sigmaMm: [1.5, 1.5, 1.5], lengthMm: 6 })
const cases = [0, 1, 2, 3, 4, 5].map((number) => [0, 1, 2].map((person) => sampler.sample(number, person)))

const seen = cases.map((masks, number) => observeAnnotators(`case ${number}`, masks, grid, 1))
const { noise } = fitAnnotators(seen, { anonymous: true, draws: 0 })
console.log(`they stray by σ = ${noise?.sigmaMm[0].toFixed(1)} mm in bumps of ℓ = ${noise?.lengthMm.toFixed(1)} mm`)

const agreed = consensus(cases[0], 'majority')
const each = cases[0].map((mask) => dice(mask, truth).toFixed(3))
console.log(`Dice with the truth: ${each.join(', ')}; their majority ${dice(agreed.values, truth).toFixed(3)}`)
