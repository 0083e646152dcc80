import type { PostProcessing } from '../../decision/decode/post-process.ts'
import type { BetaCalibration } from '../../metrics/beta-calibration.ts'

/** The ways to cut, the simplest first. */
export const cutRules = ['half', 'case', 'rma', 'pooled', 'fixed', 'temperature', 'beta'] as const
export type CutRule = (typeof cutRules)[number]

/** How one class is cut, and what is done to its mask. */
export interface ClassRule {
  readonly cut: CutRule
  /** For `half`, `pooled` and `fixed`: where every case is cut. */
  readonly at?: number
  /** For `temperature` and `beta`: what probabilities are replaced by before each case is cut at its own t*. */
  readonly calibration?: BetaCalibration
  /** ‖m‖ of the smallest case where the class was clearly there, which a faint class is measured by. */
  readonly smallestMm3?: number
  readonly postProcessing?: PostProcessing
}

/** A rule in words, with its numbers: what files, tables and pages say. */
export function ruleSentence(rule: ClassRule): string {
  return [cutSentence(rule), ...(rule.postProcessing ? [postSentence(rule.postProcessing)] : [])].join(', ')
}

/** What a way to cut is called where it has no numbers yet. */
export const cutNames: Readonly<Record<CutRule, string>> = {
  half: '1/2',
  pooled: 't* of all cases pooled',
  fixed: 'the best single threshold',
  case: "each case's own t*",
  rma: "each case's own RMA cut",
  temperature: "each case's own t* after temperature scaling",
  beta: "each case's own t* after beta calibration",
}

/** A candidate in words, before it has numbers. */
export function candidateName({
  cut,
  holes,
  keep,
}: {
  readonly cut: CutRule
  readonly holes: boolean
  readonly keep: 'all' | 'largest' | 'large'
}): string {
  const kept = { all: [], largest: ['largest component only'], large: ['small components removed'] }[keep]
  return [cutNames[cut], ...(holes ? ['holes filled'] : []), ...kept].join(', ')
}

function cutSentence({ cut, at, calibration }: ClassRule): string {
  const name = cutNames[cut]
  if (cut === 'pooled' || cut === 'fixed') return `cut at ${number(at)}, ${name}`
  if (cut === 'temperature') return `cut at ${name} (T = ${number(1 / (calibration?.a ?? 1))})`
  if (cut !== 'beta') return `cut at ${name}`
  const { a, b, c } = calibration ?? { a: 1, b: 1, c: 0 }
  return `cut at ${name} (a = ${number(a)}, b = ${number(b)}, c = ${number(c)})`
}

/** What is done to masks, in words. */
export function postSentence({ holes, keep }: PostProcessing): string {
  const kept =
    keep === 'all' ? [] : [keep === 'largest' ? 'largest component only' : `components below ${keep} mm³ removed`]
  return [...(holes ? ['holes filled'] : []), ...kept].join(', ')
}

function number(x: number | undefined): string {
  return x === undefined ? '–' : String(Number(x.toPrecision(4)))
}
