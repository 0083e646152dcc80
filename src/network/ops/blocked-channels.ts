import type { Emitter } from '../graph/tensor.ts'

// ONNX Runtime's layout of channels in blocks, [n, c/b, h, w, b], and the ways into it and out of it.

export const blockedDomain = 'com.microsoft.nchwc'

export function toBlocked(emit: Emitter, x: string, { anew = false } = {}): string {
  return emit.node('ReorderInput', [x], { domain: blockedDomain, anew })[0]
}

export function toPlain(emit: Emitter, x: string, channels: number): string {
  const attributes = { channels: { int: channels }, channels_last: { int: 0 } }
  return emit.node('ReorderOutput', [x], { attributes, domain: blockedDomain })[0]
}
