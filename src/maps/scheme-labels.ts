import type { MaskLabels } from '../datasets/mask-labels.ts'
import type { ClassScheme, MapClass } from './classes.ts'

/**
 * What the labels of a scheme's masks are called; undefined where they have no names beyond their numbers, and for
 * several separate masks, which are no label map.
 */
export function schemeLabels({
  kind,
  maps,
  paint,
  ignore,
}: Pick<ClassScheme, 'kind' | 'maps'> & Partial<ClassScheme>): MaskLabels | undefined {
  const classes = maps.flatMap((each) => each ?? [])
  if (classes.every(({ name, labels }) => isNumberOf(name, labels[0]))) return undefined
  // A single mask on its own holds 0 and 1.
  if (kind === 'separate') return maps.length === 1 ? { classes: [{ name: classes[0].name, labels: [1] }] } : undefined
  const isRegions = classes.some(({ labels }) => labels.length > 1)
  return { classes, ...(isRegions && { regionsClassOrder: paint ?? orderOf(classes) }), ignore }
}

/** The names of single labels, as an image holds them. */
export function namesOfLabels(labels: MaskLabels | undefined): ReadonlyMap<number, string> {
  const classes = labels?.classes ?? []
  const named = classes.filter(({ name, labels }) => labels.length === 1 && !isNumberOf(name, labels[0]))
  return new Map(named.map(({ name, labels }) => [labels[0], name]))
}

/** Whether a class has its label's number or what stands for it in place of a name. */
export function isNumberOf(name: string, label: number): boolean {
  return [String(label), `class ${label}`, 'foreground'].includes(name)
}

/** An order in which regions can be painted one over the other: each has a label that no later one holds. */
function orderOf(regions: readonly MapClass[]): readonly number[] | undefined {
  const order = regions.map(({ labels }, i) =>
    labels.find((label) => !regions.slice(i + 1).some((later) => later.labels.includes(label))),
  )
  return order.every((label) => label !== undefined) ? order : undefined
}
