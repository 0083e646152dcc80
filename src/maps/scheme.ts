import { InputError } from '../volume/errors.ts'
import type { CaseMaps } from './case-maps.ts'
import { type ClassScheme, type MapClass, parseClasses, readClasses } from './classes.ts'
import { datasetJsonFor, type FoundCase } from './find-cases.ts'

export interface SchemeOptions {
  /** How the masks are to be decoded; by default as `dataset.json` says, or arrays exclusively and images separately. */
  readonly decode?: ClassScheme['kind'] | undefined
  /** Class names, and labels, in the order of the maps (see `parseClasses`). */
  readonly classes?: string | undefined
  /** A `dataset.json`; by default the one beside arrays. */
  readonly datasetJson?: string | undefined
}

/**
 * What the maps of a case are, from the options, a `dataset.json`, the names of class files, or by convention: the first of
 * several exclusive maps is the background.
 *
 * @throws InputError where the number of classes does not fit the maps
 */
export function schemeFor(found: FoundCase, source: CaseMaps, options: SchemeOptions): ClassScheme {
  const { channels } = source
  const path = options.datasetJson ?? (found.kind === 'array' ? datasetJsonFor(found) : undefined)
  const json = options.classes === undefined && path !== undefined ? readClasses(path) : undefined
  const own = options.classes === undefined ? undefined : parseClasses(options.classes, '--classes')
  const fallback = found.kind === 'array' && channels > 1 ? 'exclusive' : 'separate'
  const kind = options.decode ?? json?.kind ?? fallback
  const maps = own ?? json?.maps ?? named(source) ?? numbered(channels, kind)
  if (maps.length !== channels) {
    const where = own ? '--classes' : path
    throw new InputError(
      source.input,
      `has ${channels} maps, ${where} names ${maps.length} classes; give the ${own ? 'names of all maps' : 'dataset.json of this model'}`,
    )
  }
  if (kind === 'exclusive' && maps.some((each) => (each?.labels.length ?? 1) > 1)) {
    throw new InputError(source.input, 'has regions of several labels, which overlap; use --decode regions or separate')
  }
  // On its own, a background is a class like any other.
  const all = kind === 'separate' ? maps.map((each) => each ?? { name: 'background', labels: [0] }) : maps
  const paint = kind === 'regions' ? json?.paint : undefined
  return { kind, maps: all, ...(paint && { paint }), ...(json?.ignore !== undefined && { ignore: json.ignore }) }
}

function named({ names }: CaseMaps): (MapClass | undefined)[] | undefined {
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
