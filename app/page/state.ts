// What the page shows, as far as it can be told without the data: it is kept in the address, so that a reload or a
// link opens the same view of the same files.

export const tabs = ['threshold', 'noise', 'annotators'] as const
export type Tab = (typeof tabs)[number]

export const consensusRules = ['majority', 'mean', 'staple', 'dice'] as const

const numbers = {
  class: [0, 0, 65_535],
  cut: [0, 0, 1],
  label: [0, 0, 65_535],
  sigma: [4, 0.1, 20],
  // Along the second and third axis; −1 is as along the first.
  sigmaJ: [-1, -1, 20],
  sigmaK: [-1, -1, 20],
  length: [16, 1, 60],
  presence: [1, 0.01, 1],
  bias: [0, -8, 8],
  biasSd: [0, 0, 5],
  count: [6, 0, 12],
  seed: [0, 0, 0xffffffff],
  i: [-1, -1, 1e6],
  j: [-1, -1, 1e6],
  k: [-1, -1, 1e6],
  zoom: [1, 1, 12],
} as const

export type NumberName = keyof typeof numbers
/** `cut` 0 stands for t*. */
export type State = Record<NumberName, number> & {
  tab: Tab
  rule: (typeof consensusRules)[number]
  hidden: string
}

export function limits(name: NumberName): { readonly min: number; readonly max: number } {
  const [, min, max] = numbers[name]
  return { min, max }
}

export function readState(hash: string): State {
  const given = new URLSearchParams(hash.replace(/^#/, ''))
  const entries = Object.entries(numbers).map(([name, [usual, min, max]]) => {
    const value = Number(given.get(name) ?? usual)
    return [name, Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : usual]
  })
  const oneOf = <T extends string>(name: string, allowed: readonly T[]) =>
    allowed.find((each) => each === given.get(name)) ?? allowed[0]
  return {
    ...(Object.fromEntries(entries) as Record<NumberName, number>),
    tab: oneOf('tab', tabs),
    rule: oneOf('rule', consensusRules),
    hidden: given.get('hidden') ?? '',
  }
}

/** Only what differs from the defaults. */
export function writeState(state: State): string {
  const given = new URLSearchParams()
  if (state.tab !== tabs[0]) given.set('tab', state.tab)
  if (state.rule !== consensusRules[0]) given.set('rule', state.rule)
  if (state.hidden !== '') given.set('hidden', state.hidden)
  for (const [name, [usual]] of Object.entries(numbers)) {
    const value = state[name as NumberName]
    if (value !== usual) given.set(name, String(Number(value.toPrecision(6))))
  }
  const text = given.toString()
  return text === '' ? '' : `#${text}`
}
