import { type Emitter, sizeOf } from '../graph/tensor.ts'
import { blockedDomain, blockedWeights, fromBlocked, imageShape, swapPlanes, toBlocked } from './blocked-channels.ts'
import { emitReshape } from './dynamic-shape.ts'

/** convDown in blocked channels, which both channel counts are multiples of. A volume goes by pairs of planes. */
export function convDownBlocked(
  emit: Emitter,
  [x, w]: readonly [x: string, w: string],
  shape: readonly number[],
  outputs: number,
  block: number,
): string {
  const [n, c, ...spatial] = shape
  const [height, width] = spatial.slice(-2)
  const pairs = spatial.length === 3 ? spatial[0] / 2 : 1
  const planes = spatial.length === 3 ? 2 : 1
  const image = swapPlanes(emit, toBlocked(emit, x, shape), [n, c / block, pairs])
  const kernel = [2, 2]
  const attributes = { kernel_shape: { ints: kernel }, strides: { ints: kernel } }
  const [half] = emit.node(
    'Conv',
    [
      // The planes of a pair are neighbouring blocks of channels.
      emitReshape(emit, image, [n * pairs, planes * c, height, width]),
      emitReshape(emit, blockedWeights(emit, w, [outputs, c, 4 * planes]), [outputs, planes * c, 2, 2]),
    ],
    { attributes, domain: blockedDomain },
  )
  const result = [n, outputs, ...spatial.map((size) => size / 2)]
  const blocked = swapPlanes(emit, half, [n, pairs, outputs / block])
  return fromBlocked(emit, emitReshape(emit, blocked, imageShape(result)), result)
}

/** convUp in blocked channels: one product to all offsets of the kernel, then blocks of them to their pixels. */
export function convUpBlocked(
  emit: Emitter,
  [x, w, bias]: readonly [x: string, w: string, bias?: string],
  shape: readonly number[],
  outputs: number,
  block: number,
): string {
  const [n, inputs, ...spatial] = shape
  const k = 2 ** spatial.length
  const blocks = outputs / block
  const byInput = [inputs, outputs, k, 1]
  const weights = emitReshape(emit, toBlocked(emit, emitReshape(emit, w, byInput), byInput), [
    inputs,
    blocks * k,
    block,
  ])
  const [kernels] = emit.node('Transpose', [weights], { attributes: { perm: { ints: [1, 0, 2] } } })
  const terms = (name: string) => {
    const [repeated] = emit.node('Expand', [emitReshape(emit, name, [blocks, 1, block]), emit.ints([blocks, k, block])])
    return emitReshape(emit, repeated, [k * outputs])
  }
  const [products] = emit.node(
    'Conv',
    [
      toBlocked(emit, x, shape),
      emitReshape(emit, kernels, [k * outputs, inputs, 1, 1]),
      ...(bias === undefined ? [] : [terms(bias)]),
    ],
    { attributes: { kernel_shape: { ints: [1, 1] } }, domain: blockedDomain },
  )
  const rows = emitReshape(emit, products, [n * blocks, k * sizeOf(spatial), block])
  const [pixels] = emit.node('Gather', [rows, emit.ints(finePixels(spatial))], { attributes: { axis: { int: 1 } } })
  const result = [n, outputs, ...spatial.map((size) => 2 * size)]
  return fromBlocked(emit, emitReshape(emit, pixels, imageShape(result)), result)
}

/** For each pixel of the fine image, where it stands in [offsets of the kernel, coarse pixels]. */
function finePixels(coarse: readonly number[]): number[] {
  const size = sizeOf(coarse)
  // Axis by axis: what an index along it adds to the place, its offset's share and its pixel's.
  return coarse.reduce(
    (places, count, axis) => {
      const offset = size * 2 ** (coarse.length - 1 - axis)
      const stride = sizeOf(coarse.slice(axis + 1))
      const steps = Array.from({ length: 2 * count }, (_, i) => (i % 2) * offset + (i >> 1) * stride)
      return places.flatMap((place) => steps.map((step) => place + step))
    },
    [0],
  )
}
