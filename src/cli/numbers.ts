import { InputError } from '../volume/errors.ts'

/** Reads a whole number in [least, most] from the command line; throws InputError. */
export function wholeNumber(option: string, least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
      throw new InputError(option, `'${text}' is not a whole number ${range}; correct it`)
    }
    return value
  }
}

/** Reads a number for which `allowed` holds; `range` says in words which those are. */
export function realNumber(option: string, allowed: (x: number) => boolean, range: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(Number.isFinite(value) && allowed(value))) {
      throw new InputError(option, `'${text}' is not a number ${range}; correct it`)
    }
    return value
  }
}

/** Collects the numbers for which `allowed` holds of an option with several values, separated by spaces or commas. */
export function numberList(option: string, allowed: (x: number) => boolean, range: string) {
  const one = realNumber(option, allowed, range)
  return (text: string, before: readonly number[] | undefined): number[] => [
    ...(before ?? []),
    ...text.split(',').map(one),
  ]
}
