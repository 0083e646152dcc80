import { join } from 'node:path'
import { type Consensus, type ConsensusRule, consensus, labelsOf, meanMap } from '../annotators/consensus.ts'
import { writeVolume } from '../formats/volume-file.ts'
import { type AnnotatorCase, type AnnotatorMaps, readAnnotatorCase } from './annotator-cases.ts'
import { type MaskLabels, maskLabelsOf } from './mask-labels.ts'
import { outcomeOf } from './over-cases.ts'
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

/** A case to make one map of: plain data, which a process can be handed. */
export interface ConsensusJob {
  readonly one: AnnotatorCase
  readonly rule: ConsensusRule
  readonly folder: string
  readonly output: string
  readonly labels?: readonly number[] | undefined
}

/** What a process runs, and the module where it finds it. */
export const consensusWork = {
  module: new URL('./consensus-case.js', import.meta.url),
  run: (job: ConsensusJob) => outcomeOf(() => consensusCase(job)),
}
export const { run } = consensusWork

async function consensusCase({ one, rule, folder, output, labels: given }: ConsensusJob): Promise<CaseConsensus> {
  const read = await readAnnotatorCase(one)
  const wanted = given ?? labelsOf(read.maps)
  const { values, ...rest } = consensus(read.maps, rule, { labels: wanted })
  await writeVolume(output, relabelled(read.template, values))
  const probabilities =
    rule === 'mean' && wanted.length > 0 ? await writeMeans(folder, one.name, read, wanted) : undefined
  const { annotators } = read
  const labels = await maskLabelsOf(one.files.find((file) => file !== undefined) ?? '')
  return { case: one.name, output, ...(probabilities && { probabilities }), annotators, labels, consensus: rest }
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
