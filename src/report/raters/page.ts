import type { AnnotatorFit } from '../../annotators/fit.ts'
import { type Block, htmlReport, type ReportSection } from '../kit/html.ts'
import { sliceLegend } from '../kit/slices.ts'
import { counted } from '../kit/words.ts'
import { annotatorPanel, annotatorPicture } from './annotator-slice.ts'
import { agreementFigure, checkFigures } from './charts.ts'
import type { AnnotatorsPage, PageCase, PageLabel, PageOptimum } from './model.ts'

/** The report of `halfdice raters`: how noisy the annotators are, whether the model fits, and where they differ. */
export function annotatorsReport(page: AnnotatorsPage): string {
  const { annotators, labels, failures, version } = page
  return htmlReport({
    title: `${counted(annotators.length, 'annotator')}: ${annotators.join(', ')}`,
    summary: [
      ...labels.map(sentenceOf),
      ...(failures.length > 0 ? [`${counted(failures.length, 'case')} could not be read: see below.`] : []),
    ],
    sections: [
      ...labels.map((label): ReportSection => ({ title: label.title, blocks: labelBlocks(label, page) })),
      ...(failures.length > 0
        ? [{ title: 'Cases that could not be read', blocks: [{ kind: 'list' as const, items: [...failures] }] }]
        : []),
      { title: 'How to read this', blocks: [{ kind: 'list', items: conventions }] },
    ],
    footer: [`Made by halfdice ${version} with the command: halfdice raters … --report.`],
  })
}

const conventions = [
  'σ is the standard deviation of the displacement of outlines, ℓ how far along an outline it goes together.',
  'A bias is how far outwards of the annotators’ mean one draws; τ is their standard deviation between annotators.',
  'Presence q is the probability that an annotator draws the object at all. Gross errors are the share of an outline ' +
    'that lies farther off than the noise explains: missed parts, leaks.',
  'Intervals are 95 % bootstrap intervals over cases.',
  'The check simulates annotators of every case with the fit, from the mask in the middle of the real ones.',
  'D* is the best expected Dice of any mask to one such annotator, t* = D*/2 the threshold that reaches it on the ' +
    'true probabilities (docs/theory.md).',
  'Slices are shown as radiologists look at them: the patient’s right is on the left.',
]

function sentenceOf({ title, fit, reason, optimum }: PageLabel): string {
  if (!fit) return `${title}: no fit (${reason}).`
  if (!fit.check || !fit.lengthMm) return `${title}: the annotators do not differ.`
  const sigma = [fit.sigmaMm.estimate].flat().map((mm) => mm.toFixed(2))
  const check = fit.check.fits ? 'The model fits.' : `The model does not fit: ${fit.check.misfits.join('; ')}.`
  const ceiling = optimum
    ? ` The best mask has an expected Dice of ${optimum.supDice.toFixed(3)} to one of them, the cut at ½ ` +
      `${optimum.diceAtHalf.toFixed(3)}.`
    : ''
  return (
    `${title}: outlines differ by σ = ${sigma.join(', ')} mm over ℓ = ${fit.lengthMm.estimate.toFixed(1)} mm; pairs ` +
    `agree by a mean Dice of ${fit.check.dice.real.toFixed(3)}. ${check}${ceiling}`
  )
}

function labelBlocks(label: PageLabel, page: AnnotatorsPage): Block[] {
  const { fit, reason, optimum, cases, drawn } = label
  const blocks: Block[] = []
  if (!fit) blocks.push({ kind: 'note', tone: 'warning', text: `No fit: ${reason}.` })
  if (fit) blocks.push(estimates(fit, page))
  if (fit?.check) {
    if (!fit.check.fits) {
      const text = `The model does not fit: ${fit.check.misfits.join('; ')}. What it says of noise is a rough measure.`
      blocks.push({ kind: 'note', tone: 'warning', text })
    }
    blocks.push(checkFigures(fit.check), pairsTable(fit, page))
  }
  if (optimum) blocks.push(optimumTable(optimum))
  if (cases.length > 2) blocks.push(agreementFigure(cases))
  if (drawn.length > 0) {
    const legend = sliceLegend({ panels: drawn.slice(0, 1).map(({ slice }) => annotatorPanel(slice)) })
    blocks.push({
      kind: 'gallery',
      caption:
        'The cases whose annotators agree least, each on the slice on which they differ most. Without images the ' +
        'ground is the brighter the more annotators drew it.',
      pictures: drawn.map(({ case: one, slice }) => annotatorPicture(slice, one.case, agreementText(one))),
      ...(legend !== undefined && { legend }),
    })
  }
  blocks.push({
    kind: 'details',
    summary: `${counted(cases.length, 'case')}, those with the least agreement first`,
    blocks: [casesTable(cases)],
  })
  return blocks
}

function agreementText({ dice, hd95Mm }: PageCase): string {
  const distance = hd95Mm === undefined ? '' : `, HD95 ${hd95Mm.toFixed(1)} mm`
  return dice === undefined ? 'one annotator' : `Dice ${dice.toFixed(3)}${distance}`
}

function estimates(fit: AnnotatorFit, { annotators }: AnnotatorsPage): Block {
  const axis = (value: unknown, i: number) => (Array.isArray(value) ? value[i] : value) as number | undefined
  const several = Array.isArray(fit.sigmaMm.estimate)
  const sigma = (several ? [0, 1, 2] : [0]).map((i) => ({
    what: several ? `σ along axis ${'ijk'[i]} (mm)` : 'σ (mm)',
    estimate: axis(fit.sigmaMm.estimate, i),
    low: axis(fit.sigmaMm.low ?? undefined, i),
    high: axis(fit.sigmaMm.high ?? undefined, i),
  }))
  const row = (what: string, { estimate, low, high }: AnnotatorFit['presence']) => ({
    what,
    estimate,
    low: low ?? undefined,
    high: high ?? undefined,
  })
  return {
    kind: 'table',
    name: 'noise',
    caption: `The noise of ${counted(annotators.length, 'annotator')}, from ${counted(fit.cases, 'case')}.`,
    table: {
      columns: [
        { key: 'what', title: '' },
        { key: 'estimate' },
        { key: 'low', title: '95 % from' },
        { key: 'high', title: 'to' },
      ],
      rows: [
        ...sigma,
        ...(fit.lengthMm ? [row('ℓ (mm)', fit.lengthMm)] : []),
        ...(fit.biasSdMm ? [row('τ of biases (mm)', fit.biasSdMm)] : []),
        ...(fit.biasMm ?? []).map((bias, r) => row(`bias of ${annotators[r]} (mm)`, bias)),
        row('presence q', fit.presence),
        row('gross errors (share)', fit.grossErrors),
      ],
    },
  }
}

function pairsTable({ check }: AnnotatorFit, { annotators }: AnnotatorsPage): Block {
  const name = (r: number | undefined) => (r === undefined ? 'any two' : annotators[r])
  return {
    kind: 'table',
    name: 'pairs',
    caption: 'How pairs agree, and how simulated ones do.',
    table: {
      columns: [
        { key: 'pair', title: 'pair' },
        { key: 'dice', title: 'Dice' },
        { key: 'diceSimulated', title: 'simulated' },
        { key: 'hd95', title: 'HD95 (mm)', decimals: 2 },
        { key: 'hd95Simulated', title: 'simulated', decimals: 2 },
      ],
      rows: (check?.pairs ?? []).map((pair) => ({
        pair: pair.a === undefined ? 'any two' : `${name(pair.a)}, ${name(pair.b)}`,
        dice: pair.meanDice,
        diceSimulated: pair.simulatedDice,
        hd95: pair.meanHd95Mm,
        hd95Simulated: pair.simulatedHd95Mm,
      })),
    },
  }
}

function optimumTable({ cases, supDice, threshold, diceAtHalf, emptyDice }: PageOptimum): Block {
  return {
    kind: 'table',
    name: 'ceiling',
    caption:
      `What annotators of this noise leave to a network that knows it perfectly: means over ${counted(cases, 'case')}` +
      ', with the mask in the middle as reference.',
    table: {
      columns: [
        { key: 'supDice', title: 'D*' },
        { key: 'threshold', title: 't*' },
        { key: 'half', title: 'Dice at ½' },
        { key: 'lost', title: 'lost at ½' },
        { key: 'empty', title: 'empty mask' },
      ],
      rows: [{ supDice, threshold, half: diceAtHalf, lost: supDice - diceAtHalf, empty: emptyDice }],
    },
  }
}

function casesTable(cases: readonly PageCase[]): Block {
  return {
    kind: 'table',
    name: 'cases',
    caption: 'Agreement of the annotators who drew a case: means over their pairs.',
    table: {
      columns: [
        { key: 'case' },
        { key: 'drawn', title: 'drew it', decimals: 0 },
        { key: 'dice', title: 'Dice' },
        { key: 'hd95', title: 'HD95 (mm)', decimals: 2 },
        { key: 'least', title: 'least ml', decimals: 1 },
        { key: 'most', title: 'most ml', decimals: 1 },
      ],
      rows: cases.map((one) => ({
        case: one.case,
        drawn: one.present.length,
        dice: one.dice,
        hd95: one.hd95Mm,
        least: one.leastMl,
        most: one.mostMl,
      })),
    },
  }
}
