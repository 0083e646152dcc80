import { join } from 'node:path'
import { Command } from 'commander'
import { writeAtomically } from '../formats/atomic-write.ts'
import { runDemo } from '../report/demo-report.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFile, checkOutputFolder, createFolder } from './outputs.ts'
import { printResult } from './print.ts'
import { startProgress } from './progress.ts'
import { version } from './version.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly seed: number
}

/** `halfdice demo`: the story on the built-in phantom. */
export function command(): Command {
  const command = new Command('demo')
    .description(
      'Shows the whole story on a built-in phantom: noisy labels, exact marginals, optimal masks, and a check of each by ' +
        'Monte-Carlo. Writes one HTML page with figures that opens offline.',
    )
    .option('-o, --output <folder>', 'folder for report.html', 'halfdice-demo')
    .option('--seed <number>', 'fixes every random number', wholeNumber('--seed', 0, 0xffffffff), 0)
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice demo
  $ halfdice demo -o another --seed 1`,
    )
    .action(run)
  return withJson(command)
}

async function run({ output, seed, json }: Options): Promise<void> {
  checkOutputFolder(output)
  const start = performance.now()
  const progress = startProgress('demo', 100)
  const { html, summary } = runDemo(
    { seed, onProgress: (share) => progress.update(Math.floor(100 * share)) },
    version(),
  )
  progress.end()
  createFolder(output)
  const report = join(output, 'report.html')
  checkOutputFile(report, [])
  await writeAtomically(report, [new TextEncoder().encode(html)])
  const seconds = Math.round((performance.now() - start) / 100) / 10
  printResult(json, { report, seconds, seed, summary }, () =>
    [...summary, '', `${report}: open it in a browser (made in ${seconds} s)`].join('\n'),
  )
}
