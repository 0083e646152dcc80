import { InputError } from '../volume/errors.ts'
import type { CaseMaps } from './case-maps.ts'
import { type ClassScheme, type MapClass, parseClasses, readClasses } from './classes.ts'

export interface SchemeOptions {
  /** How the masks are to be decoded; by default as `dataset.json` says, or by what the maps add up to. */
  readonly decode?: ClassScheme['kind'] | undefined
  /** Class names, and labels, in the order of the maps (see `parseClasses`). */
  readonly classes?: string | undefined
  /** A `dataset.json`; by default the one beside arrays. */
  readonly datasetJson?: string | undefined
  /** These classes only, by names or numbers (see `narrowed`); default: all. */
  readonly labels?: readonly string[] | undefined
}

/** The classes that a user or a `dataset.json` names, before it is known whether they fit. */
export interface NamedClasses {
  readonly maps: readonly (MapClass | undefined)[]
  readonly kind?: ClassScheme['kind']
  readonly paint?: readonly number[]
  readonly ignore?: number
  /** Who says so: an option or a file. */
  readonly where: string
}

/**
 * The classes from `--classes`, or else from a `dataset.json`.
 *
 * @param beside the `dataset.json` that lies beside the case
 */
export function namedClasses(options: SchemeOptions, beside: string | undefined): NamedClasses | undefined {
  const { classes, datasetJson = beside } = options
  if (classes !== undefined) return { maps: parseClasses(classes, '--classes'), where: '--classes' }
  if (datasetJson === undefined) return undefined
  return { ...readClasses(datasetJson), where: datasetJson }
}

/**
 * What the maps of a case are: by what the user and `dataset.json` say, the names of class files, or by convention: the
 * first of several exclusive maps is the background.
 *
 * @param kind how the maps are decoded
 * @throws InputError where the number of classes does not fit the maps, or their labels do not fit the kind
 */
export function schemeFor(source: CaseMaps, named: NamedClasses | undefined, kind: ClassScheme['kind']): ClassScheme {
  const { channels, regionsClassOrder } = source
  const maps = named?.maps ?? byFileName(source) ?? numbered(channels, kind)
  if (named && maps.length !== channels) {
    const remedy = named.where === '--classes' ? 'names of all maps' : 'dataset.json of this model'
    throw new InputError(
      source.input,
      `has ${channels} maps, ${named.where} names ${maps.length} classes; give the ${remedy}`,
    )
  }
  if (kind === 'exclusive' && maps.some((each) => (each?.labels.length ?? 1) > 1)) {
    throw new InputError(source.input, 'has regions of several labels, which overlap; use --decode regions or separate')
  }
  // On its own, a background is a class like any other.
  const all = kind === 'separate' ? maps.map((each) => each ?? { name: 'background', labels: [0] }) : maps
  const paint = named?.paint ?? (regionsClassOrder?.length === channels ? regionsClassOrder : undefined)
  return {
    kind,
    maps: all,
    ...(kind === 'regions' && paint && { paint }),
    ...(named?.ignore !== undefined && { ignore: named.ignore }),
  }
}

function byFileName({ names }: CaseMaps): (MapClass | undefined)[] | undefined {
  if (names === undefined) return undefined
  let label = 0
  return names.map((name) => (name === 'background' ? undefined : { name, labels: [++label] }))
}

function numbered(channels: number, kind: ClassScheme['kind']): (MapClass | undefined)[] {
  const first = kind === 'exclusive' && channels > 1 ? 0 : 1
  return Array.from({ length: channels }, (_, c) =>
    c + first === 0 ? undefined : { name: channels === 1 ? 'foreground' : `class ${c + first}`, labels: [c + first] },
  )
}
