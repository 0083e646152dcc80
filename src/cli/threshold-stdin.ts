import { streamSource } from '../formats/byte-source.ts'
import { encodeNpy } from '../formats/npy.ts'
import { readNpyFrom } from '../formats/npz.ts'
import { requireImages } from '../formats/segment-files.ts'
import { memoryMaps } from '../maps/array-maps.ts'
import type { CaseMaps } from '../maps/case-maps.ts'
import { decodeCase } from '../maps/decode.ts'
import { mapArrayOf } from '../maps/map-array.ts'
import { withScheme } from '../maps/open-case.ts'
import { namedClasses } from '../maps/scheme.ts'
import { caseResult } from '../maps/threshold-result.ts'
import { tunedDecoding } from '../maps/tune/tuned-decoding.ts'
import { isArrayName, maskArray, writeMask } from '../maps/write-mask.ts'
import { checkOutputFile, checkOutputImage } from './outputs.ts'
import { printResult, warn } from './print.ts'
import type { ThresholdOptions } from './threshold-options.ts'
import { describeCases } from './threshold-table.ts'
import { readTuned } from './threshold-tuned.ts'

/** `--stdin-npy`: one array in, one mask out; with `-o -` the mask goes to standard output as `.npy`. */
export async function runStdin(options: ThresholdOptions): Promise<void> {
  const { output, metric, at, presence, scope } = options
  const tuned = options.tuned === undefined ? undefined : await readTuned(options.tuned, options)
  const pipe = output === '-'
  if (!pipe) (isArrayName(output) ? checkOutputFile : checkOutputImage)(output, options.like ? [options.like] : [])
  const { source, scheme } = await withScheme(
    await readStdin(options),
    namedClasses(options, undefined),
    options,
    'array',
  )
  await requireImages(output, source.header)
  const how = tuned ? tunedDecoding(tuned, { source, scheme }) : { metric, at }
  const { decoded, warnings } = await decodeCase(source, scheme, { ...how, presence })
  for (const warning of [...source.warnings, ...warnings]) warn(`${source.input}: ${warning}`)
  if (!source.hasGeometry && !pipe && !isArrayName(output)) {
    warn(`${source.input}: has no geometry: the mask gets voxels of 1 mm at the origin; give the image with --like`)
  }
  if (pipe) {
    await new Promise((resolve) => process.stdout.write(encodeNpy(maskArray(source, decoded)), resolve))
    if (options.json) process.stderr.write(`${JSON.stringify(caseResult(source, scheme, decoded, output))}\n`)
    return
  }
  await writeMask(output, source, decoded, scheme)
  const result = caseResult(source, scheme, decoded, output)
  printResult(options.json, { scope, metric, cases: [result] }, () =>
    describeCases([result], { ...options, tuned }, undefined),
  )
}

async function readStdin({ like, scale, logits }: ThresholdOptions): Promise<CaseMaps> {
  const subject = 'standard input'
  // Standard input can be read once only: the array is held, in its own type.
  const array = await readNpyFrom(streamSource(process.stdin, subject, Number.MAX_SAFE_INTEGER), subject)
  return memoryMaps(mapArrayOf(array, subject), 'stdin', { like, scale, logits })
}
