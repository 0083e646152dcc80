import { streamSource } from '../formats/byte-source.ts'
import { encodeNpy } from '../formats/npy.ts'
import { readNpyFrom } from '../formats/npz.ts'
import { writeVolume } from '../formats/volume-file.ts'
import { memoryMaps } from '../maps/array-maps.ts'
import type { CaseMaps } from '../maps/case-maps.ts'
import { decodeCase } from '../maps/decode.ts'
import { mapArrayOf } from '../maps/map-array.ts'
import { withScheme } from '../maps/open-case.ts'
import { namedClasses } from '../maps/scheme.ts'
import { checkOutputImage } from './outputs.ts'
import { printResult, warn } from './print.ts'
import type { ThresholdOptions } from './threshold.ts'
import { caseResult, describeCases } from './threshold-result.ts'

/** `--stdin-npy`: one array in, one mask out; with `-o -` the mask goes to standard output as `.npy`. */
export async function runStdin(options: ThresholdOptions): Promise<void> {
  const { output, metric, at, assumePresent, scope } = options
  const pipe = output === '-'
  if (!pipe) checkOutputImage(output, [])
  const { source, scheme } = await withScheme(
    await readStdin(options),
    namedClasses(options, undefined),
    options,
    'array',
  )
  const { decoded, warning } = await decodeCase(source, scheme, { metric, at, assumePresent })
  if (warning !== undefined) warn(`${source.input}: ${warning}`)
  const { data, channels } = decoded
  if (pipe) {
    const [x, y, z] = source.grid.shape
    const shape = channels === 1 ? [z, y, x] : [channels, z, y, x]
    await new Promise((resolve) => process.stdout.write(encodeNpy({ shape, data }), resolve))
    if (options.json) process.stderr.write(`${JSON.stringify(caseResult(source, scheme, decoded, output))}\n`)
    return
  }
  const { grid, header } = source
  await writeVolume(output, { grid, channels, data, ...(header !== undefined && { header }) })
  const result = caseResult(source, scheme, decoded, output)
  printResult(options.json, { scope, metric, cases: [result] }, () => describeCases([result], options, undefined))
}

async function readStdin({ like, scale, logits }: ThresholdOptions): Promise<CaseMaps> {
  const subject = 'standard input'
  // Standard input can be read once only: the array is held, in its own type.
  const array = await readNpyFrom(streamSource(process.stdin, subject, Number.MAX_SAFE_INTEGER), subject)
  return memoryMaps(mapArrayOf(array, subject), 'stdin', { like, scale, logits })
}
