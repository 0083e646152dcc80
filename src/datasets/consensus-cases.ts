import { join } from 'node:path'
import type { ConsensusRule } from '../annotators/consensus.ts'
import { InputError } from '../volume/errors.ts'
import type { AnnotatorCases } from './annotator-cases.ts'
import { type CaseConsensus, consensusWork } from './consensus-case.ts'
import { overCases } from './over-cases.ts'

export interface ConsensusCases {
  readonly cases: readonly CaseConsensus[]
  readonly failed: readonly { readonly case: string; readonly error: InputError }[]
}

export interface ConsensusCasesOptions {
  readonly rule: ConsensusRule
  readonly folder: string
  readonly labels?: readonly number[] | undefined
  /** They change nothing in the result. Default 1. */
  readonly threads?: number | undefined
  readonly onCase?: ((done: number) => void) | undefined
}

/** Where the consensus of a case goes. */
export function consensusFile(folder: string, name: string): string {
  return join(folder, `${name}.nii.gz`)
}

/** Makes one map of each case's and writes it (`halfdice raters --consensus`). */
export async function consensusCases(
  { cases }: AnnotatorCases,
  { threads = 1, onCase, ...how }: ConsensusCasesOptions,
): Promise<ConsensusCases> {
  const jobs = cases.map((one) => async () => ({ one, ...how, output: consensusFile(how.folder, one.name) }))
  const results = await overCases(jobs, consensusWork, { threads, onCase })
  return {
    cases: results.flatMap((result) => (result instanceof InputError ? [] : [result])),
    failed: results.flatMap((error, i) => (error instanceof InputError ? [{ case: cases[i].name, error }] : [])),
  }
}
