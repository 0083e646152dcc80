import { isDicomName } from '../formats/segment-files.ts'
import { readClasses } from '../maps/classes.ts'
import { datasetJsonFor, type FoundCase, filesOf, matchCases } from '../maps/find-cases.ts'
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
  outputsOfPattern,
  protect,
} from './outputs.ts'
import type { ThresholdOptions } from './threshold-options.ts'

/** The cases to cut, and what a user should know of how they were found. */
export interface FoundJobs {
  readonly jobs: readonly ThresholdCase[]
  /** Whether their masks go into a folder. */
  readonly inFolder: boolean
  readonly warnings: readonly string[]
}

/** Finds all cases and checks where their masks go, before anything is read. */
export async function findJobs(inputs: readonly string[], options: ThresholdOptions): Promise<FoundJobs> {
  protect([options.like, options.references, options.images, options.datasetJson, options.tuned])
  const one = !namesFolder(options.output) && !options.output.includes('{case}')
  const { cases: found, warnings } = await matchCases(inputs, { one, suffix: options.suffix })
  const files = found.flatMap(filesOf)
  protect(files)
  const outputs = outputsOfPattern(options.output, found, true) ?? outputsOf(options, files, found)
  const { decode, classes, datasetJson, labels, scale, logits, like } = options
  const geometryOptional = outputs.every(isArrayName)
  const opening = { decode, classes, datasetJson, labels, scale, logits, like, geometryOptional }
  const jobs = found.map((each, i) => {
    const output = outputs[i]
    return { found: each, opening: { ...opening, segmentation: isDicomName(output) }, output }
  })
  return { jobs, inFolder: namesFolder(options.output), warnings }
}

/** Where the masks go: the file that was named, or the cases' names in the folder. */
function outputsOf(options: ThresholdOptions, files: readonly string[], found: readonly FoundCase[]): string[] {
  if (!checkOutput(options.output, files, found)) return [options.output]
  const names = found.map((each) => each.name + endingOf(each, options))
  return outputsInFolder(options.output, [...found.map(({ input }) => input), ...files], names)
}

function endingOf(found: FoundCase, options: ThresholdOptions): string {
  if (found.kind === 'image') return imageEnding(found.input) ?? '.nii.gz'
  const path = options.datasetJson ?? (found.kind === 'array' ? datasetJsonFor(found) : undefined)
  const ending = path === undefined ? undefined : readClasses(path).fileEnding
  return ending !== undefined && imageEnding(`x${ending}`) === ending ? ending : '.nii.gz'
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
