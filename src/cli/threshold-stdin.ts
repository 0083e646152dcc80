import { streamSource } from '../formats/byte-source.ts'
import { encodeNpy } from '../formats/npy.ts'
import { npyStream } from '../formats/npz.ts'
import { writeVolume } from '../formats/volume-file.ts'
import { mapArray, placeMaps } from '../maps/array-maps.ts'
import type { CaseMaps } from '../maps/case-maps.ts'
import { decodeCase } from '../maps/decode.ts'
import { openGeometry } from '../maps/image-maps.ts'
import { schemeFor } from '../maps/scheme.ts'
import { createGrid } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { checkOutputImage } from './outputs.ts'
import { printResult, warn } from './print.ts'
import type { ThresholdOptions } from './threshold.ts'
import { caseResult, describeCases } from './threshold-result.ts'

/** `--stdin-npy`: one array in, one mask out; with `-o -` the mask goes to standard output as `.npy`. */
export async function runStdin(options: ThresholdOptions): Promise<void> {
  const { output, scale, logits, metric, at, assumePresent, scope } = options
  const pipe = output === '-'
  if (!pipe) checkOutputImage(output, [])
  const source = await readStdin(options)
  const found = { input: source.input, name: source.name, kind: 'array' } as const
  const scheme = schemeFor(found, source, options)
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

  /** The array is held in its own type: standard input can be read once only. */
  async function readStdin({ like }: ThresholdOptions): Promise<CaseMaps> {
    const subject = 'standard input'
    const stream = await npyStream(streamSource(process.stdin, subject, Number.MAX_SAFE_INTEGER), subject)
    const { shape, fortranOrder, length, type } = stream
    const chunks: VoxelArray[] = []
    for await (const chunk of stream.chunks()) chunks.push(chunk)
    const array = await mapArray(subject, async () => ({
      shape,
      fortranOrder,
      length,
      type,
      async *chunks(chunkLength?: number) {
        if (chunkLength === length && chunks.length > 1) {
          const all = new Float32Array(length)
          let at = 0
          for (const chunk of chunks) {
            all.set(chunk, at)
            at += chunk.length
          }
          yield all
        } else yield* chunks
      },
      close: async () => {},
    }))
    const [z, y, x] = array.shape
    const geometry = like === undefined ? { grid: createGrid([x, y, z]) } : await openGeometry(like)
    const placed = { input: subject, name: 'stdin', array, ...geometry }
    return placeMaps(placed, { ...(scale && { scale }), ...(logits && { logits }) })
  }
}
