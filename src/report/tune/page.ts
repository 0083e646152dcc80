import { type TriedCandidate, toldCandidates } from '../../maps/tune/choose-rule.ts'
import { candidateName, ruleSentence } from '../../maps/tune/rule.ts'
import type { TuneResult } from '../../maps/tune/tune-cases.ts'
import { tableCuts } from '../../metrics/cut-table.ts'
import { chart } from '../kit/chart.ts'
import { estimateDecimals, estimateText, intervalText } from '../kit/estimate.ts'
import { type Block, htmlReport, type ReportSection } from '../kit/html.ts'
import type { Mark } from '../kit/marks.ts'
import { lineColour } from '../kit/palette.ts'
import { stripChart } from '../kit/strips.ts'
import { counted, signed } from '../kit/words.ts'

export interface TunePage {
  readonly result: TuneResult
  /** The file for `threshold --tuned`, as the user named it. */
  readonly output: string
  readonly version: string
}

type Choice = TuneResult['choices'][number]

/** Narrow enough to be legible on a phone. */
const width = 420
/** More classes than this are told in the table alone. */
const classesTold = 6

/** The report of `halfdice tune`: what was chosen, what to expect of it, and what it was chosen from. */
export function tuneReport({ result, output, version }: TunePage): string {
  const { choices, failures, withoutReference } = result
  const [{ cases, patients }] = choices
  const people = patients === cases ? 'each a patient of its own' : `of ${counted(patients, 'patient')}`
  const absent = [
    ...withoutReference.map((name) => `${name} has no reference`),
    ...failures.map((f) => f.error.message),
  ]
  return htmlReport({
    title: `Thresholds tuned on ${counted(cases, 'case')}`,
    summary: [
      `${counted(cases, 'case')}, ${people}. ${output} holds what was chosen; halfdice threshold --tuned applies it.`,
      ...(choices.length <= classesTold ? choices.map(verdict) : []),
      ...(absent.length > 0 ? [`${counted(absent.length, 'case')} could not be used: see below.`] : []),
    ],
    sections: [
      { title: 'What was chosen', blocks: [choiceTable(choices)] },
      expectSection(choices),
      ...choices.map(triedSection),
      ...(absent.length > 0
        ? [{ title: 'Cases that were not used', blocks: [{ kind: 'list', items: absent } as const] }]
        : []),
      { title: 'How to read this', blocks: [{ kind: 'list', items: conventions }] },
    ],
    footer: [`Made by halfdice ${version} with the command: halfdice tune … --report.`],
  })
}

const conventions: readonly string[] = [
  'Each class was cut on its own and compared with the references. Where classes exclude each other, voxels that two ' +
    'masks claim go to one of them when masks are written; that is not part of these numbers.',
  'What was chosen is the way to cut with the largest mean Dice among those that are better than ½ by their 95 % ' +
    'interval, with post-processing only where that is better, by its interval, than the same cut without. Where ' +
    'nothing is, ½ stays.',
  'The gain to expect is that of this whole procedure, choice and fits, in cases that it had not seen (nested ' +
    'cross-validation). No case is in a fold with another of its patient.',
  'Intervals are 95 % bootstrap intervals over patients, of the mean over all patients like these. The mean over as ' +
    'many new patients as were tuned on scatters more: within the wider range, in 19 of 20 such groups (Student).',
]

function verdict({ name, rule, gain, diceAtHalf }: Choice): string {
  const from = `from ${diceAtHalf.toFixed(4)} at ½`
  if (rule.cut === 'half' && !rule.postProcessing) {
    return `${name}: nothing that was tried is better than ½ by its interval (mean Dice ${diceAtHalf.toFixed(4)}).`
  }
  const decimals = estimateDecimals([gain], 4)
  return `${name}: ${ruleSentence(rule)}. Gain to expect: ${estimateText(gain, { signed: true, decimals })} ${from}.`
}

function choiceTable(choices: readonly Choice[]): Block {
  const style = {
    signed: true,
    decimals: estimateDecimals(
      choices.map(({ gain }) => gain),
      4,
    ),
  }
  return {
    kind: 'table',
    name: 'chosen',
    caption: 'The rule of each class, and its mean Dice in cases that the choice had not seen.',
    table: {
      columns: [
        { key: 'class' },
        { key: 'rule' },
        { key: 'half', title: 'Dice at ½', decimals: 4 },
        { key: 'tuned', title: 'tuned', decimals: 4 },
        { key: 'gain', title: 'gain to expect', show: (value) => signed(Number(value), style.decimals) },
        { key: 'interval', title: '95 %' },
        { key: 'new', title: 'as many new patients, 95 %' },
      ],
      rows: choices.map(({ name, rule, diceAtHalf, dice, gain, gainOfNew }) => ({
        class: name,
        rule: ruleSentence(rule),
        half: diceAtHalf,
        tuned: dice,
        gain: gain.value,
        interval: intervalText(gain, style),
        new: intervalText(gainOfNew, style),
      })),
    },
  }
}

function expectSection(choices: readonly Choice[]): ReportSection {
  const names = choices.map(({ name }) => name)
  return {
    title: 'What to expect in new cases',
    blocks: [
      {
        kind: 'figure',
        caption:
          'Dice gained over the cut at ½, one dot a case, by the choice and fits of folds without the case. Boxes ' +
          'reach from quartile to quartile, with the median; the diamond is the mean.',
        svgs: [
          stripChart({
            title: 'Dice gained, case by case',
            description: `Distribution over cases of the Dice gained over the cut at ½, for ${names.join(', ')}.`,
            width: 520,
            x: { label: 'Dice tuned minus Dice at ½' },
            groups: names,
            series: [
              {
                groups: choices.map(({ scores }) => ({
                  values: scores.map(({ tuned, atHalf }) => tuned - atHalf),
                  names: scores.map((s) => `${s.case}: ${s.atHalf.toFixed(3)} to ${s.tuned.toFixed(3)}`),
                })),
              },
            ],
            rule: 0,
          }),
        ],
      },
      {
        kind: 'details',
        summary: 'All cases',
        blocks: [
          {
            kind: 'table',
            name: 'cases',
            caption: 'Dice of each case at ½ and, unseen, tuned.',
            table: {
              columns: [
                { key: 'case' },
                { key: 'class' },
                { key: 'half', title: 'Dice at ½', decimals: 4 },
                { key: 'tuned', decimals: 4 },
              ],
              rows: choices.flatMap(({ name, scores }) =>
                scores.map((s) => ({ case: s.case, class: name, half: s.atHalf, tuned: s.tuned })),
              ),
            },
          },
        ],
      },
    ],
  }
}

function triedSection(choice: Choice): ReportSection {
  const { name, candidate, tried, patients } = choice
  const blocks: Block[] = [
    {
      kind: 'figure',
      caption:
        'Mean Dice over all cases by threshold, one for all cases, without post-processing: how much depends on it. ' +
        'Seen by the choice, and so a little better than what to expect.',
      svgs: [diceByThreshold(choice)],
    },
  ]
  if (tried.length === 0) {
    blocks.push({
      kind: 'note',
      tone: 'info',
      text: `${counted(patients, 'patient')} do not tell a gain from chance, and ½ stays: seven or more are needed.`,
    })
  } else {
    const told = toldCandidates(choice)
    const decimals = estimateDecimals(
      told.map(({ difference }) => difference),
      4,
    )
    const chosen = ({ cut, holes, keep }: TriedCandidate) =>
      cut === candidate.cut && holes === candidate.holes && keep === candidate.keep
    blocks.push({
      kind: 'table',
      name: `tried-${name}`,
      caption: 'What was tried, fitted to some of the cases and applied to the others.',
      table: {
        columns: [
          { key: 'candidate', title: 'cut at' },
          { key: 'dice', title: 'mean Dice', decimals: 4 },
          { key: 'difference', title: 'minus ½', show: (value) => signed(Number(value), decimals) },
          { key: 'interval', title: '95 %' },
          { key: 'chosen', title: '' },
        ],
        rows: told.map((each) => ({
          candidate: candidateName(each),
          dice: each.dice,
          difference: each.cut === 'half' && !each.holes && each.keep === 'all' ? undefined : each.difference.value,
          interval:
            each.cut === 'half' && !each.holes && each.keep === 'all'
              ? undefined
              : intervalText(each.difference, { signed: true, decimals }),
          chosen: chosen(each) ? 'chosen' : '',
        })),
      },
    })
  }
  return { title: `${name}: what it was chosen from`, blocks }
}

function diceByThreshold({ name, meanDice, rule }: Choice): string {
  const points = [...tableCuts.keys()]
    .filter((i) => i % 5 === 0 && tableCuts[i] >= 0.01 && tableCuts[i] <= 0.99)
    .map((i) => [tableCuts[i], meanDice[i]] as const)
  const best = Math.max(...points.map(([, dice]) => dice))
  const low = Math.max(0, Math.min(...points.filter(([t]) => t > 0.1 && t < 0.9).map(([, dice]) => dice), best - 0.05))
  const marks: Mark[] = [
    { kind: 'line', colour: lineColour(0), points, label: 'mean Dice' },
    { kind: 'rule', x: 0.5, colour: lineColour(6), dash: '4 3', label: '½' },
    ...(rule.at !== undefined && rule.cut !== 'half'
      ? [{ kind: 'rule', x: rule.at, colour: lineColour(1), label: 'chosen' } as const]
      : []),
  ]
  return chart({
    title: 'Dice by threshold',
    description: `Mean Dice of ${name} against the threshold, ½ and what was chosen marked.`,
    width,
    height: 300,
    x: { label: 'threshold', domain: [0, 1] },
    y: { label: 'mean Dice', domain: [low, Math.min(1, best + 0.1 * (best - low))] },
    marks,
  })
}
