import { caseName } from '../../src/datasets/image-names.ts'
import { presenceNote } from '../../src/decision/decode/presence-note.ts'
import { softDiceCurve } from '../../src/decision/dice-curve.ts'
import { thresholdMask } from '../../src/decision/mask.ts'
import { softDiceOptimum } from '../../src/decision/soft-dice.ts'
import { encodeNpy } from '../../src/formats/npy.ts'
import { decodeCase } from '../../src/maps/decode.ts'
import { volumeMaps } from '../../src/maps/image-maps.ts'
import { type OpenedCase, openCase, withScheme } from '../../src/maps/open-case.ts'
import { readMaps } from '../../src/maps/read-maps.ts'
import { namedClasses } from '../../src/maps/scheme.ts'
import { maskArray, maskVolume, segmentVolume } from '../../src/maps/write-mask.ts'
import { calibration } from '../../src/metrics/calibration.ts'
import { CutTable, diceAtCuts, tableCuts } from '../../src/metrics/cut-table.ts'
import { inside } from '../../src/metrics/evaluate-case.ts'
import { dice } from '../../src/metrics/overlap.ts'
import { InputError } from '../../src/volume/errors.ts'
import { gridDifference } from '../../src/volume/grid.ts'
import { labelMapOf } from '../../src/volume/labels.ts'
import { onGrid } from '../../src/volume/one-grid.ts'
import type { ClassMap, ClassVerdict, DiceCurve, Download, Maps, Realised, Sight } from '../protocol.ts'
import { niftiFile } from './download.ts'
import { isArray } from './items.ts'
import { Moved } from './rpc.ts'
import { sightOf } from './sight.ts'
import { datasetJson, itemAt, volumeAt } from './store.ts'

/** The item whose maps are open, and the class that was read last. */
let open: { readonly id: number; readonly scale: number | undefined; readonly opened: OpenedCase } | undefined
let current: { readonly id: number; readonly index: number; readonly map: Float32Array } | undefined

export interface MapsOf {
  readonly id: number
  /** What stands for probability 1; default 1. */
  readonly scale?: number
}

/** What the maps of an item are. */
export async function openMaps(of: MapsOf): Promise<Maps> {
  const { source, scheme } = await openedCase(of)
  const classes = scheme.maps.flatMap((each, index) => (each ? [{ index, ...each }] : []))
  return { kind: scheme.kind, classes, warnings: source.warnings, hasGeometry: source.hasGeometry }
}

async function openedCase({ id, scale }: MapsOf): Promise<OpenedCase> {
  if (open?.id === id && open.scale === scale) return open.opened
  const { volume, name, path } = itemAt(id)
  const options = { scale, datasetJson: datasetJson() }
  const found = { input: path, name: caseName(path), kind: isArray(path) ? 'array' : 'image' } as const
  const opened = volume
    ? await withNames(volumeMaps(name, volume, options), options)
    : await openCase(found, { ...options, geometryOptional: true })
  open = { id, scale, opened }
  current = undefined
  return opened
}

/** A dataset.json of other maps than these is no reason to refuse them. */
async function withNames(source: OpenedCase['source'], options: { readonly datasetJson: string | undefined }) {
  const named = namedClasses(options, undefined)
  const fits = named?.maps.length === source.channels
  return withScheme(source, fits ? named : undefined, {}, 'image')
}

async function mapOf(of: MapsOf, index: number): Promise<Float32Array> {
  const { source, scheme } = await openedCase(of)
  if (current?.id === of.id && current.index === index) return current.map
  current = undefined
  let at = 0
  for await (const map of readMaps(source, scheme)) {
    if (at++ < index) continue
    // The reader lends its array until it is asked for the next map: it is asked for none.
    current = { id: of.id, index, map }
    return map
  }
  throw new InputError(source.input, `has no map ${index + 1}`)
}

/** A class's probabilities and where to cut them. */
export async function classMap({ index, ...of }: MapsOf & { readonly index: number }): Promise<Moved<ClassMap>> {
  const map = await mapOf(of, index)
  const start = performance.now()
  const optimum = softDiceOptimum(map)
  const ms = performance.now() - start
  const copy = map.slice()
  return new Moved({ map: copy, optimum, ms }, [copy.buffer])
}

/** Thresholds of the curve: a thousandth apart, which is finer than a slider's pixels. */
const curveSteps = 1000

/** Soft Dice and volume at each threshold of the slider. */
export async function curve({ index, ...of }: MapsOf & { readonly index: number }): Promise<DiceCurve> {
  const map = await mapOf(of, index)
  return softDiceCurve(
    map,
    Float64Array.from({ length: curveSteps }, (_, i) => (i + 1) / curveSteps),
  )
}

/** What the command line would decide for each class. */
export async function verdicts(of: MapsOf): Promise<{ rows: ClassVerdict[]; warnings: readonly string[] }> {
  const { source, scheme } = await openedCase(of)
  const { decoded, warnings } = await decodeCase(source, scheme, {})
  const rows = decoded.maps.flatMap((result, index) => {
    if (!result) return []
    const { supDice, diceAtHalf, volume, volumeHalf, present } = result
    const note = presenceNote(scheme.maps[index]?.name ?? `map ${index}`, result)
    return [{ index, supDice, diceAtHalf, volume, volumeHalf, present, ...(note !== undefined && { note }) }]
  })
  return { rows, warnings }
}

export interface MaskOf extends MapsOf {
  /** Where to cut: one threshold for all classes, or each at its own t*. */
  readonly at?: number
  /** What it becomes; default NIfTI. */
  readonly ending?: '.dcm' | '.seg.nrrd'
  /** The DICOM images that a segmentation refers to, where the maps are none. */
  readonly like?: number
}

/** The mask that `halfdice threshold` writes, as a file. */
export async function mask({ at, ending, like, ...of }: MaskOf): Promise<Download> {
  const { source, scheme } = await openedCase(of)
  const { decoded } = await decodeCase(source, scheme, at === undefined ? {} : { at })
  const stem = `${source.name}_mask`
  if (!source.hasGeometry) {
    return { name: `${stem}.npy`, blob: new Blob([encodeNpy(maskArray(source, decoded)) as Uint8Array<ArrayBuffer>]) }
  }
  if (!ending) return niftiFile(stem, maskVolume(source, decoded, scheme))
  const { header = source.header } = like === undefined ? {} : volumeAt(like)
  const { segmentFile } = await import('./segment-file.ts')
  return segmentFile(stem, ending, segmentVolume({ ...source, header }, decoded, scheme))
}

export interface Against extends MapsOf {
  readonly index: number
  /** The reference's item, and the labels that are the class in it. */
  readonly reference: number
  readonly labels: readonly number[]
}

/** How the class compares with a reference. */
export async function realised(against: Against): Promise<Realised> {
  const map = await mapOf(against, against.index)
  const truth = await truthOf(against)
  const { threshold } = softDiceOptimum(map)
  const table = new CutTable()
  table.add(map, truth, (label) => label === 1)
  return {
    voxels: truth.reduce((sum: number, one) => sum + one, 0),
    atHalf: dice(thresholdMask(map, 0.5), truth),
    atOptimum: dice(thresholdMask(map, threshold), truth),
    thresholds: tableCuts,
    dice: diceAtCuts(table),
    calibration: calibration(map, truth, 10),
  }
}

/** The Dice against the reference of the mask at a threshold. */
export async function realisedAt({ threshold, ...against }: Against & { readonly threshold: number }): Promise<number> {
  return dice(thresholdMask(await mapOf(against, against.index), threshold), await truthOf(against))
}

let truth: { readonly key: string; readonly mask: Int8Array } | undefined

async function truthOf({ id, reference, labels }: Against): Promise<Int8Array> {
  const key = `${id} ${reference} ${labels.join()}`
  if (truth?.key === key) return truth.mask
  const { grid, name } = itemAt(id)
  const other = itemAt(reference)
  if (!other.volume) throw new InputError(other.name, 'is an array without geometry; give a label map')
  const volume = onGrid(other.volume, grid)
  const difference = gridDifference(grid, volume.grid)
  if (difference !== undefined) {
    throw new InputError(other.name, `lies on another grid than ${name} (${difference}); resample it`)
  }
  truth = { key, mask: inside(labelMapOf(volume, other.name).values, labels) }
  return truth.mask
}

interface CutOf extends MapsOf {
  readonly index: number
  readonly threshold: number
}

/** Where to look at the mask at a threshold. */
export async function sight({ index, threshold, ...of }: CutOf): Promise<Sight> {
  const map = await mapOf(of, index)
  return sightOf(itemAt(of.id).grid, thresholdMask(map, threshold), 1)
}

/** The label of a reference that the mask at a threshold meets most often; the first where it meets none. */
export async function likeliestLabel({ reference, ...cut }: CutOf & { readonly reference: number }): Promise<number> {
  const map = await mapOf(cut, cut.index)
  const { values, labels } = labelMapOf(volumeAt(reference), itemAt(reference).name)
  const met = new Map(labels.filter((label) => label !== 0).map((label) => [label, 0]))
  for (let i = 0; i < map.length; i++) {
    if (map[i] >= cut.threshold && values[i] !== 0) met.set(values[i], (met.get(values[i]) ?? 0) + 1)
  }
  return [...met].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}
