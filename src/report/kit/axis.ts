import { scaleLinear, scaleLog } from 'd3-scale'

export interface AxisOptions {
  /** What the axis shows, with its unit: «noise strength σ (mm)». */
  readonly label: string
  /** Default linear. */
  readonly scale?: 'linear' | 'log'
  /** Ends of the axis. Default: what the marks need, extended to round numbers. */
  readonly domain?: readonly [number, number]
  /** Where ticks stand. Default: about five round numbers. */
  readonly ticks?: readonly number[]
  /** Names instead of numbers: category c stands at the number c (from 0). */
  readonly categories?: readonly string[]
  readonly format?: (value: number) => string
}

export interface Axis {
  readonly label: string
  readonly domain: readonly [number, number]
  readonly ticks: readonly { readonly value: number; readonly text: string }[]
  /** Position along the axis, 0 at the start and 1 at the end. */
  at(value: number): number
}

/** The axis that `options` ask for, over data that span `extent`. */
export function createAxis(options: AxisOptions, extent: readonly [number, number]): Axis {
  const { label, categories } = options
  if (categories) {
    const domain = [-0.5, categories.length - 0.5] as const
    return {
      label,
      domain,
      ticks: categories.map((text, value) => ({ value, text })),
      at: (value) => (value - domain[0]) / (domain[1] - domain[0]),
    }
  }
  const scale = options.scale === 'log' ? scaleLog() : scaleLinear()
  scale.domain(options.domain ?? padded(extent, options.scale === 'log')).range([0, 1])
  if (!options.domain && options.scale !== 'log') scale.nice(5)
  const [low, high] = scale.domain()
  const values = options.ticks ?? (options.scale === 'log' ? logTicks(low, high) : scale.ticks(5))
  const format = options.format ?? plainFormat(values)
  return {
    label,
    domain: [low, high],
    ticks: values.filter((v) => v >= low && v <= high).map((value) => ({ value, text: format(value) })),
    at: (value) => scale(value),
  }
}

function padded([low, high]: readonly [number, number], log: boolean): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return log ? [1, 10] : [0, 1]
  if (low === high) return log ? [low / 2, high * 2] : [low - 0.5, high + 0.5]
  const room = 0.03
  return log ? [low * (low / high) ** room, high * (high / low) ** room] : [low, high]
}

/** 1-2-5 ticks, thinned to powers of ten where the axis spans many decades. */
function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low)
  const steps = decades <= 2.5 ? [1, 2, 5] : [1]
  const every = Math.max(1, Math.round(decades / 6))
  const result: number[] = []
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    // Division keeps 0.2 from becoming 0.20000000000000001.
    if (e % every === 0) for (const s of steps) result.push(e >= 0 ? s * 10 ** e : s / 10 ** -e)
  }
  return result.filter((v) => v >= low && v <= high)
}

/** Numbers with the decimals their steps need, and a true minus sign. */
function plainFormat(values: readonly number[]): (value: number) => string {
  const decimals = Math.max(0, ...values.map((v) => (String(Number(v.toPrecision(6))).split('.')[1] ?? '').length))
  const tiny = values.some((v) => v !== 0 && Math.abs(v) < 1e-3)
  const varied = values.length > 1 && Math.max(...values) >= 50 * Math.min(...values.filter((v) => v > 0))
  return (value) => {
    const text = tiny ? exponent(value) : varied ? String(Number(value.toPrecision(6))) : value.toFixed(decimals)
    return text.replace('-', '−')
  }
}

function exponent(value: number): string {
  if (value === 0) return '0'
  const e = Math.floor(Math.log10(Math.abs(value)) + 1e-9)
  const digits = [...String(e)].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)] ?? '⁻').join('')
  const lead = Number((value / 10 ** e).toPrecision(3))
  return lead === 1 ? `10${digits}` : `${lead}·10${digits}`
}
