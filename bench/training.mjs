// One training step and one inference of a U-Net, side by side with PyTorch on the same cores and the same numbers.
// Usage, after npm run build: node bench/training.mjs [W1 W2 W3] [--rounds N] [--no-torch] [--busy]
// --busy: for a machine that others use: CPU time of one thread each instead of wall-clock time of two.
// Each round times both engines one after the other in processes of their own; the medians' ratio is the result.
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { sayPeer } from './peers/python.mjs'
import { median, runOurs, runTorch, workloads, writePlan } from './unet-step.mjs'

const busy = process.argv.includes('--busy')
const threads = busy ? 1 : Math.min(2, availableParallelism())
const args = process.argv.slice(2)
const rounds = args.includes('--rounds') ? Number(args[args.indexOf('--rounds') + 1]) : 3
const chosen = Object.keys(workloads).filter((name) => !args.some((a) => a in workloads) || args.includes(name))
const withTorch = !args.includes('--no-torch')
if (withTorch) sayPeer()
for (const name of chosen) compare(name, rounds, withTorch)

function compare(name, rounds, withTorch) {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
  try {
    const steps = name === 'W1' ? 40 : 15
    writePlan(folder, name, { steps, threads, busy })
    const env = { OMP_NUM_THREADS: String(threads) }
    const ours = []
    const theirs = []
    for (let round = 0; round < rounds; round++) {
      ours.push(runOurs(folder, 'cpu', env))
      if (!withTorch) continue
      theirs.push(runTorch(folder, env))
    }
    const line = (label, of) => {
      const a = median(ours.map(of))
      const b = withTorch ? median(theirs.map(of)) : Number.NaN
      return `${label} ${a.toFixed(1)} / ${b.toFixed(1)} = ${(a / b).toFixed(2)}`
    }
    const lastLoss = (r) => r.losses.at(-1)
    console.log(
      `${name}${busy ? ' (CPU time of 1 thread)' : ''} ours / PyTorch: ` +
        [
          line('step ms', (r) => 1000 * median(r.seconds.slice(3))),
          line('inference ms', (r) => 1000 * median(r.inference.slice(2))),
          line('peak MB', (r) => r.memoryKb / 1024),
          `loss after ${steps}: ${lastLoss(ours[0]).toFixed(5)} / ${withTorch ? lastLoss(theirs[0]).toFixed(5) : '-'}`,
        ].join('; '),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}
