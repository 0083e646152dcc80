import { readFileSync } from 'node:fs'
import { inputFault } from '../formats/file-faults.ts'
import { InputError } from '../volume/errors.ts'

/** What one map stands for. */
export interface MapClass {
  readonly name: string
  /** The labels of a label map that make it up: one for a class, several for a region. */
  readonly labels: readonly number[]
}

/** What the maps of a case are, and what their masks become. */
export interface ClassScheme {
  /**
   * `exclusive`: classes that share no voxel (a softmax), one label map; `regions`: nested or overlapping sets of labels, one label
   * map; `separate`: masks on their own, one volume a map.
   */
  readonly kind: 'exclusive' | 'regions' | 'separate'
  /** One a map, in order; undefined for the background, whose map is passed over. */
  readonly maps: readonly (MapClass | undefined)[]
  /** For regions: the label that each map paints where it is the innermost, in order (nnU-Net's `regions_class_order`). */
  readonly paint?: readonly number[]
}

/**
 * The classes in a `dataset.json` of nnU-Net v2 (`{"liver": 1}`, regions `{"whole tumor": [1, 2, 3]}` with
 * `regions_class_order`) or v1 and the decathlon (`{"1": "liver"}`).
 *
 * @throws InputError where the file cannot be read or holds no labels
 */
export function readClasses(path: string): ClassScheme & { readonly fileEnding?: string } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw inputFault(error, path)
  }
  const json = parse(text, path)
  const labels = json.labels
  if (typeof labels !== 'object' || labels === null) throw new InputError(path, 'has no "labels"; give a dataset.json')
  const entries = Object.entries(labels).map(([key, value]) => classOf(key, value, path))
  const used = entries.filter(({ name }) => name !== 'ignore')
  const isBackground = ({ labels }: MapClass) => labels.length === 1 && labels[0] === 0
  const ending = typeof json.file_ending === 'string' ? { fileEnding: json.file_ending } : {}
  const order = json.regions_class_order
  if (used.some((each) => each.labels.length > 1)) {
    const maps = used.filter((each) => !isBackground(each))
    if (!isNumbers(order) || order.length !== maps.length) {
      throw new InputError(
        path,
        'has regions but no "regions_class_order" with a label for each; add it as nnU-Net asks',
      )
    }
    return { kind: 'regions', maps, paint: order, ...ending }
  }
  const maps = used.toSorted((a, b) => a.labels[0] - b.labels[0]).map((each) => (isBackground(each) ? undefined : each))
  return { kind: 'exclusive', maps, ...ending }
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json === 'object' && json !== null) return json as Record<string, unknown>
  } catch {}
  throw new InputError(path, 'is no JSON object; give the dataset.json of the model')
}

function classOf(key: string, value: unknown, path: string): MapClass {
  if (typeof value === 'string' && /^\d+$/.test(key)) return { name: value, labels: [Number(key)] }
  if (typeof value === 'number') return { name: key, labels: [value] }
  if (isNumbers(value) && value.length > 0) return { name: key, labels: value }
  throw new InputError(path, `its label '${key}' is neither a number nor a list of numbers; correct it`)
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isInteger(each) && each >= 0)
}

/**
 * Classes from the command line: names in the order of the maps, each with its label or labels where they are not the maps'
 * own numbers: `background,liver,tumour` or `anterior=1,posterior=2,whole=1+2`.
 *
 * @throws InputError where a name or label is missing
 */
export function parseClasses(text: string, option: string): readonly (MapClass | undefined)[] {
  const items = text.split(',').map((item) => item.trim())
  const first = items[0] === 'background' || items[0] === '0' ? 0 : 1
  return items.map((item, i) => {
    const [, name, labels] = /^([^=]+)(?:=(\d+(?:\+\d+)*))?$/.exec(item) ?? []
    if (name === undefined)
      throw new InputError(option, `'${item}' is no class; give NAME or NAME=LABEL or NAME=LABEL+LABEL`)
    const numbers = labels?.split('+').map(Number) ?? [i + first]
    return numbers.length === 1 && numbers[0] === 0 ? undefined : { name: name.trim(), labels: numbers }
  })
}
