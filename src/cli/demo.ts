import { join } from 'node:path'
import { Command } from 'commander'
import { writeAtomically } from '../formats/atomic-write.ts'
import { demoReport, runDemo } from '../report/demo/report.ts'
import { studySections, studyVerdict } from '../report/study/report.ts'
import { conductStudy } from '../study/conduct.ts'
import { parseStudyConfig } from '../study/config.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFile, checkOutputFolder, createFolder } from './outputs.ts'
import { printResult } from './print.ts'
import { startProgress } from './progress.ts'
import { version } from './version.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly seed: number
  readonly study: boolean
}

/** `halfdice demo`: the story on the built-in phantom. */
export function command(): Command {
  const command = new Command('demo')
    .description(
      'Shows the whole story on a built-in phantom: noisy labels, exact marginals, optimal masks, a check of each by ' +
        'Monte-Carlo, and a small cross-validated study that trains 20 networks. Writes one HTML page with figures that ' +
        'opens offline. Minutes on two cores; a stopped demo goes on where it was.',
    )
    .option('-o, --output <folder>', 'folder for report.html and the study', 'halfdice-demo')
    .option('--seed <number>', 'fixes every random number', wholeNumber('--seed', 0, 0xffffffff), 0)
    .option('--no-study', 'leave the study out: seconds instead of minutes')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice demo
  $ halfdice demo --no-study
  $ halfdice demo -o another --seed 1`,
    )
    .action(run)
  return withJson(command)
}

async function run({ output, seed, study, json }: Options): Promise<void> {
  checkOutputFolder(output)
  const start = performance.now()
  const progress = startProgress('demo', 100)
  const { html, summary, results } = runDemo(
    { seed, onProgress: (share) => progress.update(Math.floor(100 * share)) },
    version(),
  )
  progress.end()
  createFolder(output)
  const report = join(output, 'report.html')
  checkOutputFile(report, [])
  await writeAtomically(report, [new TextEncoder().encode(html)])
  const findings = [...summary]
  if (study) {
    const preset = `preset: quick\nseed: ${seed}\ndata: {kind: phantom, seed: ${seed}}`
    const source = { config: parseStudyConfig(preset, 'demo'), yaml: preset, base: output }
    const conducted = await conductStudy(source, join(output, 'study'), { quiet: json === true })
    if (conducted?.results === undefined) return
    const verdict = studyVerdict(conducted.results)
    const sections = studySections(conducted.results).map(({ title, blocks }) => ({ title: `Study: ${title}`, blocks }))
    const whole = demoReport(results, version(), sections, [STUDY_INTRODUCTION, ...verdict])
    await writeAtomically(report, [new TextEncoder().encode(whole)])
    findings.push(...verdict)
  }
  const seconds = Math.round((performance.now() - start) / 100) / 10
  printResult(json, { report, seconds, seed, summary: findings }, () =>
    [...findings, '', `${report}: open it in a browser (made in ${seconds} s)`].join('\n'),
  )
}

const STUDY_INTRODUCTION =
  'Does it matter for networks? Twenty small ones were trained on noisy labels of twenty phantoms, with cross-entropy and with soft-Dice, five-fold cross-validated (the sections named Study).'
