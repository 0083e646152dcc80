import type { DecodedCase, OwnCut } from '../decision/decode/case-decoder.ts'
import { needsOtherCases, type PresenceRule } from '../decision/decode/presence.ts'
import type { SoftDiceOptimum } from '../decision/soft-dice.ts'
import { isOutOfMemory, outOfMemory } from '../formats/memory.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { ClassScheme } from './classes.ts'
import { decodeCase } from './decode.ts'
import type { OpenedCase } from './open-case.ts'
import { poolCases } from './pool.ts'
import { type CaseResult, caseResult } from './threshold-result.ts'
import { rulesFor, type Tuned } from './tune/tuned.ts'
import { tunedDecoding } from './tune/tuned-decoding.ts'
import { writeMask } from './write-mask.ts'

/** How masks are cut from the maps of one or several cases. */
export interface ThresholdSettings {
  /** A threshold of its own for each case, or one for all of them pooled. */
  readonly scope: 'case' | 'dataset'
  readonly metric: 'dice' | 'iou' | 'accuracy'
  /** Cut here instead. */
  readonly at?: number | undefined
  readonly presence: PresenceRule
  /** Cut each class as it was tuned on other cases; then neither scope nor metric are asked. */
  readonly tuned?: Tuned | undefined
}

/** A case, and where its mask goes. */
export interface ThresholdCase {
  readonly input: string
  readonly output: string
  /** Throws InputError where the case cannot be done. */
  open(): Promise<OpenedCase>
}

/** Looks on while one case is decoded. */
export interface CaseReview {
  /** Something that the user should know before the case is decoded. */
  readonly note: string | undefined
  inspect(index: number, map: Float32Array, cut: OwnCut): void
  end(decoded: DecodedCase): void
}

/** What happens beside the masks. */
export interface ThresholdWatch {
  /** After each case, and for pooled thresholds after each case of each pass. */
  readonly onCase?: () => void
  readonly onWarnings?: (input: string, warnings: readonly string[]) => void
  /** Before a case is decoded; it may be called again for a case that had to wait for the others. */
  readonly review?: ((opened: OpenedCase) => Promise<CaseReview>) | undefined
}

export interface ThresholdRun {
  /** Of the cases that were done, in the order given. */
  readonly results: readonly CaseResult[]
  /** For pooled thresholds the optimum of each class; undefined for the background. */
  readonly pooled: readonly (SoftDiceOptimum | undefined)[] | undefined
  readonly failures: readonly { readonly input: string; readonly error: Error }[]
}

/**
 * Cuts masks from the maps of all cases and writes them: what `halfdice threshold` does. A case that cannot be done
 * does not cost the others. Where nothing in a case decides whether a class is there, its mask waits until the other
 * cases are known; so the result does not depend on their order, and files are read twice only then.
 *
 * @throws the error of the only case, or of any case where thresholds are pooled
 */
export async function thresholdCases(
  cases: readonly ThresholdCase[],
  settings: ThresholdSettings,
  watch: ThresholdWatch = {},
): Promise<ThresholdRun> {
  // Before any mask is written: other classes would be the fault of every case.
  if (settings.tuned && cases.length > 1) await checkTuned(cases, settings.tuned)
  const pooled = settings.scope === 'dataset' ? await poolCases(await openAll(cases), watch.onCase) : undefined
  const results: (CaseResult | undefined)[] = []
  const failures: { readonly input: string; readonly error: Error }[] = []
  const sizes = new ClassSizes()
  const waiting: number[] = []
  const attempt = async (i: number, isLast: boolean) => {
    try {
      const done = await cut(cases[i], settings, watch, pooled, sizes, isLast)
      if (done) results[i] = done
      else waiting.push(i)
    } catch (error) {
      const own = isOutOfMemory(error) ? outOfMemory(cases[i].input) : error
      if (!(own instanceof InputError || own instanceof RunError) || cases.length === 1 || pooled) throw own
      failures.push({ input: cases[i].input, error: own })
    }
    if (isLast || !waiting.includes(i)) watch.onCase?.()
  }
  for (const i of cases.keys()) await attempt(i, cases.length === 1)
  for (const i of [...waiting]) await attempt(i, true)
  return { results: results.filter((result) => result !== undefined), pooled, failures }
}

/** Throws where the first case that can be opened has other classes than those that were tuned. */
async function checkTuned(cases: readonly ThresholdCase[], tuned: Tuned): Promise<void> {
  for (const each of cases) {
    const opened = await each.open().catch((error) => {
      if (error instanceof InputError) return undefined
      throw error
    })
    if (opened === undefined) continue
    rulesFor(tuned, opened.scheme, opened.source.input)
    return
  }
}

async function openAll(cases: readonly ThresholdCase[]): Promise<OpenedCase[]> {
  const opened: OpenedCase[] = []
  for (const each of cases) opened.push(await each.open())
  return opened
}

/** Decodes and writes one case; undefined where it has to wait for the others, unless `isLast`. */
async function cut(
  each: ThresholdCase,
  { metric, at, presence, tuned }: ThresholdSettings,
  { onWarnings, review }: ThresholdWatch,
  pooled: ThresholdRun['pooled'],
  sizes: ClassSizes,
  isLast: boolean,
): Promise<CaseResult | undefined> {
  const { source, scheme } = await each.open()
  const reviewed = await review?.({ source, scheme })
  const voxelMm3 = voxelVolumeMm3(source.grid)
  const { decoded, warnings } = await decodeCase(source, scheme, {
    ...(tuned
      ? tunedDecoding(tuned, { source, scheme })
      : {
          metric,
          at: at ?? (metric === 'accuracy' ? undefined : pooled?.map((optimum) => optimum?.threshold)),
          smallestElsewhere: isLast ? sizes.smallest(scheme, voxelMm3) : undefined,
        }),
    presence,
    flatness: review !== undefined,
    inspect: reviewed?.inspect,
  })
  sizes.add(scheme, decoded, voxelMm3)
  if (!isLast && !tuned && decoded.maps.some((map) => map?.presence && needsOtherCases(map.presence))) return undefined
  onWarnings?.(source.input, [...source.warnings, ...(reviewed?.note ? [reviewed.note] : []), ...warnings])
  await writeMask(each.output, source, decoded)
  reviewed?.end(decoded)
  return caseResult(source, scheme, decoded, each.output)
}

/** How small each class is in the cases where it is clearly there: ‖m‖ in mm³. */
class ClassSizes {
  readonly #smallest = new Map<string, number>()

  add({ maps }: ClassScheme, decoded: DecodedCase, voxelMm3: number): void {
    for (const [i, result] of decoded.maps.entries()) {
      const name = maps[i]?.name
      if (name === undefined || result?.presence?.reason !== 'likely voxel') continue
      const size = result.probabilityVolume * voxelMm3
      this.#smallest.set(name, Math.min(size, this.#smallest.get(name) ?? size))
    }
  }

  /** For each map of a case, the size of its class elsewhere, in voxels of the case. */
  smallest({ maps }: ClassScheme, voxelMm3: number): (number | undefined)[] {
    return maps.map((each) => {
      const size = each && this.#smallest.get(each.name)
      return size === undefined ? undefined : size / voxelMm3
    })
  }
}
