import { createHash } from 'node:crypto'
import { InputError } from '../volume/errors.ts'
import type { TrainerState } from './runtime/trainer.ts'

export interface Checkpoint {
  /** Steps that are done. */
  readonly step: number
  readonly state: TrainerState
  /** The log's lines up to here, without line ends: what comes after a checkpoint is done again. */
  readonly log: readonly string[]
  /** Of the steps done since the last line of the log, where a run was stopped between two. */
  readonly unlogged?: { readonly losses: number; readonly gradientNorm: number }
}

interface Header extends Pick<Checkpoint, 'unlogged'> {
  readonly plan: string
  readonly step: number
  readonly size: number
  readonly log: readonly string[]
}

const format = 'halfdice-checkpoint-2'
const lineEnd = 10

/** What a checkpoint belongs to: a digest of the plan and of whatever else the result depends on. */
export function planDigest(plan: object, fingerprint: string | undefined): string {
  return sha256([Buffer.from(JSON.stringify([plan, fingerprint]))])
}

/**
 * A checkpoint's bytes: a line with the format and the SHA-256 of all that follows, the header as one line of JSON,
 * then parameters and moments as little-endian float32.
 */
export function encodeCheckpoint(plan: string, { step, state, log, unlogged }: Checkpoint): Uint8Array[] {
  const header: Header = { plan, step, size: state.parameters.length, log, ...(unlogged && { unlogged }) }
  const body = [Buffer.from(`${JSON.stringify(header)}\n`), ...vectorsOf(state).map(bytesOf)]
  return [Buffer.from(`${format} ${sha256(body)}\n`), ...body]
}

/**
 * The checkpoint in a file's bytes.
 *
 * @param plan the digest of the plan that wants to go on
 * @param path of the file, for messages
 * @throws InputError where the file is damaged or belongs to another plan
 */
export function decodeCheckpoint(bytes: Buffer, plan: string, path: string): Checkpoint {
  const end = bytes.indexOf(lineEnd)
  const body = bytes.subarray(end + 1)
  const first = bytes.toString('latin1', 0, Math.max(0, end))
  // Of the first format, in which the numbers alone were hashed.
  if (first.startsWith('{"format":"halfdice-checkpoint-1"')) {
    throw new InputError(path, 'was written by an earlier version; delete it to start this training again')
  }
  if (first !== `${format} ${sha256([body])}`) {
    throw new InputError(path, 'is a damaged checkpoint; delete it to start this training again')
  }
  const headerEnd = body.indexOf(lineEnd)
  const header = JSON.parse(body.toString('utf8', 0, headerEnd)) as Header
  if (header.plan !== plan) {
    throw new InputError(path, 'was written by a run with other settings or data; give another folder or delete it')
  }
  const values = new Float32Array(new Uint8Array(body.subarray(headerEnd + 1)).buffer)
  const part = (i: number) => values.slice(i * header.size, (i + 1) * header.size)
  const state = { parameters: part(0), firstMoment: part(1), secondMoment: part(2) }
  return { step: header.step, state, log: header.log, ...(header.unlogged && { unlogged: header.unlogged }) }
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
