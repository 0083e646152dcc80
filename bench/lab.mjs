// How quickly the browser lab answers on a liver of 255×177×440 voxels: `node bench/lab.mjs`, after `npm run build`.
// Times are the page's own, from the user's action to what it shows; the machine draws without a graphics card.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { marginal } from '../dist/index.js'
import { writeVolume } from '../dist/node.js'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-lab-'))
const grid = {
  shape: [255, 177, 440],
  spacing: [1.5, 1.5, 1.5],
  origin: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
}
const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = programs.find((path) => existsSync(path))
if (!executablePath) throw new Error('no Chromium; Debian: apt-get install chromium')

/** Two lobes of about 1.5 l, as a liver's. */
const labels = Uint8Array.from({ length: 255 * 177 * 440 }, (_, at) => {
  const [i, j, k] = [at % 255, Math.floor(at / 255) % 177, Math.floor(at / (255 * 177))]
  const inside = (x, y, z, a, b, c) => ((i - x) / a) ** 2 + ((j - y) / b) ** 2 + ((k - z) / c) ** 2 < 1
  return Number(inside(95, 90, 250, 60, 50, 52) || inside(150, 100, 270, 45, 32, 26))
})
const files = ['probabilities.nii', 'labels.nii.gz'].map((name) => join(folder, name))
await writeVolume(files[0], { grid, channels: 1, data: marginal(labels, grid, 1, [4, 4, 4]) })
await writeVolume(files[1], { grid, channels: 1, data: labels })

const server = spawn(process.execPath, [main, 'lab', ...files, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })
const url = await new Promise((resolve) => server.stdout.once('data', (text) => resolve(JSON.parse(text).url)))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
try {
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 } })
  await page.goto(url)
  /** From the last mark of one name to the first of another behind it, ms. */
  const between = async (from, to) => {
    const found = await page.waitForFunction(
      ([a, b]) => {
        const start = performance.getEntriesByName(a).at(-1)?.startTime
        const end = performance.getEntriesByName(b).find((mark) => mark.startTime > (start ?? Infinity))?.startTime
        return end === undefined ? undefined : { ms: end - start }
      },
      [from, to],
      { timeout: 120_000 },
    )
    return (await found.jsonValue()).ms
  }
  print('first t*, after reading', await between('read', 'optimum'), 500)
  await page.locator('.chart svg').first().waitFor()
  await page.getByText('Realised Dice').waitFor()
  await page.waitForTimeout(3000)

  const slider = page.getByRole('slider', { name: 'Cut at' })
  const moves = []
  for (let n = 0; n < 41; n++) {
    await slider.fill(String(0.2 + 0.01 * n))
    moves.push(await between('cut', 'drawn'))
  }
  print('a moved slider, until slices are drawn (median of 41)', median(moves), 50)

  await page.getByRole('tab', { name: 'Noise' }).click()
  await between('noise asked', 'samples told')
  const sigma = page.getByRole('slider', { name: 'Strength σ' })
  const [told, drawn] = [[], []]
  for (let n = 0; n < 7; n++) {
    await sigma.fill(String(3 + 0.4 * n))
    told.push(await between('noise asked', 'noise told'))
    drawn.push(await between('noise told', 'samples told'))
  }
  print('noise: D*, t* and probabilities (median of 7)', median(told), 300)
  console.log(`  and six annotators' outlines behind it: ${median(drawn).toFixed(0)} ms`)
  const megabytes = Math.max(...renderers().map(residentMegabytes))
  console.log(`memory of the page with its workers: ${megabytes.toFixed(0)} MB (bar: 1000 MB)`)
} finally {
  await browser.close()
  server.kill('SIGINT')
  rmSync(folder, { recursive: true })
}

function print(what, ms, bar) {
  console.log(`${what}: ${ms.toFixed(0)} ms (bar: ${bar} ms)`)
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** The processes in which Chromium runs pages. */
function renderers() {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')
    } catch {
      return false
    }
  })
}

function residentMegabytes(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}
