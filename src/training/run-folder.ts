import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically, writeTextAtomically } from '../formats/atomic-write.ts'
import { readOwnFile } from '../formats/read-file.ts'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../network/checkpoint.ts'

/** A training's folder: `checkpoint.bin` while it is under way, and `log.jsonl`, which always ends where that does. */
export interface RunFolder {
  /** Where an earlier run has stopped; undefined where there was none. */
  readonly found?: Checkpoint
  readonly save: (checkpoint: Checkpoint) => Promise<void>
  /** Removes the checkpoint of a finished training. */
  readonly removeCheckpoint: () => Promise<void>
}

/**
 * Opens a training's folder, made if need be.
 *
 * @param plan what the training depends on (see planDigest)
 * @throws InputError where the folder holds a checkpoint that is damaged, cannot be read or is another training's
 */
export async function openRunFolder(folder: string, plan: string): Promise<RunFolder> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'checkpoint.bin')
  const bytes = await readOwnFile(path)
  const found = bytes && decodeCheckpoint(bytes, plan, path)
  // A run that was killed between writing its checkpoint and its log has left them apart.
  if (found !== undefined) await writeLog(folder, found.log)
  return {
    ...(found && { found }),
    async save(checkpoint) {
      await writeAtomically(path, encodeCheckpoint(plan, checkpoint), { replace: true, flush: true })
      await writeLog(folder, checkpoint.log)
    },
    removeCheckpoint: () => rm(path, { force: true }),
  }
}

/** The log is written whole each time: it is small. */
async function writeLog(folder: string, lines: readonly string[]): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join('')
  await writeTextAtomically(join(folder, 'log.jsonl'), text, { replace: true })
}
