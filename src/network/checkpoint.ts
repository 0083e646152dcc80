import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { InputError } from '../volume/errors.ts'
import type { TrainerState } from './runtime/trainer.ts'
import { writeWhole } from './write-whole.ts'

export { writeWhole } from './write-whole.ts'

export interface Checkpoint {
  /** Steps that are done. */
  readonly step: number
  readonly state: TrainerState
  /** The log's lines up to here, without line ends: what comes after a checkpoint is done again. */
  readonly log: readonly string[]
}

interface Header {
  readonly plan: string
  readonly step: number
  readonly size: number
  readonly log: readonly string[]
}

const FORMAT = 'halfdice-checkpoint-2'
const LINE_END = 10

/**
 * Writes a checkpoint: a line with the format and the SHA-256 of all that follows, the header as one line of JSON, then
 * parameters and moments as little-endian float32. The file appears under its name only when it is whole and on the disk.
 */
export async function saveCheckpoint(path: string, plan: string, { step, state, log }: Checkpoint): Promise<void> {
  const header: Header = { plan, step, size: state.parameters.length, log }
  const body = [Buffer.from(`${JSON.stringify(header)}\n`), ...vectorsOf(state).map(bytesOf)]
  await writeWhole(path, [Buffer.from(`${FORMAT} ${sha256(body)}\n`), ...body])
}

/**
 * Reads a checkpoint of the same plan, or undefined where there is none.
 *
 * @throws InputError where the file is damaged, cannot be read or belongs to another plan
 */
export async function loadCheckpoint(path: string, plan: string): Promise<Checkpoint | undefined> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return undefined
  const end = bytes.indexOf(LINE_END)
  const body = bytes.subarray(end + 1)
  const first = bytes.toString('latin1', 0, Math.max(0, end))
  // Of the first format, in which the numbers alone were hashed.
  if (first.startsWith('{"format":"halfdice-checkpoint-1"')) {
    throw new InputError(path, 'was written by an earlier version; delete it to start this training again')
  }
  if (first !== `${FORMAT} ${sha256([body])}`) {
    throw new InputError(path, 'is a damaged checkpoint; delete it to start this training again')
  }
  const headerEnd = body.indexOf(LINE_END)
  const header = JSON.parse(body.toString('utf8', 0, headerEnd)) as Header
  if (header.plan !== plan) {
    throw new InputError(path, 'was written by a run with other settings or data; give another folder or delete it')
  }
  const values = new Float32Array(new Uint8Array(body.subarray(headerEnd + 1)).buffer)
  const part = (i: number) => values.slice(i * header.size, (i + 1) * header.size)
  const state = { parameters: part(0), firstMoment: part(1), secondMoment: part(2) }
  return { step: header.step, state, log: header.log }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new InputError(path, `cannot be read (${message}); check its permissions, or delete it`)
  }
}

function vectorsOf({ parameters, firstMoment, secondMoment }: TrainerState): readonly Float32Array[] {
  return [parameters, firstMoment, secondMoment]
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function sha256(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}
