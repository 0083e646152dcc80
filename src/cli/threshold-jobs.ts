import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DiceHistogram } from '../decision/dice-histogram.ts'
import type { SoftDiceOptimum } from '../decision/soft-dice.ts'
import type { CaseMaps } from '../maps/case-maps.ts'
import { type ClassScheme, readClasses } from '../maps/classes.ts'
import { datasetJsonFor, type FoundCase, findCases, openCase } from '../maps/find-cases.ts'
import { readMaps } from '../maps/read-maps.ts'
import { schemeFor } from '../maps/scheme.ts'
import { InputError } from '../volume/errors.ts'
import { checkOutputFolder, checkOutputImage, imageEnding, namesFolder, outputsInFolder } from './outputs.ts'
import type { ThresholdOptions } from './threshold.ts'

/** A case to be done, and where its mask goes. */
export interface Job {
  readonly input: string
  readonly output: string
  /** The folder to be created for the output, if any. */
  readonly folder: string | undefined
  /** Opens the case; throws InputError where it cannot be done. */
  open(): Promise<OpenedCase>
}

export interface OpenedCase {
  readonly source: CaseMaps
  readonly scheme: ClassScheme
}

/**
 * Finds all cases and checks where their masks go, before anything is read. A single case, or cases to be pooled, are opened at once, so
 * that their faults stop the run before it starts.
 */
export async function openJobs(inputs: readonly string[], options: ThresholdOptions): Promise<Job[]> {
  const found = findCases(inputs)
  const single = found.length === 1 && inputs[0] === found[0].input
  const folder = checkOutput(options.output, inputs, single) ? options.output : undefined
  const outputs =
    folder === undefined
      ? [options.output]
      : outputsInFolder(
          folder,
          [...found.map(({ input }) => input), ...found.flatMap(ownSegmentation)],
          found.map((each) => each.name + endingOf(each, options)),
        )
  const jobs = found.map((each, i) => ({
    input: each.input,
    output: outputs[i],
    folder,
    open: once(() => openOne(each, options)),
  }))
  if (jobs.length === 1 || options.scope === 'dataset') for (const job of jobs) await job.open()
  return jobs
}

async function openOne(found: FoundCase, options: ThresholdOptions): Promise<OpenedCase> {
  const { scale, logits, like, classes, datasetJson } = options
  const classNames = found.kind === 'classes' ? classNamesOf(classes, datasetJson) : undefined
  const source = await openCase(found, { scale, logits, like, classNames })
  const listed = classNames === undefined ? options : { ...options, classes: source.names?.join(',') }
  return { source, scheme: schemeFor(found, source, { ...listed, classes: listed.classes ?? classes }) }
}

/** The order of classes that are files of their own: as named, and without a background that has no file. */
function classNamesOf(classes: string | undefined, datasetJson: string | undefined): string[] | undefined {
  if (classes !== undefined) return classes.split(',').map((item) => item.trim().replace(/=.*/, ''))
  if (datasetJson === undefined) return undefined
  return readClasses(datasetJson).maps.flatMap((each) => (each ? [each.name] : []))
}

function endingOf(found: FoundCase, options: ThresholdOptions): string {
  if (found.kind === 'image') return imageEnding(found.input) ?? '.nii.gz'
  const path = options.datasetJson ?? (found.kind === 'array' ? datasetJsonFor(found) : undefined)
  const ending = path === undefined ? undefined : readClasses(path).fileEnding
  return ending !== undefined && imageEnding(`x${ending}`) === ending ? ending : '.nii.gz'
}

/** The pipeline's own segmentation beside an array, which must not be overwritten. */
function ownSegmentation({ input, name, kind }: FoundCase): string[] {
  if (kind !== 'array') return []
  return ['.nii.gz', '.nii', '.nrrd', '.mha'].map((ending) => join(dirname(input), name + ending)).filter(existsSync)
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** The optimum of each class over all cases pooled, in two passes over the files; undefined for the background. */
export async function poolJobs(jobs: readonly Job[], step: () => void): Promise<(SoftDiceOptimum | undefined)[]> {
  const opened: OpenedCase[] = []
  for (const job of jobs) opened.push(await job.open())
  const [{ source, scheme }] = opened
  const other = opened.find((each) => each.source.channels !== source.channels)?.source
  if (other) {
    throw new InputError(
      other.input,
      `has ${other.channels} maps, ${source.input} has ${source.channels}; pool cases of the same classes only`,
    )
  }
  const pass = async (pools: readonly ({ add(m: Float32Array): void } | undefined)[]) => {
    for (const { source, scheme } of opened) {
      let channel = 0
      for await (const m of readMaps(source, scheme)) pools[channel++]?.add(m)
      step()
    }
  }
  const coarse = scheme.maps.map((each) => each && new DiceHistogram())
  await pass(coarse)
  const fine = coarse.map((each) => each?.refine())
  await pass(fine)
  return fine.map((each) => each?.optimum())
}

/** Checks that the output fits the number of cases; creates nothing. Returns whether it is a folder. */
function checkOutput(output: string, inputs: readonly string[], single: boolean): boolean {
  if (single && !namesFolder(output)) {
    checkOutputImage(output, inputs)
    return false
  }
  checkOutputFolder(output)
  if (!single && imageEnding(output) !== undefined) {
    throw new InputError(output, `names one file for ${inputs.length} inputs; give a folder`)
  }
  return true
}
