import { readDatasetJson } from '../datasets/dataset-json.ts'
import { InputError } from '../volume/errors.ts'
import { checkLabelSets, type LabelSet, parseLabelNumber } from '../volume/label-numbers.ts'

/** What one map stands for: one label of a label map for a class, several for a region. */
export type MapClass = LabelSet

/** What the maps of a case are, and what their masks become. */
export interface ClassScheme {
  /**
   * `exclusive`: classes that share no voxel (a softmax), one label map; `regions`: nested or overlapping sets of
   * labels, one label map; `separate`: masks on their own, one volume a map.
   */
  readonly kind: 'exclusive' | 'regions' | 'separate'
  /** One a map, in order; undefined for the background, whose map is passed over. */
  readonly maps: readonly (MapClass | undefined)[]
  /**
   * For regions: the label that each map paints where it is the innermost, in order (nnU-Net's `regions_class_order`).
   */
  readonly paint?: readonly number[]
  /** The label of a reference's voxels that nobody has annotated. */
  readonly ignore?: number
  /** Classes of the case that nobody asked for, where some only were asked for: they count as background. */
  readonly leftOut?: readonly MapClass[]
}

/**
 * The classes that a `dataset.json` names, in the order of nnU-Net's maps: classes by label, the background first;
 * regions in the order of the file, without the background.
 *
 * @throws InputError where the file cannot be read or its labels are none
 * @example
 * readClasses('dataset.json').maps // [undefined, { name: 'liver', labels: [1] }]
 */
export function readClasses(path: string): ClassScheme & { readonly fileEnding?: string } {
  const { labels, hasBackground, hasRegions, regionsClassOrder, fileEnding, ignore } = readDatasetJson(path)
  const rest = { ...(fileEnding !== undefined && { fileEnding }), ...(ignore !== undefined && { ignore }) }
  const classes = [...labels].map(([name, labels]): MapClass => ({ name, labels }))
  if (hasRegions) return { kind: 'regions', maps: classes, paint: regionsClassOrder ?? [], ...rest }
  const inOrder = classes.toSorted((a, b) => a.labels[0] - b.labels[0])
  return { kind: 'exclusive', maps: hasBackground ? [undefined, ...inOrder] : inOrder, ...rest }
}

/**
 * Classes from the command line: names in the order of the maps, each with its label or labels where they are not the
 * maps' own numbers: `background,liver,tumour` or `anterior=1,posterior=2,whole=1+2`.
 *
 * @throws InputError where a name is missing, or labels are not distinct whole numbers from 0 to 65,535
 */
export function parseClasses(text: string, option: string): readonly (MapClass | undefined)[] {
  const items = text.split(',').map((item) => item.trim())
  const first = items[0] === 'background' || items[0] === '0' ? 0 : 1
  const classes = items.map((item, i): MapClass => {
    const [, name, numbers] = /^([^=]+)(?:=(.+))?$/.exec(item) ?? []
    if (name === undefined) {
      throw new InputError(option, `'${item}' is no class; give NAME or NAME=LABEL or NAME=LABEL+LABEL`)
    }
    const what = `the label of '${name.trim()}'`
    const labels = numbers?.split('+').map((label) => parseLabelNumber(label.trim(), option, what)) ?? [
      name.trim() === 'background' ? 0 : i + first,
    ]
    return { name: name.trim(), labels }
  })
  checkLabelSets(classes, option)
  return classes.map((each) => (each.labels.length === 1 && each.labels[0] === 0 ? undefined : each))
}
