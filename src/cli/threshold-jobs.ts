import { readClasses } from '../maps/classes.ts'
import { datasetJsonFor, type FoundCase, filesOf, matchCases } from '../maps/find-cases.ts'
import { openCase } from '../maps/open-case.ts'
import type { ThresholdCase } from '../maps/threshold-cases.ts'
import { isArrayName } from '../maps/write-mask.ts'
import { InputError } from '../volume/errors.ts'
import {
  checkOutputFile,
  checkOutputFolder,
  checkOutputImage,
  imageEnding,
  namesFolder,
  outputsInFolder,
  protect,
} from './outputs.ts'
import { warn } from './print.ts'
import type { ThresholdOptions } from './threshold-options.ts'

/** A case to cut, called by its name. */
export interface NamedJob extends ThresholdCase {
  readonly name: string
}

/**
 * Finds all cases and checks where their masks go, before anything is read. A single case, or cases to be pooled, are
 * opened at once, so that their faults stop the run before it starts.
 */
export async function openJobs(inputs: readonly string[], options: ThresholdOptions): Promise<NamedJob[]> {
  protect([options.like, options.references, options.images, options.datasetJson])
  const one = !namesFolder(options.output)
  const { cases: found, warnings } = await matchCases(inputs, { one })
  const files = found.flatMap(filesOf)
  const folder = checkOutput(options.output, files, found) ? options.output : undefined
  const outputs =
    folder === undefined
      ? [options.output]
      : outputsInFolder(
          folder,
          [...found.map(({ input }) => input), ...files],
          found.map((each) => each.name + endingOf(each, options)),
        )
  const jobs = found.map((each, i) => ({
    name: each.name,
    input: each.input,
    output: outputs[i],
    open: once(() => openCase(each, { ...options, geometryOptional: outputs.every(isArrayName) })),
  }))
  if (jobs.length === 1 || options.scope === 'dataset') for (const job of jobs) await job.open()
  for (const warning of warnings) warn(warning)
  return jobs
}

function endingOf(found: FoundCase, options: ThresholdOptions): string {
  if (found.kind === 'image') return imageEnding(found.input) ?? '.nii.gz'
  const path = options.datasetJson ?? (found.kind === 'array' ? datasetJsonFor(found) : undefined)
  const ending = path === undefined ? undefined : readClasses(path).fileEnding
  return ending !== undefined && imageEnding(`x${ending}`) === ending ? ending : '.nii.gz'
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** Checks that the output fits the number of cases; creates nothing. Returns whether it is a folder. */
function checkOutput(output: string, inputs: readonly string[], cases: readonly FoundCase[]): boolean {
  const [only] = cases
  if (cases.length === 1 && !namesFolder(output)) {
    if (!isArrayName(output)) checkOutputImage(output, inputs)
    else if (only.kind === 'array') checkOutputFile(output, inputs)
    else throw new InputError(output, `would lose the geometry of ${only.input}; end it in .nii.gz`)
    return false
  }
  if (cases.length > 1 && (imageEnding(output) !== undefined || isArrayName(output))) {
    throw new InputError(output, `names one file for ${cases.length} cases; give a folder`)
  }
  checkOutputFolder(output)
  return true
}
