import { type ConsensusRule, consensus, meanMap } from '../../src/annotators/consensus.ts'
import { fitAnnotators } from '../../src/annotators/fit.ts'
import { observeAnnotators } from '../../src/annotators/observe.ts'
import { caseName } from '../../src/datasets/image-names.ts'
import { relabelled } from '../../src/datasets/relabelled.ts'
import { softDiceOptimum } from '../../src/decision/soft-dice.ts'
import { foldProbability } from '../../src/noise/fold.ts'
import { labelMarginals } from '../../src/noise/label-marginals.ts'
import { marginalInBox } from '../../src/noise/marginal.ts'
import { createSampler } from '../../src/noise/sampler.ts'
import { InputError } from '../../src/volume/errors.ts'
import type { Grid } from '../../src/volume/grid.ts'
import { type LabelArray, labelMapOf } from '../../src/volume/labels.ts'
import { streamSeed } from '../../src/volume/random.ts'
import type { Volume } from '../../src/volume/volume.ts'
import type { Agreed, Agreement, Download, Noise, NoiseResult, Samples, Sight } from '../protocol.ts'
import { niftiFile } from './download.ts'
import { Moved, type Tell } from './rpc.ts'
import { sightOf } from './sight.ts'

/** Label maps on one grid that this worker was given: one for noise, several of annotators. */
let given: { readonly names: readonly string[]; readonly volumes: readonly Volume[]; readonly maps: LabelArray[] }

export interface LabelMaps {
  readonly names: readonly string[]
  readonly volumes: readonly Volume[]
}

export function setLabels({ names, volumes }: LabelMaps): void {
  given = { names, volumes, maps: volumes.map((volume, i) => labelMapOf(volume, names[i]).values) }
}

export interface NoiseOf {
  readonly label: number
  readonly noise: Noise
}

/** The probabilities of a label under noise, and the best that a prediction can do. */
export function marginals({ label, noise }: NoiseOf): Moved<NoiseResult> {
  const [values, grid] = own()
  const start = performance.now()
  const found = marginalInBox(values, grid, label, noise)
  if (!found) throw new InputError(`label ${label}`, 'does not occur in this map; choose another')
  const optimum = softDiceOptimum(found.data)
  const folded = foldProbability(noise, grid)
  const ms = performance.now() - start
  return new Moved({ box: found.box, marginal: found.data, optimum, folded, ms }, [found.data.buffer])
}

/** Where to look at a label. */
export function labelSight({ label }: { readonly label: number }): Sight {
  const [values, grid] = own()
  return sightOf(grid, values, label)
}

export interface SamplesOf extends NoiseOf {
  readonly count: number
  readonly seed: number
}

/** Noisy versions of the map, the ones that `halfdice sample` draws, within the box in which they can differ. */
export function samples({ noise, count, seed }: SamplesOf): Moved<Samples> {
  const [values, grid] = own()
  const sampler = createSampler(values, grid, noise)
  const all = Array.from({ length: count }, (_, i) => sampler.sampleBox(streamSeed(seed, stem()), i))
  const box = sampler.box ?? { start: [0, 0, 0], shape: [0, 0, 0] }
  return new Moved({ box, samples: all }, [...new Set(all.map(({ buffer }) => buffer))])
}

/** One of them as a file. */
export function sampleFile({ noise, seed, index }: SamplesOf & { readonly index: number }): Promise<Download> {
  const [values, grid] = own()
  const drawn = createSampler(values, grid, noise).sample(streamSeed(seed, stem()), index)
  return niftiFile(`${stem()}_${String(index).padStart(4, '0')}`, relabelled(given.volumes[0], drawn))
}

/** The probabilities as a file, as `halfdice marginal` writes them. */
export function marginalFile({ label, noise }: NoiseOf): Promise<Download> {
  const [values, grid] = own()
  const { data } = labelMarginals(values, grid, [label], noise)
  const { scaling: _, ...template } = given.volumes[0]
  return niftiFile(`${stem()}_prob`, { ...template, labelNames: new Map(), channels: 1, data })
}

/** Of all cases, in one fit: see `FitOptions`. */
const usualSimulations = 12

/** How annotators agree on a label, and the noise that explains it. */
export function agreement({ label }: { readonly label: number }, tell: Tell): Agreement {
  const observation = observeAnnotators('case', given.maps, given.volumes[0].grid, label)
  try {
    let done = 0
    const onSimulation = () => tell(Math.min(1, done++ / usualSimulations))
    return { observation, fit: fitAnnotators([observation], { draws: 0, onSimulation }) }
  } catch (error) {
    if (error instanceof InputError) return { observation, reason: error.fault }
    throw error
  }
}

export interface ConsensusOf {
  readonly rule: ConsensusRule
  readonly label: number
}

/** What annotators agree on: the map, and the share of them who drew the label. */
export function agreed({ rule, label }: ConsensusOf): Moved<Agreed & { readonly share: Float32Array }> {
  const found = consensus(given.maps, rule)
  const share = meanMap(given.maps, label)
  return new Moved({ rule, consensus: found, share }, [found.values.buffer, share.buffer])
}

export function consensusFile({ rule }: { readonly rule: ConsensusRule }): Promise<Download> {
  return niftiFile(`consensus_${rule}`, relabelled(given.volumes[0], consensus(given.maps, rule).values))
}

function own(): [LabelArray, Grid] {
  return [given.maps[0], given.volumes[0].grid]
}

const stem = (): string => caseName(given.names[0])
