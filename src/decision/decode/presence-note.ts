import type { PresenceReason } from './presence.ts'
import type { MapResult } from './result.ts'

const verdicts = {
  optimal: ['kept', '--presence likely leaves such classes out'],
  half: ['cut at 1/2', '--presence always cuts at t*'],
  empty: ['left empty', '--presence always writes its mask'],
} as const

const reasons: Readonly<Record<PresenceReason, string>> = {
  'no probability': 'it has no probability',
  'likely voxel': 'a voxel reaches 1/2',
  'no evidence against': 'nothing speaks against it, though no voxel reaches 1/2',
  'promises next to nothing': 'its t* promises next to nothing',
  haze: 'it is a haze over much of the image',
  'too little': 'it adds up to far less than one of its kind',
  'as asked': 'you asked for it',
}

/**
 * A sentence on a class that was left out or kept on little evidence, with the option for the other choice; else
 * undefined.
 */
export function presenceNote(name: string, { presence, largest, supDice }: MapResult): string | undefined {
  if (!presence?.doubtful) return undefined
  const [what, other] = verdicts[presence.mask]
  const numbers = `largest p ${largest.toPrecision(2)}, D* ${supDice.toFixed(3)}, t* ${(supDice / 2).toFixed(3)}`
  return `${name}: ${what}, since ${reasons[presence.reason]} (${numbers}); ${other}`
}
