import type { MaskLabels } from '../datasets/mask-labels.ts'
import { outcomeOf } from '../datasets/over-cases.ts'
import type { Metric } from '../decision/decode/options.ts'
import { needsOtherCases, type PresenceRule } from '../decision/decode/presence.ts'
import { isOutOfMemory, outOfMemory } from '../formats/memory.ts'
import { requireImages, segmentNote } from '../formats/segment-files.ts'
import { CutTable } from '../metrics/cut-table.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { ClassScheme } from './classes.ts'
import { decodeCase } from './decode.ts'
import type { FoundCase } from './find-cases.ts'
import { type OpenedCase, type OpenOptions, openCase } from './open-case.ts'
import { readReference } from './reference.ts'
import { type CaseRows, caseRows } from './review.ts'
import { schemeLabels } from './scheme-labels.ts'
import { type CaseResult, caseResult } from './threshold-result.ts'
import type { Tuned } from './tune/tuned.ts'
import { tunedDecoding } from './tune/tuned-decoding.ts'
import { maskVolume, writeMask } from './write-mask.ts'

/** How masks are cut from the maps of one or several cases. */
export interface ThresholdSettings {
  /** A threshold of its own for each case, or one for all of them pooled. */
  readonly scope: 'case' | 'dataset'
  readonly metric: Metric
  /** Cut here instead. */
  readonly at?: number | undefined
  readonly presence: PresenceRule
  /** Cut each class as it was tuned on other cases; then neither scope nor metric are asked. */
  readonly tuned?: Tuned | undefined
}

/** A case, and where its mask goes. */
export interface ThresholdCase {
  readonly found: FoundCase
  readonly opening: OpenOptions
  readonly output: string
  /** The label map that its masks are compared with. */
  readonly reference?: string | undefined
}

/** A case to cut: plain data, which a process can be handed. */
export interface ThresholdJob extends ThresholdCase {
  readonly settings: Omit<ThresholdSettings, 'scope'>
  /** Thresholds of all cases pooled, one a map. */
  readonly pooled: readonly (number | undefined)[] | undefined
  /** ‖m‖ in mm³ of each class in the smallest case where it is clearly there; undefined while cases are not known. */
  readonly sizes: ReadonlyMap<string, number> | undefined
  /** Whether it is looked at more closely than its mask needs. */
  readonly review: boolean
}

/** How a map was cut, for a picture. */
export interface MapChange {
  readonly class: string
  /** On the map as it was given. */
  readonly threshold: number
  /** How much the map's own mask changed from the cut at ½, 0 … 1. */
  readonly change: number
}

/** A case whose mask is written. */
export interface CutCase extends CaseRows {
  readonly result: CaseResult
  readonly warnings: readonly string[]
  /** How the reference was read, where that may surprise. */
  readonly note: string | undefined
  readonly changes: readonly MapChange[]
  /** What the mask's labels are called. */
  readonly labels: MaskLabels | undefined
}

/** What came of a job. */
export interface CutOutcome {
  /** ‖m‖ in mm³ of the classes that are clearly there. */
  readonly sizes: readonly (readonly [name: string, mm3: number])[]
  /** Undefined where the mask waits for the other cases, or memory ran out. */
  readonly done?: CutCase
  readonly outOfMemory?: string
}

/** What a process runs, and the module where it finds it. */
export const thresholdWork = {
  module: new URL('./threshold-job.js', import.meta.url),
  run: (job: ThresholdJob) => outcomeOf(() => cutOrRunOut(job)),
}
export const { run } = thresholdWork

async function cutOrRunOut(job: ThresholdJob): Promise<CutOutcome> {
  try {
    return await cut(job)
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    return { sizes: [], outOfMemory: outOfMemory(job.found.input).message }
  }
}

async function cut(job: ThresholdJob): Promise<CutOutcome> {
  const { settings, pooled, sizes, review, output } = job
  const { metric, at, presence, tuned } = settings
  const { source, scheme } = await openCase(job.found, job.opening)
  await requireImages(output, source.header)
  const look = review ? await lookAt({ source, scheme }, job.reference) : undefined
  const voxelMm3 = voxelVolumeMm3(source.grid)
  const { decoded, warnings } = await decodeCase(source, scheme, {
    ...(tuned
      ? tunedDecoding(tuned, { source, scheme })
      : {
          metric,
          at: at ?? (metric === 'accuracy' ? undefined : pooled),
          smallestElsewhere: sizes && smallest(scheme, sizes, voxelMm3),
        }),
    presence,
    flatness: review,
    inspect: look?.inspect,
  })
  const own = decoded.maps.flatMap((result, i): [string, number][] => {
    const name = scheme.maps[i]?.name
    if (name === undefined || result?.presence?.reason !== 'likely voxel') return []
    return [[name, result.probabilityVolume * voxelMm3]]
  })
  const waits = sizes === undefined && !tuned
  if (waits && decoded.maps.some((map) => map?.presence && needsOtherCases(map.presence))) return { sizes: own }
  await writeMask(output, source, decoded, scheme)
  const labelMap = scheme.kind === 'exclusive' ? maskVolume(source, decoded, scheme) : undefined
  const note = labelMap && (await segmentNote(output, labelMap))
  const done: CutCase = {
    result: caseResult(source, scheme, decoded, output),
    warnings: [...source.warnings, ...warnings, ...(note === undefined ? [] : [note])],
    note: look?.note,
    changes: look?.changes ?? [],
    labels: schemeLabels(scheme),
    ...caseRows({ source, scheme, decoded, reference: look?.reference, tables: look?.tables ?? [] }),
  }
  return { sizes: own, done }
}

/** For each map of a case, the size of its class elsewhere, in voxels of the case. */
function smallest({ maps }: ClassScheme, sizes: ReadonlyMap<string, number>, voxelMm3: number): (number | undefined)[] {
  return maps.map((each) => {
    const size = each && sizes.get(each.name)
    return size === undefined ? undefined : size / voxelMm3
  })
}

/** Reads the reference of a case, and looks on while its maps are decoded. */
async function lookAt({ source, scheme }: OpenedCase, path: string | undefined) {
  const read = path === undefined ? undefined : await readReference(path, source, scheme)
  const reference = read?.values
  const tables: CutTable[] = []
  const changes: MapChange[] = []
  return {
    reference,
    note: read?.note === undefined ? undefined : `${path}: ${read.note}`,
    tables,
    changes,
    inspect(
      index: number,
      map: Float32Array,
      {
        threshold,
        volume,
        volumeHalf,
      }: { readonly threshold: number; readonly volume: number; readonly volumeHalf: number },
    ) {
      const own = scheme.maps[index]
      if (!own) return
      if (reference) {
        tables[index] = new CutTable()
        tables[index].add(map, reference, (label) => own.labels.includes(label))
      }
      const change = volume + volumeHalf === 0 ? 0 : 1 - (2 * Math.min(volume, volumeHalf)) / (volume + volumeHalf)
      changes.push({ class: own.name, threshold, change })
    },
  }
}
