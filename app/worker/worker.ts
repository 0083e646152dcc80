import { isOutOfMemory, outOfMemory } from '../../src/formats/memory.ts'
import { installBuffer } from '../node/buffer.ts'
import type { Given } from '../protocol.ts'
import * as noise from './noise.ts'
import { answerCalls, type Functions, Moved, type Tell } from './rpc.ts'
import { close, open, openExample, setRole, volumeAt } from './store.ts'
import * as threshold from './threshold.ts'

/** An error as one sentence, as the command line prints it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'InputError' || error.name === 'RunError') return error.message
  if (isOutOfMemory(error)) return outOfMemory('halfdice').message
  return `internal error: ${error.message.replace(/\s*\n\s*/g, ' ')}; reload the page and report it`
}

const files: Functions = {
  open: ({ given }: { readonly given: readonly Given[] }, tell: Tell) => open({ given, describe }, tell),
  openExample,
  close: ({ id }: { readonly id: number }) => close(id),
  setRole,
  /** A copy of an item's voxels, for the page to draw or for another worker. */
  volume: ({ id }: { readonly id: number }) => {
    const volume = volumeAt(id)
    const data = volume.data.slice()
    return new Moved({ ...volume, data }, [data.buffer])
  },
}

installBuffer()
answerCalls({ ...files, ...threshold, ...noise }, describe, new Set(['verdicts']))
