// node examples/cut-a-map.mjs: where to cut one map, and what that is worth.
import { softDiceOptimum, thresholdMask } from 'halfdice'

// A network that is unsure: far from the centre its probability falls off slowly.
const size = 64
const probability = Float32Array.from({ length: size * size }, (_, i) => {
  const distance = Math.hypot((i % size) - 31.5, Math.floor(i / size) - 31.5)
  return 0.9 / (1 + Math.exp((distance - 12) / 4))
})

const { threshold, supDice, diceAtHalf } = softDiceOptimum(probability)
const mask = thresholdMask(probability, threshold)
const count = (data) => data.reduce((sum, value) => sum + value, 0)
console.log(`t* = ${threshold.toFixed(3)}: expected Dice ${supDice.toFixed(3)}, ${count(mask)} pixels`)
console.log(`1/2      : expected Dice ${diceAtHalf.toFixed(3)}, ${count(thresholdMask(probability, 0.5))} pixels`)
