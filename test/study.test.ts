import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseCsv } from '../src/formats/csv.ts'
import { randomStream } from '../src/volume/random.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { canMountSmallDisk, growSmallDisk, mountSmallDisk, unmountSmallDisk } from './support/small-disk.ts'
import { digests } from './support/study-digests.ts'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const root = temporaryFolder()
const config = join(root, 'tiny.yaml')
writeFileSync(
  config,
  `name: tiny
data: {kind: phantom, cases: 6, shape: [24, 20, 16], spacing: 12}
organs: [liver, aorta]
joint: true
folds: 2
noise: {sigma: [9]}
training: {dimensions: 2, modality: ct, channels: [4, 8], steps: 12, batch: 4, epochSteps: 3}
bootstrap: 200
`,
)
const finished = join(root, 'finished')

/** Wall-clock times of the finished networks: they stay as they were unless a network is trained again. */
function timings(folder: string): Map<string, string> {
  const files = filesBelow(folder).filter((path) => path.endsWith('timing.jsonl') && !path.includes('.work/'))
  return new Map(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}

interface Done {
  readonly done: number
  readonly total: number
  readonly report: string | null
  readonly verdict: string[]
}

test('from a configuration to a report; every number is in results.csv', { timeout: 120_000 }, async () => {
  const result = await halfdiceJson<Done>(['study', config, '-o', finished])
  // Two folds times two losses, and one cell of theory.
  expect(result).toMatchObject({ done: 5, total: 5, report: join(finished, 'report.html') })
  expect(result.verdict.length).toBeGreaterThanOrEqual(3)
  const [head, ...rows] = readFileSync(join(finished, 'results.csv'), 'utf8').trim().split('\r\n')
  expect(head).toContain(
    'dataset,organ,sigma_mm,length_mm,fold,replicate,loss,method,case,patient,threshold,dice_noisy,dice_clean',
  )
  // 6 cases × 2 organs × (1 soft-Dice + 7 cross-entropy + 3 theory).
  expect(rows.length).toBe(132)
  const columns = head.split(',')
  const mean = (name: string, method: string) => {
    const own = rows
      .map((row) => row.split(','))
      .filter((row) => row[1] === 'liver' && row[columns.indexOf('method')] === method)
    return own.reduce((sum, row) => sum + Number(row[columns.indexOf(name)]), 0) / own.length
  }
  for (const line of readFileSync(join(finished, 'summary.csv'), 'utf8').trim().split('\r\n').slice(1)) {
    const [, organ, , , target, method, cases, , , dice] = line.split(',')
    if (organ !== 'liver') continue
    expect(cases).toBe('6')
    expect(Number(dice)).toBeCloseTo(mean(`dice_${target}`, method), 5)
  }
  const html = readFileSync(join(finished, 'report.html'), 'utf8')
  for (const words of [
    'Dice by method',
    'Paired differences',
    'Examples',
    'Calibration',
    'Training',
    result.verdict[0],
  ]) {
    expect(html).toContain(words)
  }
  expect(html).not.toMatch(/NaN|undefined|\[object/)
})

test('status, and a report that is rebuilt byte for byte without the data', { timeout: 60_000 }, async () => {
  const status = await halfdiceJson<{ done: number; total: number; underWay: number }>(['study', 'status', finished])
  expect(status).toMatchObject({ done: 5, total: 5, underWay: 0 })
  const before = digests(finished)
  for (const name of ['report.html', 'results.csv', 'summary.csv', 'comparisons.csv']) rmSync(join(finished, name))
  rmSync(join(finished, 'cache'), { recursive: true })
  await halfdiceJson(['study', 'report', finished])
  expect(digests(finished)).toEqual(before)
  // Running again finds everything done.
  await halfdiceJson(['study', config, '-o', finished])
  expect(digests(finished)).toEqual(before)
})

test('killed at random moments, it ends in the same bytes', { timeout: 600_000 }, async () => {
  const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)
  const random = randomStream(seed, 'kills')
  // Moments are shares of an undisturbed run's time, so that they fall within a run on fast and slow machines alike.
  const begun = performance.now()
  await halfdiceJson(['study', config, '-o', join(root, 'undisturbed'), '--jobs', '2'])
  const duration = performance.now() - begun
  let kills = 0
  for (let round = 0; round < 5; round++) {
    const folder = join(root, `killed-${round}`)
    const shares = Array.from({ length: 3 }, () => random.uniform())
    for (const share of shares) {
      const child = start(['study', config, '-o', folder, '--jobs', '2'])
      const exit = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), share * duration)
      const [code] = await exit
      clearTimeout(timer)
      if (code !== 0) kills++
      const status = await halfdice(['study', 'status', folder, '--json'])
      // A run that is dead has nothing under way. There is no status before the study is planned.
      if (status.code === 0) expect(JSON.parse(status.stdout)).toMatchObject({ underWay: 0, hoursLeft: null })
    }
    await halfdiceJson(['study', config, '-o', folder])
    expect(digests(folder), `KILL_SEED=${seed}, round ${round}: ${shares}`).toEqual(digests(finished))
  }
  expect(kills, `KILL_SEED=${seed}`).toBeGreaterThan(4)
})

test('the folder from which it is run, and how its path is written, change nothing', { timeout: 120_000 }, async () => {
  const images = join(root, 'place', 'raw')
  expect((await halfdice(['phantom', '-o', images, '-n', '4', '--spacing', '16'])).code).toBe(0)
  const text = readFileSync(config, 'utf8').replace(/data: .*/, 'data: {kind: nnunet, folder: raw, spacing: 20}')
  writeFileSync(join(root, 'place', 'own.yaml'), text)
  const out = join(root, 'place', 'out')
  await halfdiceJson(['study', 'own.yaml', '-o', 'out'], { cwd: join(root, 'place') })
  const before = digests(out)
  await halfdiceJson(['study', '../own.yaml', '-o', '../out'], { cwd: images })
  await halfdiceJson(['study', join(root, 'place', 'own.yaml'), '-o', out])
  expect(digests(out)).toEqual(before)
  expect(readdirSync(join(out, 'cache')).length).toBe(1)
})

test('versions are those of the programs that made the cells', { timeout: 120_000 }, async () => {
  const folder = join(root, 'old')
  cpSync(finished, folder, { recursive: true })
  const cell = filesBelow(join(folder, 'runs')).filter((path) => path.endsWith('versions.json'))
  expect(cell.length).toBe(5)
  writeFileSync(join(folder, 'runs', cell[0]), JSON.stringify({ halfdice: '0.0.9', node: '18.0.0' }))
  await halfdiceJson(['study', config, '-o', folder])
  const { versions } = JSON.parse(readFileSync(join(folder, 'study.json'), 'utf8'))
  expect(versions.halfdice).toMatch(/^0\.0\.9, \d/)
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('0.0.9, ')
})

test.skipIf(process.platform === 'win32')(
  'a damaged file of a finished cell is named; nothing waits for a pipe',
  { timeout: 120_000 },
  async () => {
    const folder = join(root, 'damaged')
    cpSync(finished, folder, { recursive: true })
    const cells = join(folder, 'runs')
    for (const [name, damage] of [
      ['scores.csv', (text: string) => text.replace(/,[^,]*\r\n$/, '')],
      ['calibration.csv', (text: string) => text.replace(/,\d+\r\n$/, ',\r\n')],
      ['log.jsonl', (text: string) => text.slice(0, -8)],
    ] as const) {
      const path = join(cells, filesBelow(cells).find((one) => one.endsWith(name)) ?? '')
      const whole = readFileSync(path, 'utf8')
      writeFileSync(path, damage(whole))
      const says = 'delete the folder it lies in and run the study again'
      expectRefusal(await halfdice(['study', 'report', folder]), `${path}: is missing or damaged; ${says}`)
      rmSync(path)
      execFileSync('mkfifo', [path])
      expectRefusal(await halfdice(['study', 'report', folder]), `${path}: is a pipe, not a regular file`)
      rmSync(path)
      writeFileSync(path, whole)
    }
    const study = join(folder, 'study.json')
    rmSync(study)
    execFileSync('mkfifo', [study])
    expectRefusal(await halfdice(['study', 'status', folder]), `${study}: is a pipe, not a regular file`)
    expectRefusal(await halfdice(['study', config, '-o', folder]), `${study}: is a pipe, not a regular file`)
  },
)

test('three losses and two replicates: a network each, scored by every cut', { timeout: 180_000 }, async () => {
  const several = join(root, 'several.yaml')
  const text = readFileSync(config, 'utf8').replace('organs: [liver, aorta]', 'organs: [liver]')
  const more = 'losses: [soft-dice, cross-entropy, dice+cross-entropy]\nreplicates: 2\nmargin: 0.03\n'
  writeFileSync(several, `${text}${more}`)
  const folder = join(root, 'several')
  const result = await halfdiceJson<Done>(['study', several, '-o', folder])
  // Two replicates of three losses in two folds, and theory once a replicate.
  expect(result).toMatchObject({ done: 14, total: 14 })
  expect(result.verdict.join(' ')).toContain('With the clean labels')
  const scores = parseCsv(readFileSync(join(folder, 'results.csv'), 'utf8'))
  const rowsOf = (loss: string) => scores.filter((row) => row.loss === loss).length
  // 6 cases: 3 cuts in theory, 1 of soft-Dice, 7 of probabilities.
  expect(['theory', 'soft-dice', 'cross-entropy', 'dice+cross-entropy'].map(rowsOf)).toEqual([36, 12, 84, 84])
  const of = (replicate: string, method: string, key: string) =>
    scores.filter((row) => row.replicate === replicate && row.method === method).map((row) => row[key])
  // The noise and the networks of another replicate are others, its cases and folds the same.
  expect(of('1', 'theory@half', 'dice_noisy')).not.toEqual(of('0', 'theory@half', 'dice_noisy'))
  expect(of('1', 'ce@half', 'dice_clean')).not.toEqual(of('0', 'ce@half', 'dice_clean'))
  for (const key of ['case', 'fold']) expect(of('1', 'theory@half', key)).toEqual(of('0', 'theory@half', key))
  const seconds = parseCsv(readFileSync(join(folder, 'comparisons.csv'), 'utf8'))
  expect(seconds.find((row) => row.first === 'ce@rma-ce@half')).toMatchObject({ cases: '6', replicates: '2' })
  const html = readFileSync(join(folder, 'report.html'), 'utf8')
  expect(html).toContain('Dice+CE calibrated t*')
  expect(html).toContain('within ±0.03 Dice')
  expect(html).toContain('trained 2 times')
  expect(html).not.toMatch(/NaN|undefined|\[object/)
})

test('SIGINT ends it cleanly', { timeout: 60_000 }, async () => {
  const folder = join(root, 'interrupted')
  const child = start(['study', config, '-o', folder])
  let stderr = ''
  let told = false
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (!told && stderr.includes('1/5')) told = child.kill('SIGINT')
  })
  const [code] = await once(child, 'exit')
  expect(stderr).toContain('halfdice: study: stopped; run the same command again to go on')
  expect(code).toBe(130)
  expect(filesBelow(folder).filter((path) => path.endsWith('.claim'))).toEqual([])
})

test('a run beside one with another configuration is refused; the first goes on', { timeout: 120_000 }, async () => {
  const folder = join(root, 'mixed-up')
  const other = join(root, 'other.yaml')
  writeFileSync(other, readFileSync(config, 'utf8').replace('steps: 12', 'steps: 13'))
  const child = start(['study', config, '-o', folder, '--jobs', '1'])
  let refused = false
  let asked: Promise<void> | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (!text.includes('1/5')) return
    asked ??= halfdice(['study', other, '-o', folder]).then((outcome) => {
      expectRefusal(outcome, /mixed-up: another run \(process \d+ on .+\) is at work there with another configuration/)
      refused = true
    })
  })
  const [code] = await once(child, 'exit')
  await asked
  expect(code).toBe(0)
  expect(refused).toBe(true)
  expect(digests(folder)).toEqual(digests(finished))
})

test('a network that diverges is named, with exit code 1', { timeout: 60_000 }, async () => {
  const file = join(root, 'wild.yaml')
  writeFileSync(file, readFileSync(config, 'utf8').replace('steps: 12', 'steps: 12, learningRate: 1.0e9'))
  const { code, stderr } = await halfdice(['study', file, '-o', join(root, 'wild')])
  expect(stderr).toMatch(/^halfdice: runs\/joint\/9\/[a-z-]+\/fold-\d-\w+: training: .*lower the learning rate/m)
  expect(code).toBe(1)
})

test('two runs, and two shards, share a folder', { timeout: 120_000 }, async () => {
  const both = join(root, 'both')
  const outcomes = await Promise.all([1, 2].map(() => halfdice(['study', config, '-o', both, '--jobs', '1', '--json'])))
  for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0)
  await halfdiceJson(['study', config, '-o', both])
  expect(digests(both)).toEqual(digests(finished))

  const shards = join(root, 'shards')
  const first = await halfdiceJson<Done>(['study', config, '-o', shards, '--shard', '1/2'])
  expect(first).toMatchObject({ done: 3, total: 5, report: null })
  const status = await halfdiceJson<{ done: number; total: number }>(['study', 'status', shards])
  expect(status).toMatchObject({ done: 3, total: 5 })
  expectRefusal(await halfdice(['study', 'report', shards]), '2 of 5 cells are not finished; run the study again')
  const second = await halfdiceJson<Done>(['study', config, '-o', shards, '--shard', '2/2'])
  expect(second).toMatchObject({ done: 5, total: 5 })
  expect(digests(shards)).toEqual(digests(finished))
})

test.skipIf(!canMountSmallDisk())(
  'a disk that is full, at whatever moment, is told and loses nothing (a small tmpfs; needs root)',
  { timeout: 120_000 },
  async () => {
    // A whole run takes 1.3 MB: these are full in the cache, in the first networks, in the last ones, at the report.
    for (const kilobytes of [100, 400, 900, 1200]) {
      const disk = join(root, `disk-${kilobytes}`)
      mountSmallDisk(disk, kilobytes)
      try {
        const folder = join(disk, 'out')
        const { code, stderr } = await halfdice(['study', config, '-o', folder])
        expect(stderr).toMatch(/^halfdice: .*: the disk is full; free some space and run again\n$/m)
        expect(code).toBe(2)
        const before = timings(folder)
        if (kilobytes >= 900) expect(before.size).toBeGreaterThan(0)
        growSmallDisk(disk, 4096)
        await halfdiceJson(['study', config, '-o', folder])
        expect(timings(folder)).toEqual(new Map([...timings(folder), ...before]))
        expect(digests(folder), `${kilobytes} kB`).toEqual(digests(finished))
      } finally {
        unmountSmallDisk(disk)
      }
    }
  },
)

describe('bad input', () => {
  const images = join(root, 'raw')

  test('a corrupt file in the middle is named, and left out only if asked', { timeout: 120_000 }, async () => {
    expect((await halfdice(['phantom', '-o', images, '-n', '6', '--spacing', '12'])).code).toBe(0)
    const bad = join(images, 'imagesTr', 'phantom_003_0000.nii.gz')
    truncateSync(bad, 2000)
    const own = join(root, 'own.yaml')
    const text = readFileSync(config, 'utf8').replace(/data: .*/, 'data: {kind: nnunet, folder: raw}')
    writeFileSync(own, text)
    expectRefusal(await halfdice(['study', own, '-o', join(root, 'bad')]), /phantom_003_0000\.nii\.gz: .*--skip-bad/)
    const result = await halfdiceJson<Done>(['study', own, '-o', join(root, 'bad'), '--skip-bad'])
    expect(result.done).toBe(5)
    expect(readFileSync(join(root, 'bad', 'report.html'), 'utf8')).toContain('1 case was left out because')
    // Taking a label away changes the folds of the others: new cells, the old ones stay.
    const cells = () => readdirSync(join(root, 'bad/runs/joint/9/soft-dice')).filter((name) => !name.startsWith('.'))
    expect(cells().length).toBe(2)
    writeFileSync(own, text.replace('folds: 2', 'folds: 6'))
    expectRefusal(
      await halfdice(['study', own, '-o', join(root, 'bad'), '--skip-bad']),
      'folds: joint: 5 patients for 6 folds; use fewer folds or more cases',
    )
  })

  test('labels on another grid, unknown organs and folders that are no study', async () => {
    const other = join(root, 'mixed')
    cpSync(images, other, { recursive: true })
    mkdirSync(join(root, 'fine'))
    expect((await halfdice(['phantom', '-o', join(root, 'fine'), '-n', '1', '--spacing', '10'])).code).toBe(0)
    cpSync(join(root, 'fine/labelsTr/phantom_000.nii.gz'), join(other, 'labelsTr/phantom_001.nii.gz'))
    const file = join(root, 'mixed.yaml')
    const text = readFileSync(config, 'utf8').replace(/data: .*/, 'data: {kind: nnunet, folder: mixed}')
    writeFileSync(file, text)
    expectRefusal(
      await halfdice(['study', file, '-o', join(root, 'x')]),
      /phantom_001\.nii\.gz: lies on another grid .*resampleLabels/,
    )
    writeFileSync(file, readFileSync(config, 'utf8').replace('aorta', 'spleeen'))
    expectRefusal(
      await halfdice(['study', file, '-o', join(root, 'x')]),
      "organs: 'spleeen' is no label of this data set",
    )
    writeFileSync(file, text.replace('steps: 12', 'steps: none'))
    expectRefusal(await halfdice(['study', file]), /mixed\.yaml: 'training\.steps' is "none"/)
    expectRefusal(await halfdice(['study', 'status', other]), 'study.json: is missing')
    expectRefusal(await halfdice(['study', 'report', other]), 'study.json: is missing')
    expectRefusal(await halfdice(['study', config, '--shard', '3/2']), "--shard: '3/2' is no part")
    expectRefusal(await halfdice(['study']), /study: missing required argument/)
  })
})

test('init writes a configuration, once', async () => {
  const file = join(root, 'init.yaml')
  expect((await halfdice(['study', 'init', file])).code).toBe(0)
  expect(existsSync(file)).toBe(true)
  expectRefusal(await halfdice(['study', 'init', file]), 'init.yaml: exists already')
  // Its data set is not there: told by name.
  expectRefusal(await halfdice(['study', file]), /Totalsegmentator_dataset: cannot be read/)
})

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
}
