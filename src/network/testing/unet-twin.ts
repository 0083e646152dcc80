import type { LossPlan } from '../losses.ts'
import type { UNetPlan } from '../unet.ts'
import type { DoubleArray } from './finite-differences.ts'
import * as twin from './twins.ts'

/** The whole net and its loss from the twins' loops, in double precision; takes parameters in the flat order. */
export function lossTwin(
  plan: UNetPlan,
  lossPlan: LossPlan,
  image: DoubleArray,
  target: DoubleArray,
  flat: Float64Array,
): number {
  let offset = 0
  const take = (...shape: number[]): DoubleArray => {
    const size = shape.reduce((p, n) => p * n, 1)
    return { data: flat.subarray(offset, (offset += size)), shape }
  }
  const kernel = (k: number) => new Array<number>(plan.dimensions).fill(k)
  const withBias = (x: DoubleArray) => {
    const bias = take(x.shape[1])
    return twin.zipTwin(x, { data: bias.data, shape: [1, x.shape[1], ...kernel(1)] }, (a, b) => a + b)
  }
  const activate = (x: DoubleArray) => {
    const scale = take(x.shape[1])
    return twin.mapTwin(twin.instanceNormTwin(x, scale, take(x.shape[1])), (v) => (v > 0 ? v : 0.01 * v))
  }
  const level = (start: DoubleArray, size: number) => {
    let x = start
    for (let i = 0; i < plan.convolutions; i++) x = activate(twin.convTwin(x, take(size, x.shape[1], ...kernel(3))))
    return x
  }
  const skips: DoubleArray[] = []
  let x = image
  for (const [i, size] of plan.channels.entries()) {
    if (i > 0) {
      skips.push(x)
      if (plan.down === 'max-pool') x = twin.maxPoolTwin(x)
      else x = activate(twin.convDownTwin(x, take(size, x.shape[1], ...kernel(2))))
    }
    x = level(x, size)
  }
  for (let i = plan.channels.length - 2; i >= 0; i--) {
    const size = plan.channels[i]
    if (plan.up === 'transposed') x = withBias(twin.convUpTwin(x, take(x.shape[1], size, ...kernel(2))))
    else x = twin.upsampleTwin(withBias(twin.convTwin(x, take(size, x.shape[1], ...kernel(1)))))
    x = level(twin.concatChannelsTwin(skips[i], x), size)
  }
  const logits = withBias(twin.convTwin(x, take(plan.outputs, x.shape[1], ...kernel(1))))
  if (offset !== flat.length) throw new Error(`${flat.length} parameters, of which ${offset} were used`)

  let entropy = 0
  const sums = new Map<string, { overlap: number; total: number }>()
  twin.eachIndex(logits.shape, ([n, k], i) => {
    const [z, t] = [logits.data[i], target.data[i]]
    const p = 1 / (1 + Math.exp(-z))
    entropy -= (t * Math.log(p) + (1 - t) * Math.log(1 - p)) / logits.data.length
    const key = lossPlan.scope === 'case' ? `${n} ${k}` : `${k}`
    const sum = sums.get(key) ?? { overlap: 0, total: 0 }
    sums.set(key, { overlap: sum.overlap + p * t, total: sum.total + p + t })
  })
  const s = lossPlan.smoothing
  const ratios = [...sums.values()].map(({ overlap, total }) => (2 * overlap + s) / (total + s))
  const dice = 1 - ratios.reduce((a, b) => a + b, 0) / ratios.length
  if (lossPlan.kind === 'cross-entropy') return entropy
  return lossPlan.kind === 'soft-dice' ? dice : entropy + dice
}
