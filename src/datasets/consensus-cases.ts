import { join } from 'node:path'
import { type Consensus, type ConsensusRule, consensus, labelsOf, meanMap } from '../annotators/consensus.ts'
import { writeVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { type AnnotatorCases, type AnnotatorMaps, readAnnotatorCase } from './annotator-cases.ts'
import { type MaskLabels, maskLabelsOf } from './mask-labels.ts'
import { relabelled } from './relabelled.ts'

/** The consensus on one case, written. */
export interface CaseConsensus {
  readonly case: string
  readonly output: string
  /** Of the rule `mean` also the maps of shares, one a label. */
  readonly probabilities?: string
  /** The numbers of the annotators who have the case, in the order of their scores. */
  readonly annotators: readonly number[]
  /** What its labels are called: as those of the first annotator's. */
  readonly labels: MaskLabels | undefined
  readonly consensus: Omit<Consensus, 'values'>
}

export interface ConsensusCases {
  readonly cases: readonly CaseConsensus[]
  readonly failed: readonly { readonly case: string; readonly error: InputError }[]
}

export interface ConsensusCasesOptions {
  readonly rule: ConsensusRule
  readonly folder: string
  readonly labels?: readonly number[] | undefined
  readonly onCase?: ((done: number) => void) | undefined
}

/** Where the consensus of a case goes. */
export function consensusFile(folder: string, name: string): string {
  return join(folder, `${name}.nii.gz`)
}

/** Makes one map of each case's and writes it (`halfdice raters --consensus`). */
export async function consensusCases(
  { cases }: AnnotatorCases,
  { rule, folder, labels: given, onCase }: ConsensusCasesOptions,
): Promise<ConsensusCases> {
  const done: CaseConsensus[] = []
  const failed: { case: string; error: InputError }[] = []
  for (const [i, one] of cases.entries()) {
    try {
      const read = await readAnnotatorCase(one)
      const wanted = given ?? labelsOf(read.maps)
      const { values, ...rest } = consensus(read.maps, rule, { labels: wanted })
      const output = consensusFile(folder, one.name)
      await writeVolume(output, relabelled(read.template, values))
      const probabilities =
        rule === 'mean' && wanted.length > 0 ? await writeMeans(folder, one.name, read, wanted) : undefined
      const { annotators } = read
      const labels = await maskLabelsOf(one.files.find((file) => file !== undefined) ?? '')
      done.push({
        case: one.name,
        output,
        ...(probabilities && { probabilities }),
        annotators,
        labels,
        consensus: rest,
      })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      failed.push({ case: one.name, error })
    }
    onCase?.(i + 1)
  }
  return { cases: done, failed }
}

async function writeMeans(
  folder: string,
  name: string,
  { maps, template }: AnnotatorMaps,
  labels: readonly number[],
): Promise<string> {
  const path = join(folder, 'probabilities', `${name}.nii.gz`)
  const data = new Float32Array(maps[0].length * labels.length)
  for (const [channel, label] of labels.entries()) data.set(meanMap(maps, label), channel * maps[0].length)
  const { scaling: _, ...plain } = template
  await writeVolume(path, { ...plain, labelNames: new Map(), channels: labels.length, data })
  return path
}
