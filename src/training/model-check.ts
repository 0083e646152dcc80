import type { ModelSummary, ValueSummary } from '../network/onnx/decode.ts'

type Test = (x: unknown) => boolean

/**
 * The first key of a model's metadata that has the wrong form or contradicts the graph; undefined where all are
 * right.
 */
export function faultyKey(metadata: unknown, { inputs, outputs }: ModelSummary): string | undefined {
  const m = record(metadata)
  const [unet, preprocessing, images] = [record(m.unet), record(m.preprocessing), record(m.images)]
  const flat = unet.dimensions === 2
  const multiple = Array.isArray(unet.channels) ? 2 ** (unet.channels.length - 1) : 1
  const patch = listOf((n) => whole(n) && Number(n) % multiple === 0, flat ? 2 : 3)
  const expected = { rank: flat ? 4 : 5, inputs: unet.inputChannels, outputs: unet.outputs }
  const checks: readonly (readonly [key: string, good: boolean])[] = [
    ['unet.dimensions', flat || unet.dimensions === 3],
    ['unet.channels', listOf(whole)(unet.channels)],
    ['unet.convolutions', whole(unet.convolutions)],
    ['unet.down', unet.down === 'max-pool' || unet.down === 'strided'],
    ['unet.up', unet.up === 'transposed' || unet.up === 'resize'],
    ['unet.inputChannels', suits(inputs, 'image', expected.rank, expected.inputs)],
    ['unet.outputs', suits(outputs, 'probability', expected.rank, expected.outputs)],
    // A patch of depth 1 marks a 2-D network.
    ['patch', listOf(whole, 3)(m.patch) && patch(m.patch.slice(0, flat ? 2 : 3)) && (m.patch[2] === 1) === flat],
    ['outputs', listOf(isOutput, unet.outputs)(m.outputs)],
    ['preprocessing.crop', preprocessing.crop === 'none' || preprocessing.crop === 'nonzero'],
    ['preprocessing.spacingMm', listOf((x) => x === null || positive(x), 3)(preprocessing.spacingMm)],
    ['preprocessing.intensities', listOf(isIntensity, unet.inputChannels)(preprocessing.intensities)],
    ['images.spacingMm', listOf(positive, 3)(images.spacingMm)],
    ['images.orientations', listOf((x) => typeof x === 'string' && x.length === 3)(images.orientations)],
    ['images.channelNames', images.channelNames === undefined || listOf(text, unet.inputChannels)(images.channelNames)],
    ['thresholds', m.thresholds === undefined || listOf(isProbability, unet.outputs)(m.thresholds)],
  ]
  return checks.find(([, good]) => !good)?.[0]
}

/** Whether the graph's only input (or output) has this name, and takes so many channels. */
function suits(values: readonly ValueSummary[], name: string, rank: number, channels: unknown): boolean {
  const [value] = values
  return values.length === 1 && value.name === name && value.shape.length === rank && value.shape[1] === channels
}

const whole: Test = (x) => Number.isInteger(x) && Number(x) >= 1
const finite: Test = (x) => Number.isFinite(x)
const positive: Test = (x) => finite(x) && Number(x) > 0
const text: Test = (x) => typeof x === 'string' && x !== ''
const isProbability: Test = (x) => finite(x) && Number(x) >= 0 && Number(x) <= 1

const isOutput: Test = (x) => {
  const { name, labels } = record(x)
  return text(name) && listOf((label) => Number.isInteger(label))(labels)
}

const isIntensity: Test = (x) => {
  const { kind, lower, upper, mean, deviation } = record(x)
  if (kind === 'z-score') return true
  return (
    kind === 'window' && [lower, upper, mean].every(finite) && positive(deviation) && Number(lower) <= Number(upper)
  )
}

/** A list that is not empty, of a length where one is given. */
function listOf(item: Test, length?: unknown): (x: unknown) => x is readonly unknown[] {
  return (x): x is readonly unknown[] =>
    Array.isArray(x) && x.length > 0 && (length === undefined || x.length === length) && x.every(item)
}

function record(x: unknown): Readonly<Record<string, unknown>> {
  return typeof x === 'object' && x !== null ? (x as Record<string, unknown>) : {}
}
