import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { browser, hasBrowser, openPage, startLab } from './support/browser.ts'
import { filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { contentHash, download, numbersWith } from './support/lab-page.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)

/** Made by the command line, whose numbers are compared with the page's. */
beforeAll(async () => {
  await halfdice(['phantom', '-o', at('phantom'), '--spacing', '5'])
  const labels = at('phantom/labelsTr/phantom_000.nii.gz')
  await halfdice(['marginal', labels, '-o', at('pancreas.nii.gz'), '--sigma', '5', '--labels', '4'])
  await halfdice(['sample', labels, '-o', at('noisy'), '--sigma', '4', '--length', '12', '-n', '3'])
})

const image = () => at('phantom/imagesTr/phantom_000_0000.nii.gz')
const labels = () => at('phantom/labelsTr/phantom_000.nii.gz')

describe.skipIf(!hasBrowser)('the lab', () => {
  test('cuts as the command line does, and lets nothing out', async () => {
    const lab = await startLab([at('pancreas.nii.gz'), image(), labels()])
    const { page, outside, complaints } = await openPage(lab.url)
    const shown = await numbersWith(page, 'Realised Dice')
    const mask = at('pancreas_mask.nii.gz')
    const [told] = (
      await halfdiceJson<{ cases: { threshold: number; supDice: number; diceAtHalf: number; volumeMl: number }[] }>([
        'threshold',
        at('pancreas.nii.gz'),
        '-o',
        mask,
      ])
    ).cases
    expect(shown.Threshold[1]).toBe(told.threshold.toFixed(3))
    expect(shown['Promised Dice'].slice(1)).toEqual([told.supDice.toFixed(3), told.diceAtHalf.toFixed(3)])
    expect(Number.parseFloat(shown.Volume[1])).toBeCloseTo(told.volumeMl, 1)
    const scored = await halfdiceJson<{ labels: Record<string, { dice: number }> }>([
      'evaluate',
      at('pancreas.nii.gz'),
      labels(),
      '--labels',
      '4',
      '--at',
      'auto',
    ])
    expect(shown['Realised Dice'][1]).toBe(scored.labels['4'].dice.toFixed(3))

    const saved = await download(page, 'Mask at t*')
    expect(saved.name).toBe('pancreas_mask.nii.gz')
    expect(contentHash(saved.bytes)).toBe(contentHash(readFileSync(mask)))

    await halfdice(['threshold', at('pancreas.nii.gz'), '-o', at('half.nii.gz'), '--at', '0.5'])
    const half = await download(page, 'At ½')
    expect(contentHash(half.bytes)).toBe(contentHash(readFileSync(at('half.nii.gz'))))

    expect(outside).toEqual([])
    expect(complaints).toEqual([])
    expect(await lab.stop()).toBe(0)
  })

  test('the slider moves what stands beside it, and the address keeps it', async () => {
    const lab = await startLab([at('pancreas.nii.gz'), labels()])
    const { page } = await openPage(lab.url)
    await numbersWith(page, 'Promised Dice')
    await page.getByRole('slider', { name: 'Cut at' }).fill('0.2')
    const shown = await numbersWith(page, 'Threshold', ([cut]) => cut === '0.200')
    const told = await halfdiceJson<{ cases: { softDice: number }[] }>([
      'threshold',
      at('pancreas.nii.gz'),
      '-o',
      at('low.nii.gz'),
      '--at',
      '0.2',
    ])
    expect(shown['Promised Dice'][0]).toBe(told.cases[0].softDice.toFixed(3))
    await expect.poll(() => page.url()).toContain('cut=0.2')
    await page.reload()
    expect((await numbersWith(page, 'Threshold')).Threshold[0]).toBe('0.200')
    await page.getByRole('button', { name: 't*', exact: true }).click()
    const [cut, optimum] = (await numbersWith(page, 'Threshold', ([now]) => now !== '0.200')).Threshold
    expect(cut).toBe(optimum)
  })

  test('noise as the command line has it', async () => {
    const lab = await startLab([labels(), image()])
    const { page, complaints } = await openPage(`${lab.url}#tab=noise&label=4&sigma=5&length=20`)
    const shown = await numbersWith(page, 'Best Dice D*')
    const { rows } = await halfdiceJson<{
      rows: { supDice: number; threshold: number; diceAtHalf: number; foldProbability: number }[]
    }>(['optimum', labels(), '--sigma', '5', '--length', '20', '--labels', '4'])
    expect(shown['Best Dice D*']).toEqual([rows[0].supDice.toFixed(3)])
    expect(shown['Best cut t*']).toEqual([rows[0].threshold.toFixed(3)])
    expect(shown['Dice at ½']).toEqual([rows[0].diceAtHalf.toFixed(3)])
    // What is overtaken never comes after what overtook it.
    for (const sigma of ['2', '9', '3', '8', '4', '5']) await page.getByRole('slider', { name: 'Strength' }).fill(sigma)
    await page.waitForTimeout(1500)
    expect((await numbersWith(page, 'Best Dice D*'))['Best Dice D*']).toEqual([rows[0].supDice.toFixed(3)])
    await halfdice(['marginal', labels(), '-o', at('m.nii.gz'), '--sigma', '5', '--labels', '4'])
    const saved = await download(page, 'Probability')
    expect(contentHash(saved.bytes)).toBe(contentHash(readFileSync(at('m.nii.gz'))))

    await page.getByText('Axes, bias, presence, samples').click()
    await page.getByRole('slider', { name: 'Annotators' }).fill('1')
    await halfdice(['sample', labels(), '-o', at('drawn'), '--sigma', '5', '--length', '20', '-n', '1'])
    const drawn = await download(page, 'Noisy labels')
    const file = at('drawn/phantom_000_0000.nii.gz')
    expect(contentHash(drawn.bytes)).toBe(contentHash(readFileSync(file)))
    expect(complaints).toEqual([])
  })

  test('noise of another strength along each axis, and the commands of what is saved', async () => {
    const lab = await startLab([labels()])
    const { page } = await openPage(`${lab.url}#tab=noise&label=4&sigma=5&length=20&biasSd=0.5&presence=0.9`)
    await numbersWith(page, 'Best Dice D*')
    await page.getByText('Axes, bias, presence, samples').click()
    await page.getByRole('checkbox', { name: 'for each axis' }).click()
    await page.getByRole('slider', { name: 'along j' }).fill('3')
    await page.getByRole('slider', { name: 'along k' }).fill('0')
    const options = ['--sigma', '5,3,0', '--presence', '0.9', '--tau', '0.5']
    const { rows } = await halfdiceJson<{ rows: { supDice: number }[] }>([
      ...['optimum', labels(), ...options, '--length', '20', '--labels', '4'],
    ])
    await numbersWith(page, 'Best Dice D*', ([best]) => best === rows[0].supDice.toFixed(3))
    const told = (title: string) => page.getByTitle(title).textContent()
    const name = 'phantom_000.nii.gz'
    expect(await told('The same probabilities on the command line')).toBe(
      `halfdice marginal ${name} -o phantom_000_prob.nii.gz ${options.join(' ')} --labels 4`,
    )
    expect(await told('The same label maps on the command line')).toBe(
      `halfdice sample ${name} -o noisy ${options.join(' ')} --length 20 -n 6`,
    )
    await expect.poll(() => page.url()).toContain('sigmaK=0')
    // What was unfolded stays so.
    await page.getByRole('checkbox', { name: 'for each axis' }).click()
    await expect.poll(() => page.getByRole('slider', { name: 'along k' }).count()).toBe(0)
  })

  test('annotators as the command line has them', async () => {
    const maps = [0, 1, 2].map((n) => at(`noisy/phantom_000_000${n}.nii.gz`))
    const lab = await startLab(maps)
    const { page, complaints } = await openPage(`${lab.url}#tab=annotators&label=2&rule=dice`)
    const shown = await numbersWith(page, 'Strength σ')
    const told = await halfdiceJson<Record<'sigmaMm' | 'lengthMm', { estimate: number }>>([
      'raters',
      ...maps,
      '--labels',
      '2',
    ])
    expect(shown['Strength σ']).toEqual([`${told.sigmaMm.estimate.toFixed(2)} mm`])
    expect(shown['Length ℓ']).toEqual([`${told.lengthMm.estimate.toFixed(1)} mm`])
    const saved = await download(page, 'Consensus')
    expect(saved.name).toBe('consensus_dice.nii.gz')
    await halfdice(['raters', ...maps, '--consensus', 'dice', '-o', at('agreed')])
    // The command names its file by the folder of the annotators' files.
    const written = filesBelow(at('agreed')).find((path) => path.endsWith('.nii.gz'))
    expect(contentHash(saved.bytes)).toBe(contentHash(readFileSync(at(`agreed/${written}`))))
    await page.getByRole('button', { name: 'See this noise' }).click()
    expect(await page.getByRole('tab', { name: 'Noise' }).getAttribute('aria-selected')).toBe('true')
    await numbersWith(page, 'Best Dice D*')
    expect(complaints).toEqual([])
  })

  test('an error is one sentence', async () => {
    const lab = await startLab([join(import.meta.dirname, 'lab.test.ts'), labels()])
    const { page } = await openPage(lab.url)
    const alert = page.getByRole('alert')
    await expect.poll(() => alert.textContent()).toMatch(/^lab\.test\.ts: [^\n]+; [^\n]+✕$/)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      test(`axe finds nothing wrong: ${colorScheme}, ${width} px`, async () => {
        const lab = await startLab([])
        const { page } = await openPage(lab.url, { colorScheme, viewport: { width, height: 860 } })
        for (const [tab, shown] of [
          ['Threshold', 'Realised Dice'],
          ['Noise', 'Best Dice D*'],
          // The fit behind it takes long, and its numbers look as those of other panels do.
          ['Annotators', 'Dice to the consensus'],
        ]) {
          await page.getByRole('tab', { name: tab }).click()
          await page.getByText(shown).first().waitFor({ timeout: 60_000 })
          // As the debugger does, which the page's policy does not bind.
          await page.evaluate(axe.source)
          const found = await page.evaluate(async () => (await (globalThis as unknown as Axe).axe.run()).violations)
          const told = found.map(({ id, nodes }) => `${tab}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
          expect(told.join('\n')).toBe('')
          // Nothing runs out of the page.
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        }
      })
    }
  }

  test('axe finds nothing wrong before anything is drawn', async () => {
    const lab = await startLab([])
    const page = await (await browser()).newPage()
    // A machine under load: no frame comes, no answer of a worker.
    await page.addInitScript(() => {
      globalThis.requestAnimationFrame = () => 0
      globalThis.Worker = class extends EventTarget {
        postMessage() {}
        terminate() {}
      } as never
    })
    await page.goto(lab.url)
    for (const tab of ['Threshold', 'Noise', 'Annotators']) {
      await page.getByRole('tab', { name: tab }).click()
      await page.evaluate(axe.source)
      const found = await page.evaluate(async () => (await (globalThis as unknown as Axe).axe.run()).violations)
      expect(found.map(({ id, nodes }) => `${tab}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
    }
  })

  test('everything by the keyboard', async () => {
    const lab = await startLab([])
    const { page } = await openPage(lab.url)
    await numbersWith(page, 'Realised Dice')
    await page.getByRole('slider', { name: 'Axial slice' }).focus()
    const slice = () => page.getByRole('slider', { name: 'Axial slice' }).getAttribute('aria-valuenow')
    const before = Number(await slice())
    await page.keyboard.press('ArrowUp')
    await expect.poll(slice).toBe(String(before + 1))
    await page.keyboard.press('Home')
    await expect.poll(slice).toBe('1')
    await page.getByRole('tab', { name: 'Threshold' }).focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Noise')
    await numbersWith(page, 'Best Dice D*')
  })

  test('a mask in space', async () => {
    const lab = await startLab([])
    const { page, outside, complaints } = await openPage(lab.url)
    await numbersWith(page, 'Realised Dice')
    await page.getByRole('button', { name: 'Show in 3-D' }).click()
    await page.getByRole('img', { name: /in space/ }).waitFor()
    await expect.poll(() => page.locator('.status').textContent()).toBe('')
    expect(outside).toEqual([])
    expect(complaints.filter((text) => !/GPU stall|GL Driver|Automatic fallback/.test(text))).toEqual([])
  })
})

interface Axe {
  readonly axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
}
