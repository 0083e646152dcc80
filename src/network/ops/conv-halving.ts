import { apply, formatShape, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { blockWeightGradient } from './block-weight-gradient.ts'
import { blockOf } from './blocked-channels.ts'
import { convDownBlocked, convUpBlocked } from './conv-halving-blocked.ts'
import { emitReshape, emitSizes } from './dynamic-shape.ts'
import { blocksToSpace } from './space-to-blocks.ts'
import { sumOfChannels } from './sum-channels.ts'

// Each operator here is the other's gradient with respect to x.

const down: Operator<undefined> = {
  name: 'convDown',
  infer: ([x, w]) => {
    if (w.shape[1] !== x.shape[1] || x.shape.slice(2).some((n) => n % 2 !== 0)) {
      throw new Error(`convDown of ${formatShape(x.shape)} with ${formatShape(w.shape)}`)
    }
    return [{ shape: [x.shape[0], w.shape[0], ...x.shape.slice(2).map((n) => n / 2)], type: x.type }]
  },
  lower: (emit, [x, w], { inputs: [{ shape }, { shape: wShape }] }) => {
    const block = blockOf(emit, shape[1])
    if (block !== undefined && blockOf(emit, wShape[0]) !== undefined) {
      return [convDownBlocked(emit, [x, w], shape, wShape[0], block)]
    }
    const twos = { ints: shape.slice(2).map(() => 2) }
    return emit.node('Conv', [x, w], { attributes: { kernel_shape: twos, strides: twos } })
  },
  gradient: ([g], { inputs: [x, w] }) => (g === undefined ? [] : [convUp(g, w), blockWeightGradient(g, x)]),
}

/** Convolution with kernel and stride 2: x [cases, in, …] with w [out, in, 2, 2(, 2)] to half the size. */
export function convDown(x: Tensor, w: Tensor): Tensor {
  return apply(down, [x, w], undefined)
}

const up: Operator<undefined> = {
  name: 'convUp',
  infer: ([x, w, bias]) => {
    if (w.shape[0] !== x.shape[1] || (bias && sizeOf(bias.shape) !== w.shape[1])) {
      throw new Error(`convUp of ${formatShape(x.shape)} with ${formatShape(w.shape)}`)
    }
    return [{ shape: [x.shape[0], w.shape[1], ...x.shape.slice(2).map((n) => 2 * n)], type: x.type }]
  },
  // One product, then its rows to pixels: four times as fast as ONNX Runtime's ConvTranspose.
  lower: (emit, [x, w, bias], { inputs: [{ shape }, { shape: wShape }] }) => {
    const [, inputs, ...spatial] = shape
    const block = blockOf(emit, wShape[1])
    if (block !== undefined && blockOf(emit, inputs) !== undefined) {
      return [convUpBlocked(emit, [x, w, bias], shape, wShape[1], block)]
    }
    const [cases, , ...sizes] = emitSizes(emit, x, shape)
    const [matrix] = emit.node('Reshape', [w, emit.ints([inputs, wShape[1] * 2 ** spatial.length])])
    const [transposed] = emit.node('Transpose', [matrix], { attributes: { perm: { ints: [1, 0] } } })
    const columns = emitReshape(emit, x, [cases, inputs, -1])
    const [blocks] = emit.node('MatMul', [transposed, columns])
    const pixels = blocksToSpace(emit, blocks, wShape[1], sizes)
    if (bias === undefined) return [pixels]
    const [terms] = emit.node('Reshape', [bias, emit.ints([1, wShape[1], ...spatial.map(() => 1)])])
    return emit.node('Add', [pixels, terms])
  },
  gradient: ([g], { inputs: [x, w, bias] }) =>
    g === undefined ? [] : [convDown(g, w), blockWeightGradient(x, g), ...(bias ? [sumOfChannels(g)] : [])],
}

/**
 * Transposed convolution with kernel and stride 2: x [cases, in, …] with w [in, out, 2, 2(, 2)] to twice the size, plus
 * `bias` [out] where there is one.
 */
export function convUp(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  return apply(up, bias ? [x, w, bias] : [x, w], undefined)
}
