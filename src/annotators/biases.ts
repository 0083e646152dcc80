import { standardDeviation } from './intervals.ts'
import { meanOf, type Problem, type Statistics } from './problem.ts'

/** Each annotator's mean displacement from the mean of all: cases that some did not draw are balanced by iteration. */
export function biasesOf({ cases, annotators }: Problem, { meanMm }: Pick<Statistics, 'meanMm'>): number[] {
  let biases = new Array<number>(annotators).fill(0)
  for (let n = 0; n < 50; n++) {
    const sums = biases.map(() => ({ sum: 0, count: 0 }))
    for (const [c, { present }] of cases.entries()) {
      const mean = meanOf(present.map((r) => biases[r]))
      for (const [i, r] of present.entries()) {
        sums[r].sum += meanMm[c][i] + mean
        sums[r].count++
      }
    }
    biases = sums.map(({ sum, count }) => (count === 0 ? 0 : sum / count))
    const centre = meanOf(biases)
    biases = biases.map((bias) => bias - centre)
  }
  return biases
}

/** The standard error of annotator r's mean displacement over the cases; undefined of one case. */
export function biasError({ cases }: Problem, { meanMm }: Pick<Statistics, 'meanMm'>, r: number): number | undefined {
  const own = cases.flatMap(({ present }, c) => {
    const i = present.indexOf(r)
    return i < 0 ? [] : [meanMm[c][i]]
  })
  return own.length < 2 ? undefined : standardDeviation(own) / Math.sqrt(own.length)
}
