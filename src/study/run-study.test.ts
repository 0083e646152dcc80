import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Cell } from './plan.ts'
import { isFinished, type RunCell, runCells, shardOf } from './run-study.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-run-'))
afterAll(() => rmSync(root, { recursive: true }))

const cells = Array.from(
  { length: 7 },
  (_, i): Cell => ({
    path: `runs/organ/2/loss/fold-${i}-abc`,
    group: 'organ',
    organs: [],
    sigmaMm: [2, 2, 2],
    lengthMm: 8,
    replicate: 0,
    noiseSeed: 0,
    validation: [],
    work: { kind: 'theory' },
  }),
)
const write: RunCell = async ({ path }, folder) => writeFileSync(join(folder, 'scores.csv'), path)
const place = (name: string) => join(root, name)

test('each cell is done once, whoever does it; what is not a result does not stay', async () => {
  const folder = place('shared')
  const done: string[] = []
  const messy: RunCell = async (cell, work, ...rest) => {
    done.push(cell.path)
    writeFileSync(join(work, 'model.onnx.123.tmp'), 'half')
    await new Promise((resolve) => setTimeout(resolve, 5))
    await write(cell, work, ...rest)
  }
  await Promise.all([1, 2, 3].map(() => runCells(cells, folder, messy, { jobs: 2 })))
  expect(done.sort()).toEqual(cells.map(({ path }) => path))
  for (const { path } of cells) {
    expect(readFileSync(join(folder, path, 'scores.csv'), 'utf8')).toBe(path)
    expect(existsSync(join(folder, path, 'model.onnx.123.tmp'))).toBe(false)
  }
})

test('shards divide the cells without a rest', async () => {
  const folder = place('shards')
  const counts: number[] = []
  for (const index of [1, 2, 3]) {
    let count = 0
    await runCells(shardOf(cells, { index, count: 3 }), folder, write, { jobs: 1, onCell: () => count++ })
    counts.push(count)
  }
  expect(counts).toEqual([3, 2, 2])
  expect(cells.every((cell) => isFinished(cell, folder))).toBe(true)
})

test('an error stops all lanes, is told, and leaves the finished cells', async () => {
  const folder = place('error')
  let started = 0
  const failing: RunCell = async (cell, work, signal, atOnce) => {
    started++
    if (cell === cells[2]) throw new Error('the third')
    await new Promise((resolve) => setTimeout(resolve, 20))
    signal.throwIfAborted()
    await write(cell, work, signal, atOnce)
  }
  await expect(runCells(cells, folder, failing, { jobs: 2 })).rejects.toThrow('the third')
  expect(started).toBeLessThan(cells.length)
  expect(isFinished(cells[2], folder)).toBe(false)
  // The claim is gone: another run goes on at once.
  expect(await runCells(cells, folder, write, { jobs: 2 })).toEqual([])
  expect(cells.every((cell) => isFinished(cell, folder))).toBe(true)
})

test('an abort ends the run with its reason', async () => {
  const controller = new AbortController()
  const waiting: RunCell = async (_, __, signal) => {
    controller.abort(new Error('enough'))
    signal.throwIfAborted()
  }
  await expect(runCells(cells, place('abort'), waiting, { jobs: 2, signal: controller.signal })).rejects.toThrow(
    'enough',
  )
})

test('a cell that another run finished in the meantime is no failure', async () => {
  const folder = place('race')
  const overtaken: RunCell = async (cell, work, ...rest) => {
    await write(cell, work, ...rest)
    renameSync(work, join(folder, cell.path))
    throw new Error('its folder is gone')
  }
  await runCells(cells.slice(0, 2), folder, overtaken, { jobs: 1 })
  expect(readFileSync(join(folder, cells[1].path, 'scores.csv'), 'utf8')).toBe(cells[1].path)
})

test('a cell is told how many share the machine: fewer towards the end', async () => {
  const folder = place('sharing')
  await runCells(cells.slice(0, 3), folder, write, { jobs: 2 })
  const told: number[] = []
  const counting: RunCell = async (cell, work, signal, atOnce) => {
    told.push(atOnce)
    // Each takes longer than the one before it, so that they end in turn.
    await new Promise((resolve) => setTimeout(resolve, 20 * told.length))
    await write(cell, work, signal, atOnce)
  }
  await runCells(cells, folder, counting, { jobs: 3 })
  expect(told).toEqual([3, 3, 3, 3])
  const last = place('sharing, one after the other')
  await runCells(cells.slice(0, 6), last, write, { jobs: 4 })
  await runCells(cells, last, counting, { jobs: 4 })
  expect(told.slice(4)).toEqual([1])
})
