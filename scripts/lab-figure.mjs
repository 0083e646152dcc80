// Photographs the lab with its built-in example, for docs/lab.md and README.md, into docs/figures/lab.jpg. It needs a
// built tree and Chromium: node scripts/lab-figure.mjs
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('..', import.meta.url))
const lab = spawn(process.execPath, ['dist/cli/main.js', 'lab', '--json'], { cwd: root })
const url = await new Promise((resolve) => lab.stdout.once('data', (text) => resolve(JSON.parse(text).url)))
const flags = ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader']
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })
try {
  const page = await browser.newPage({ viewport: { width: 1320, height: 880 }, colorScheme: 'light' })
  await page.goto(`${url}#cut=0.2`)
  await page.getByText('Realised Dice').waitFor()
  await page.getByRole('button', { name: 'Show in 3-D' }).click()
  await page.locator('.status:empty').waitFor({ state: 'attached' })
  // The view in space draws when a slider has rested.
  await page.waitForTimeout(6000)
  await page.screenshot({ path: `${root}docs/figures/lab.jpg`, type: 'jpeg', quality: 82 })
} finally {
  await browser.close()
  lab.kill('SIGINT')
}
