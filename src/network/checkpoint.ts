import { createHash } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { InputError } from '../volume/errors.ts'
import type { TrainerState } from './runtime/trainer.ts'

export interface Checkpoint {
  /** Steps that are done. */
  readonly step: number
  readonly state: TrainerState
  /** The log's lines up to here, without line ends: what comes after a checkpoint is done again. */
  readonly log: readonly string[]
}

interface Header {
  readonly format: 'halfdice-checkpoint-1'
  readonly plan: string
  readonly step: number
  readonly size: number
  readonly sha256: string
  readonly log: readonly string[]
}

/**
 * Writes a checkpoint: one line of JSON, then parameters and moments as little-endian float32. The file appears under
 * its name only when it is whole and on the disk.
 */
export async function saveCheckpoint(path: string, plan: string, { step, state, log }: Checkpoint): Promise<void> {
  const numbers = joined(state)
  const sha256 = createHash('sha256').update(numbers).digest('hex')
  const header: Header = {
    format: 'halfdice-checkpoint-1',
    plan,
    step,
    size: state.parameters.length,
    sha256,
    log,
  }
  await writeWhole(path, [Buffer.from(`${JSON.stringify(header)}\n`), numbers])
}

/**
 * Reads a checkpoint of the same plan, or undefined where there is none.
 *
 * @throws InputError where the file is damaged or belongs to another plan
 */
export async function loadCheckpoint(path: string, plan: string): Promise<Checkpoint | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const end = bytes.indexOf(10)
  const header = parseHeader(bytes.subarray(0, Math.max(0, end)))
  const numbers = bytes.subarray(end + 1)
  if (header === undefined || createHash('sha256').update(numbers).digest('hex') !== header.sha256) {
    throw new InputError(path, 'is a damaged checkpoint; delete it to start this training again')
  }
  if (header.plan !== plan) {
    throw new InputError(path, 'was written by a run with other settings or data; give another folder or delete it')
  }
  const values = new Float32Array(new Uint8Array(numbers).buffer)
  const part = (i: number) => values.slice(i * header.size, (i + 1) * header.size)
  const state = { parameters: part(0), firstMoment: part(1), secondMoment: part(2) }
  return { step: header.step, state, log: header.log }
}

/** Writes a file under a temporary name, flushes it to the disk and renames it. */
export async function writeWhole(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w')
  try {
    for (const piece of pieces) await file.writeFile(piece)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

function joined(state: TrainerState): Buffer {
  return Buffer.concat(
    [state.parameters, state.firstMoment, state.secondMoment].map((a) =>
      Buffer.from(a.buffer, a.byteOffset, a.byteLength),
    ),
  )
}

function parseHeader(bytes: Buffer): Header | undefined {
  try {
    const header = JSON.parse(bytes.toString('utf8')) as Header
    return header.format === 'halfdice-checkpoint-1' ? header : undefined
  } catch {
    return undefined
  }
}
