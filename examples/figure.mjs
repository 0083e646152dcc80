// node examples/figure.mjs: best Dice and the Dice of the cut at 1/2 by the strength of the noise, as a page.
import { writeFileSync } from 'node:fs'
import { marginal, phantomCase, softDiceOptimum } from 'halfdice'
import { chart, htmlReport } from 'halfdice/report'

const { labels } = phantomCase(0, 0, { shape: [48, 40, 32], spacing: [6, 6, 6] })
const strengths = [1, 2, 4, 6, 8]
const optima = strengths.map((s) => softDiceOptimum(marginal(labels.data, labels.grid, 4, [s, s, s])))
const line = (label, colour, value) => ({
  kind: 'line',
  label,
  colour,
  points: optima.map((optimum, i) => [strengths[i], value(optimum)]),
})
const svg = chart({
  description: 'Dice of the pancreas by noise, cut at t* and at one half',
  x: { label: 'σ (mm)' },
  y: { label: 'expected Dice', domain: [0, 1] },
  marks: [
    line('cut at t*', '#0077bb', ({ supDice }) => supDice),
    line('cut at ½', '#ee7733', ({ diceAtHalf }) => diceAtHalf),
  ],
})
const blocks = [{ kind: 'figure', svgs: [svg], caption: 'A small organ loses most at ½.' }]
const sections = [{ title: 'Dice', blocks }]
writeFileSync('figure.html', htmlReport({ title: 'Pancreas', summary: [], sections, footer: ['halfdice'] }))
console.log('figure.html: open it in a browser')
