import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'

type Values = Readonly<Record<string, unknown>>

/** Reads the keys of a configuration's section; every fault names the file and the key, and no key goes unread. */
export class ConfigReader {
  readonly #values: Values
  readonly #fallback: Values
  readonly #place: string
  readonly #path: string
  readonly #seen = new Set<string>()

  constructor(values: unknown, place: string, path: string, fallback: unknown = {}) {
    this.#place = place
    this.#path = path
    if (!isSection(values)) {
      const what = place === '' ? 'the configuration' : `'${place}'`
      throw new InputError(path, `${what} must hold keys with values; see \`halfdice study init\``)
    }
    this.#values = values
    this.#fallback = isSection(fallback) ? fallback : {}
  }

  /** The same section with other values for keys that are not written. Keys read so far stay read. */
  over(fallback: Values): ConfigReader {
    const reader = new ConfigReader(this.#values, this.#place, this.#path, fallback)
    for (const key of this.#seen) reader.#seen.add(key)
    return reader
  }

  section(key: string): ConfigReader {
    this.#seen.add(key)
    const own = this.#values[key] ?? {}
    const other = this.#fallback[key]
    // A preset's keys for its own data set do not apply to another kind of data set.
    const fits = !(isSection(own) && isSection(other)) || own.kind === undefined || own.kind === other.kind
    return new ConfigReader(own, this.#name(key), this.#path, fits ? other : {})
  }

  text(key: string, otherwise?: string): string {
    const value = this.#take(key, otherwise)
    if ((typeof value !== 'string' && typeof value !== 'number') || value === '')
      throw this.fault(key, 'must be a text')
    return String(value)
  }

  texts(key: string): string[] {
    const value = this.#take(key)
    const list = Array.isArray(value) ? value : [value]
    if (list.length === 0 || !list.every((item): item is string => typeof item === 'string' && item !== '')) {
      throw this.fault(key, 'must be a list of names')
    }
    if (new Set(list).size < list.length) throw this.fault(key, 'names something twice; name it once')
    return list
  }

  choice<T extends string>(key: string, choices: readonly T[], otherwise?: T): T {
    const value = String(this.#take(key, otherwise))
    const found = choices.find((choice) => choice === value)
    if (found === undefined) throw this.fault(key, `is '${value}'; choose one of ${choices.join(', ')}`)
    return found
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.#take(key, otherwise)
    if (typeof value !== 'boolean') throw this.fault(key, 'must be true or false')
    return value
  }

  whole(key: string, least: number, most: number, otherwise?: number): number {
    const value = this.#take(key, otherwise)
    if (!(typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)) {
      throw this.fault(key, `is ${JSON.stringify(value)}; give a whole number from ${least} to ${most}`)
    }
    return value
  }

  real(key: string, allowed: (x: number) => boolean, range: string, otherwise?: number): number {
    const value = this.#take(key, otherwise)
    if (!(typeof value === 'number' && Number.isFinite(value) && allowed(value))) {
      throw this.fault(key, `is ${JSON.stringify(value)}; give a number ${range}`)
    }
    return value
  }

  numbers(key: string, allowed: (x: number) => boolean): number[] {
    const value = this.#take(key)
    const list = Array.isArray(value) ? value : [value]
    if (list.length === 0 || !list.every((x): x is number => typeof x === 'number' && allowed(x))) {
      throw this.fault(key, `is ${JSON.stringify(value)}; give a list of suitable numbers`)
    }
    return list
  }

  /** Noise strengths: positive numbers, or one number an axis (0 leaves an axis alone). */
  lengths(key: string): Vec3[] {
    const value = this.#take(key)
    const list = Array.isArray(value) ? value : [value]
    const result = list.map((item): Vec3 => {
      const axes = Array.isArray(item) ? item : [item, item, item]
      const good = axes.length === 3 && axes.every((x) => typeof x === 'number' && x >= 0 && Number.isFinite(x))
      if (!good || !axes.some((x) => x > 0)) {
        throw this.fault(key, `${JSON.stringify(item)} is no length in mm; write 4, or one number an axis [4, 4, 0]`)
      }
      return [axes[0], axes[1], axes[2]]
    })
    if (result.length === 0) throw this.fault(key, 'is empty; give at least one strength in mm')
    if (new Set(result.map(String)).size < result.length) throw this.fault(key, 'names a strength twice')
    return result
  }

  /** Voxel spacing: one number, or one an axis with null for an axis that is kept. */
  spacing(key: string): (number | null)[] {
    const value = this.#take(key)
    const list = Array.isArray(value) ? value : [value, value, value]
    if (list.length !== 3 || !list.every((x) => x === null || (typeof x === 'number' && x > 0 && Number.isFinite(x)))) {
      throw this.fault(key, `is ${JSON.stringify(value)}; give one number of mm, or three`)
    }
    return list
  }

  numbersByName(key: string): Record<string, number> {
    const value = this.#take(key)
    if (
      !isSection(value) ||
      !Object.values(value).every((x) => Number.isInteger(x)) ||
      Object.keys(value).length === 0
    ) {
      throw this.fault(key, 'must give a whole number for each name (liver: 1)')
    }
    return value as Record<string, number>
  }

  /** Whether the key is written, whatever a preset has. */
  isWritten(key: string): boolean {
    return this.#values[key] !== undefined
  }

  optional<T>(key: string, read: (key: string) => T): T | undefined {
    this.#seen.add(key)
    return (this.#values[key] ?? this.#fallback[key]) === undefined ? undefined : read(key)
  }

  /** @throws InputError for keys that were never read: misspelt, or in the wrong place. */
  finish(): void {
    for (const key of Object.keys(this.#values)) {
      if (this.#seen.has(key)) continue
      throw this.fault(key, `is unknown here; known are ${[...this.#seen].sort().join(', ')}`)
    }
  }

  fault(key: string, what: string): InputError {
    return new InputError(this.#path, `'${this.#name(key)}' ${what}`)
  }

  #take(key: string, otherwise?: unknown): unknown {
    this.#seen.add(key)
    const value = this.#values[key] ?? this.#fallback[key] ?? otherwise
    if (value === undefined) throw this.fault(key, 'is missing; add it')
    return value
  }

  #name(key: string): string {
    return this.#place === '' ? key : `${this.#place}.${key}`
  }
}

function isSection(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
