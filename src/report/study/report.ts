import type { StudyResults } from '../../study/results.ts'
import type { StudyMethod } from '../../study/score-case.ts'
import { type Block, htmlReport, type ReportSection } from '../kit/html.ts'
import { sheet } from '../kit/sheet.ts'
import { counted } from '../kit/words.ts'
import { dataBlocks, foldingNote, resamplesLabels } from './data.ts'
import { exampleFigure } from './examples.ts'
import { diceFigure, forecastFigure, reliabilityFigure, thresholdFigure, trainingFigure } from './figures.ts'
import { comparisonTable, diceTable, summaryTable } from './tables.ts'
import { methodMeanings, verdictSentences } from './words.ts'

/** The study's own questions. */
const mainPairs: readonly (readonly [StudyMethod, StudyMethod])[] = [
  ['ce@half', 'soft-dice@half'],
  ['ce@case', 'ce@half'],
  ['ce@case', 'soft-dice@half'],
  ['ce@calibrated', 'soft-dice@half'],
  ['dice-ce@half', 'soft-dice@half'],
  ['dice-ce@case', 'soft-dice@half'],
]

/** Where a reader finds every number again. */
const sources =
  'Beside this page: tables and the figures of Dice, thresholds and volumes come from results.csv (their means and ' +
  'differences are summary.csv and comparisons.csv), calibration figures from reliability.csv, training curves from ' +
  'the log.jsonl of each network in the folder runs, example slices from the folder examples, cases and ' +
  'configuration from study.json.'

/** The study's answer in a few sentences. */
export function studyVerdict({ study, tables }: Pick<StudyResults, 'study' | 'tables'>): string[] {
  return verdictSentences(tables.summary, tables.comparisons, study.config.margin)
}

/** The report of a finished study as one HTML file. The same results give the same bytes. */
export function studyReport(results: StudyResults): string {
  const { study } = results
  const { versions } = study
  return htmlReport({
    title: `Losses and thresholds under label noise: ${study.config.name}`,
    summary: [...studyVerdict(results), context(results)],
    sections: studySections(results),
    footer: [
      `Made by halfdice ${versions.halfdice} (ONNX Runtime ${versions['onnxruntime-node']}, Node ` +
        `${versions.node}, ${versions.platform}).`,
      sources,
      'The theory is that of Nordström, Hult and Maki, Marginal Thresholding in Noisy Image ' +
        'Segmentation, arXiv 2304.04116.',
    ],
  })
}

/** The report's figures as SVG files of their own, by name. */
export function studyFigures({ tables, examples, curves }: StudyResults): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const add = (columns: number, ...named: (readonly [string, Block])[]) => {
    for (const [name, block] of named) {
      if (block.kind === 'figure') files.set(name, sheet(block.svgs, columns, block.caption))
    }
  }
  const numbered = (name: string, blocks: readonly Block[]) =>
    blocks.map((block, i) => [blocks.length === 1 ? name : `${name}-${i + 1}`, block] as const)
  add(3, ['dice-noisy', diceFigure(tables.summary, 'noisy')], ['dice-clean', diceFigure(tables.summary, 'clean')])
  add(2, ['thresholds', thresholdFigure(tables.summary)], ['forecast', forecastFigure(tables.summary)])
  add(1, ...numbered('examples', exampleFigure(examples, tables.results)))
  add(3, ...numbered('calibration', reliabilityFigure(tables.reliability)))
  add(2, ...numbered('training', trainingFigure(curves)))
  return files
}

/** The report's sections, for use in other pages too. */
export function studySections(results: StudyResults): ReportSection[] {
  const { study, tables, examples, curves } = results
  return [
    {
      title: 'Dice by method and noise strength',
      blocks: [
        ...foldingNote(study.config),
        text(
          'Dice of the held-out cases with their noisy labels, which is what the networks were trained for. Whiskers ' +
            'are 95 % intervals from a bootstrap of patients. The lines are what a perfect network would score: the ' +
            'exact marginals of the clean labels, cut at ½ and at t*.',
        ),
        diceFigure(tables.summary, 'noisy'),
        diceTable(tables.summary, 'noisy'),
        { kind: 'list', items: methodMeanings },
        details('Intervals, deviations over folds, thresholds, volumes and calibration', [
          summaryTable(tables.summary, 'noisy'),
        ]),
        details('Dice with the clean labels', [
          diceFigure(tables.summary, 'clean'),
          summaryTable(tables.summary, 'clean'),
        ]),
      ],
    },
    {
      title: 'Paired differences',
      blocks: [
        text(
          'Every row compares two methods on the same cases. Intervals come from a bootstrap of patients; p is ' +
            'Wilcoxon’s signed-rank test on patients’ mean differences, corrected by Holm over all pairs of methods, ' +
            'organs and strengths.',
        ),
        comparisonTable(tables.comparisons, 'noisy', mainPairs),
        details('All pairs of methods', [comparisonTable(tables.comparisons, 'noisy')]),
        details('All pairs with the clean labels', [comparisonTable(tables.comparisons, 'clean')]),
      ],
    },
    {
      title: 'Thresholds and volumes',
      blocks: [
        text(
          'Mean thresholds over cases: t* falls as noise grows. A mask cut too high is too small; ' +
            'volumes are relative to the clean label.',
        ),
        thresholdFigure(tables.summary),
      ],
    },
    {
      title: 'Theory against what was reached',
      blocks: [
        text(
          'Left: the sup-Dice D* that theory forecasts from the clean label and the noise alone, against the Dice ' +
            'that networks reached. Right: the Dice that a network promises by its own probabilities (its own D*), ' +
            'against what it scored. Points on the diagonal keep the promise.',
        ),
        forecastFigure(tables.summary),
      ],
    },
    ...(examples.length === 0
      ? []
      : [
          {
            title: 'Examples',
            blocks: [
              text(
                'The first held-out case of the first fold, whatever it shows: the slice with most of the organ. ' +
                  'Colours show probabilities: the exact marginal of the clean label, and what the networks with ' +
                  'cross-entropy and with soft-Dice predict.',
              ),
              ...exampleFigure(examples, tables.results),
            ],
          },
        ]),
    {
      title: 'Calibration',
      blocks: [
        text(
          't* is as good as the probabilities it is computed from. Voxels around each organ (its bounding box grown ' +
            'by 3σ), all held-out cases together, by predicted probability. Cross-entropy aims at the diagonal; ' +
            'soft-Dice does not, its optimum is a mask.',
        ),
        ...reliabilityFigure(tables.reliability),
      ],
    },
    ...(curves.length === 0
      ? []
      : [
          {
            title: 'Training',
            blocks: [
              text(
                'Means over folds, all losses with the same schedule, start and patches. A comparison of ' +
                  'losses is fair where all curves have become flat.',
              ),
              ...trainingFigure(curves),
            ],
          },
        ]),
    { title: 'Data and configuration', blocks: dataBlocks(results) },
  ]
}

function context({ study, plan }: StudyResults): string {
  const { config, dataset } = study
  const used = new Set(plan.groups.flatMap(({ cases }) => cases.map(({ id }) => id))).size
  const patients = new Set(plan.groups.flatMap(({ cases }) => cases.map(({ patient }) => patient))).size
  const nets = plan.cells.filter(({ work }) => work.kind !== 'theory').length
  const sharing = config.joint
    ? 'one for each strength, fold and loss, with an output for each organ'
    : 'one for each organ, strength, fold and loss'
  const folds = new Set(plan.groups.flatMap(({ cases }) => cases.map(({ fold }) => fold))).size
  const elsewhere = config.networks === undefined ? '' : ' trained elsewhere and known by their predictions'
  const resampled = resamplesLabels(config) ? ' Labels were resampled first; see Data and configuration.' : ''
  const repeated =
    config.replicates === 1
      ? ' Noise was drawn and networks were trained once: intervals hold the patients, not that chance.'
      : ` Noise was drawn and networks were trained ${config.replicates} times; intervals hold both.`
  const persons =
    patients === used && config.data.kind !== 'phantom'
      ? ' Each image counts as a patient; where some are of one person, intervals are too narrow.'
      : ''
  const phantom =
    config.data.kind === 'phantom'
      ? ' The images are a procedural phantom, not patients: they show that the method runs and how ' +
        'the effect behaves, not how large it is in practice.'
      : ''
  return (
    `${counted(used, 'case')} of ${counted(patients, 'patient')} (${dataset.name}), ` +
    `${folds}-fold cross-validation, ${counted(nets, 'network')}${elsewhere}, ${sharing}.` +
    `${resampled}${repeated} Better and worse mean here that the interval of the difference excludes 0, that its ` +
    `corrected p is below 0.05, and that it is not equivalent; ` +
    `equivalent, that the interval lies within ±${config.margin} Dice.${persons}${phantom}`
  )
}

function text(content: string): Block {
  return { kind: 'text', text: content }
}

function details(summary: string, blocks: readonly Block[]): Block {
  return { kind: 'details', summary, blocks }
}
