import { warn } from './print.ts'

/** Warnings about cases: what holds for many is told of the first, and at the end of how many others it holds. */
export class CaseWarnings {
  readonly #cases = new Map<string, number>()

  add(input: string, warnings: readonly string[]): void {
    for (const warning of warnings) {
      const before = this.#cases.get(warning) ?? 0
      if (before === 0) warn(`${input}: ${warning}`)
      this.#cases.set(warning, before + 1)
    }
  }

  finish(): void {
    for (const [warning, cases] of this.#cases) {
      if (cases > 1) warn(`${cases === 2 ? 'one other case' : `${cases - 1} other cases`}: ${warning}`)
    }
  }
}
