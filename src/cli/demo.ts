import { join } from 'node:path'
import { Command } from 'commander'
import { writeAtomically } from '../formats/atomic-write.ts'
import { findRuntime } from '../network/runtime/locate.ts'
import { demoReport, demoSummary } from '../report/demo/report.ts'
import { studySections, studyVerdict } from '../report/study/report.ts'
import { parseStudyConfig } from '../study/config.ts'
import { demoResults } from '../study/demo.ts'
import { ownCommand } from '../volume/own-package.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFile, checkOutputFolder } from './outputs.ts'
import { printResult, warn } from './print.ts'
import { startProgress } from './progress.ts'
import { runStudy } from './study-run.ts'
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
        'Monte-Carlo, and a small cross-validated study that trains 20 networks. Writes one HTML page with figures ' +
        'that opens offline. Minutes on two cores; a stopped demo goes on where it was.',
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
  const report = join(output, 'report.html')
  const studyFolder = join(output, 'study')
  prepareOutputs(output, report, studyFolder)
  const start = performance.now()
  const progress = startProgress('demo', 100)
  const results = demoResults({ seed, onProgress: (share) => progress.update(Math.floor(100 * share)) })
  progress.end()
  const write = (html: string) => writeAtomically(report, [new TextEncoder().encode(html)])
  await write(demoReport(results, version()))
  const findings = demoSummary(results)
  const able = findRuntime() !== undefined
  if (study && !able) {
    warn(`the networks are left out: ONNX Runtime is not installed; for them run: ${ownCommand()} runtime`)
  }
  if (study && able) {
    const preset = `preset: quick\nseed: ${seed}\ndata: {kind: phantom, seed: ${seed}}`
    const source = { config: parseStudyConfig(preset, 'demo'), yaml: preset, base: output }
    const conducted = await runStudy(source, studyFolder, { quiet: json === true })
    if (conducted?.results === undefined) return
    const verdict = studyVerdict(conducted.results)
    const sections = studySections(conducted.results).map(({ title, blocks }) => ({ title: `Study: ${title}`, blocks }))
    await write(demoReport(results, version(), sections, [studyIntroduction, ...verdict]))
    findings.push(...verdict)
  }
  const seconds = Math.round((performance.now() - start) / 100) / 10
  printResult(json, { report, seconds, seed, summary: findings }, () =>
    [...findings, '', `${report}: open it in a browser (made in ${seconds} s)`].join('\n'),
  )
}

/** Everything that can be wrong with the outputs is found before the computation, which takes seconds to minutes. */
function prepareOutputs(folder: string, report: string, studyFolder: string): void {
  checkOutputFolder(folder)
  checkOutputFolder(studyFolder)
  checkOutputFile(report, [])
}

const studyIntroduction =
  'Does it matter for networks? Twenty small ones were trained on noisy labels of twenty phantoms, with ' +
  'cross-entropy and with soft-Dice, five-fold cross-validated (the sections named Study).'
