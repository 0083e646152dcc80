/** Where the rule's numbers come from: docs/pipelines.md, "Is the class there at all?". */
const leastPromise = 0.1
const leastProbability = 0.15
const largestShareAlone = 0.5
const sizeRange = 4

/** Whether a class is to be taken as present: by its evidence, always, or only where a voxel reaches ½. */
export type PresenceRule = 'auto' | 'always' | 'likely'

/** What one map says about its class, for its own optimal set S = {m ≥ t*}. Volumes are in voxels. */
export interface PresenceEvidence {
  /** The largest probability. */
  readonly largest: number
  /** ‖m‖. */
  readonly total: number
  /** Σ m inside S, and its volume. */
  readonly sum: number
  readonly count: number
  /** Voxels of the image. */
  readonly voxels: number
  /** Whether this is the only map of a foreground: then the image was made for it. Default: false. */
  readonly alone?: boolean
  /** ‖m‖ of the smallest other case in which the class is clearly there, if there are such cases. */
  readonly smallestElsewhere?: number | undefined
}

/** Why a class is taken as present or absent. */
export type PresenceReason =
  /** ‖m‖ = 0. */
  | 'no probability'
  /** A voxel reaches ½. */
  | 'likely voxel'
  /** D* is below 0.1, or the largest probability below 0.15. */
  | 'promises next to nothing'
  /**
   * No voxel reaches ½, and the best mask would cover a larger share of the image than the largest probability (and,
   * for the only map of a foreground, than ½).
   */
  | 'haze'
  /** ‖m‖ is far below what the class has in other cases, or below one voxel. */
  | 'too little'
  /** Nothing speaks against it. */
  | 'no evidence against'
  /** The caller said so. */
  | 'as asked'

export interface Presence {
  /**
   * `optimal`: S is the mask. `half`: {m ≥ ½} is, since S would be a haze around it. `empty`: the class is left out.
   */
  readonly mask: 'optimal' | 'half' | 'empty'
  readonly reason: PresenceReason
  /** Whether a user should be told: the mask is empty although ‖m‖ > 0, or it is kept on little evidence. */
  readonly doubtful: boolean
}

/** Below this, a map is a network's way to say no: nobody needs to hear of it. */
const negligible = 0.005

/**
 * Whether to write a mask or to leave the class out.
 *
 * Against an empty label every mask but the empty one has Dice 0; the soft-Dice optimum (docs/theory.md, "Optimal
 * predictions") does not know that case and takes voxels in however small their probabilities are. One map does not
 * tell how probable it is that the class is there at all, q. So a class is taken as present unless something speaks
 * against it: D* below 0.1; no probability of 0.15; no voxel of ½ and a set S that covers a larger share of the image
 * than the largest probability (and, for the only map of a foreground, than ½); or a volume ‖m‖ = q·E[volume | present]
 * that is too small for q near 1. E[volume | present] is at least one voxel, and at least a quarter of the smallest
 * volume among other cases where the class is clearly there. With the q so found the mask is worth 2Σ_S m/(#S + ‖m‖/q),
 * the empty one 1 − q. Where the numbers come from: docs/pipelines.md, "Is the class there at all?".
 *
 * @param evidence sums of one map, volumes in voxels; `decodeProbabilities` makes them itself
 * @param rule `auto`: as above; `always`: present wherever ‖m‖ > 0; `likely`: only where a voxel reaches ½
 * @example
 * // An organ seen through noise as large as itself: no voxel reaches ½, and yet it is there.
 * presenceOf({ largest: 0.3, total: 900, sum: 400, count: 1800, voxels: 60_000 }, 'auto').mask // 'optimal'
 */
export function presenceOf(evidence: PresenceEvidence, rule: PresenceRule): Presence {
  const { largest, total, sum, count, voxels, alone } = evidence
  if (total === 0) return { mask: 'empty', reason: 'no probability', doubtful: false }
  const likely = largest >= 0.5
  if (rule === 'always') return { mask: 'optimal', reason: 'as asked', doubtful: false }
  const doubtful = largest >= negligible
  if ((2 * sum) / (count + total) < leastPromise || largest < leastProbability) {
    if (likely) return { mask: 'half', reason: 'promises next to nothing', doubtful: true }
    return { mask: 'empty', reason: 'promises next to nothing', doubtful }
  }
  if (likely) return { mask: 'optimal', reason: 'likely voxel', doubtful: false }
  if (rule === 'likely') return { mask: 'empty', reason: 'as asked', doubtful: false }
  if (count > Math.max(largest, alone ? largestShareAlone : 0) * voxels)
    return { mask: 'empty', reason: 'haze', doubtful }
  if (worth(evidence, presenceBound(evidence)) < 0) return { mask: 'empty', reason: 'too little', doubtful }
  return { mask: 'optimal', reason: 'no evidence against', doubtful: true }
}

/** Whether other cases could change the verdict: nothing in the map itself decides. */
export function needsOtherCases({ reason }: Presence): boolean {
  return reason === 'no evidence against'
}

/** The largest probability that the class is there at all which agrees with the volume found. */
function presenceBound({ largest, total, smallestElsewhere }: PresenceEvidence): number {
  const least = Math.max(1, (smallestElsewhere ?? 0) / sizeRange)
  return Math.max(largest, Math.min(1, total / least))
}

/** By how much the mask is worth more than the empty one if the class is there with probability q. */
function worth({ sum, count, total }: PresenceEvidence, q: number): number {
  return (2 * sum) / (count + total / q) - (1 - q)
}
