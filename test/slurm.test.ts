import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { canRunSlurm, type Slurm, startSlurm } from './support/slurm.ts'
import { digests } from './support/study-digests.ts'

const root = temporaryFolder()
const config = join(root, "it's a study.yaml")
writeFileSync(
  config,
  `name: on a cluster
data: {kind: phantom, cases: 6, shape: [24, 20, 16], spacing: 12}
organs: [liver]
folds: 2
noise: {sigma: [9]}
training: {dimensions: 2, modality: ct, channels: [4, 8], steps: 1200, batch: 4, epochSteps: 400}
bootstrap: 200
`,
)

interface Job {
  readonly script: string
  readonly submit: string
  readonly tasks: number
  readonly openCells: number
  readonly seconds?: number
  readonly megabytes: number
  readonly submitted: string | null
}

test('the scripts: as many tasks as there are open cells, and what they ask for', { timeout: 60_000 }, async () => {
  const folder = join(root, 'scripts')
  const job = await halfdiceJson<Job>([
    'study',
    'slurm',
    config,
    '-o',
    folder,
    '--array-limit',
    '3',
    '--sbatch=--partition=short',
  ])
  expect(job).toMatchObject({ tasks: 5, openCells: 5, submitted: null })
  expect(job.seconds).toBe(undefined)
  const script = readFileSync(job.script, 'utf8')
  for (const line of ['--array=1-5%3', `--mem=${job.megabytes}M`, '--partition=short', '--job-name=on-a-cluster']) {
    expect(script).toContain(`#SBATCH ${line}\n`)
  }
  expect(script).not.toContain('--time')
  for (const name of [job.script, job.submit, join(folder, 'slurm', 'report.sbatch')]) {
    expect(spawnSync('bash', ['-n', name]).status).toBe(0)
  }
  const refused = await halfdice(['study', 'slurm', config, '-o', folder, '--submit'], {
    env: { PATH: '/usr/bin/none' },
  })
  expectRefusal(
    refused,
    /^halfdice: --submit: Slurm \(sbatch\) is not on this machine; submit .*submit\.sh where Slurm is/,
  )
})

test.skipIf(!canRunSlurm())(
  'a real cluster: requeued, warned and cancelled tasks end in the bytes of one machine',
  { timeout: 600_000 },
  async () => {
    const alone = join(root, 'alone')
    await halfdiceJson(['study', config, '-o', alone, '--jobs', '2'])
    const place = join(root, 'cluster')
    mkdirSync(place)
    const slurm = await startSlurm(place)
    try {
      const folder = join(root, 'shared')
      const submit = () =>
        halfdiceJson<Job>(['study', 'slurm', config, '-o', folder, '--submit'], { env: slurm.environment })
      const { submitted } = await submit()
      expect(submitted).toMatch(/^\d+$/)
      // One task goes back to the queue, one is told that its time is up, one is cancelled for good.
      await toATaskAtWork(slurm, folder, 'scontrol', 'requeue')
      await toATaskAtWork(slurm, folder, 'scancel', '--signal=USR1')
      await toATaskAtWork(slurm, folder, 'scancel')
      await drained(slurm, folder)
      expect(existsSync(join(folder, 'report.html'))).toBe(false)
      const logs = filesBelow(join(folder, 'slurm')).filter((path) => path.endsWith('.log'))
      const said = logs.map((path) => readFileSync(join(folder, 'slurm', path), 'utf8')).join('')
      expect(said).toContain('stopped; run the same command again to go on')
      // What the cancelled task left is a new, shorter array; its time is known by now.
      const again = await submit()
      expect(again.openCells).toBeGreaterThan(0)
      expect(again.openCells).toBeLessThan(5)
      expect(again.seconds).toBeGreaterThan(0)
      await drained(slurm, folder)
      expect(existsSync(join(folder, 'report.html'))).toBe(true)
      expect(digests(folder)).toEqual(digests(alone))
      expect((await submit()).submitted).toBe(null)
    } finally {
      await slurm.stop()
    }
  },
)

/**
 * Gives a command to a task of the array that is at work on a network: one that has only started does not hear signals
 * yet, and one that has ended would be refused. It is held still meanwhile, so that it cannot end before it hears.
 */
async function toATaskAtWork(slurm: Slurm, folder: string, ...command: readonly [string, ...string[]]): Promise<void> {
  const [name, ...args] = command
  for (let waited = 0; waited < 120_000; waited += 250) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    for (const path of filesBelow(folder).filter((path) => /\.fold-[^/]+\.claim$/.test(path))) {
      const claim = join(folder, path)
      const task = holderOf(claim)
      if (task === undefined || !signal(task.pid, 'SIGSTOP')) continue
      try {
        const running = slurm.command('squeue', '-h', '-t', 'R', '-o', '%i').split('\n')
        if (holderOf(claim)?.pid === task.pid && running.includes(task.id)) {
          slurm.command(name, ...args, task.id)
          return
        }
      } finally {
        signal(task.pid, 'SIGCONT')
      }
    }
  }
  throw new Error(`no task came to work: ${slurm.command('squeue')}`)
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** The task whose process holds a claim; undefined where it has gone. */
function holderOf(claim: string): { readonly pid: number; readonly id: string } | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(claim, 'utf8'))
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
    const [job, task] = ['JOB', 'TASK'].map(
      (name) => environment.find((entry) => entry.startsWith(`SLURM_ARRAY_${name}_ID=`))?.split('=')[1],
    )
    return job && task ? { pid, id: `${job}_${task}` } : undefined
  } catch {
    return undefined
  }
}

/** Until nothing runs or waits but jobs whose condition can no longer be met, which are taken out. */
async function drained(slurm: Slurm, folder: string): Promise<void> {
  for (let waited = 0; waited < 300_000; waited += 500) {
    const jobs = slurm.command('squeue', '-h', '-o', '%i %r').split('\n').filter(Boolean)
    const vain = jobs.filter((job) => job.includes('DependencyNeverSatisfied'))
    for (const job of vain) slurm.command('scancel', job.split(' ')[0])
    if (jobs.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new Error(`${folder}: the queue has not emptied: ${slurm.command('squeue')}`)
}
