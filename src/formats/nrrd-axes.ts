import { type Grid, gridFault, gridOfAffine, type Vec3 } from '../volume/grid.ts'
import { quoted } from './legible.ts'
import { millimetresIn } from './length-units.ts'
import type { NrrdHeader } from './nrrd-header.ts'
import { headerNumber } from './text-head.ts'

/** How an NRRD file's axes lie in space and in memory. */
export interface NrrdAxes {
  readonly grid: Grid
  readonly channels: number
  /** Elements in the axes that run faster than the channels. */
  readonly inner: number
}

interface Axis {
  readonly size: number
  readonly role: 'space' | 'channels'
  /** The step from one sample to the next, in the header's space and units; absent where there is no space. */
  readonly step?: readonly number[]
  /** The same where there is no space. */
  readonly spacing: number
}

/** The signs that turn a space's coordinates into RAS+. With `-time` (`t` in the short form) a fourth one is time. */
const spaces: ReadonlyMap<string, Vec3> = new Map([
  ['right-anterior-superior', [1, 1, 1]],
  ['ras', [1, 1, 1]],
  ['left-anterior-superior', [-1, 1, 1]],
  ['las', [-1, 1, 1]],
  ['left-posterior-superior', [-1, -1, 1]],
  ['lps', [-1, -1, 1]],
])
const timePattern = /(-time|(?<=^...)t)$/

const channelKinds = new Set([
  ...['list', 'point', 'vector', 'covariant-vector', 'normal', 'scalar', 'stub', 'time'],
  ...['2-vector', '3-vector', '4-vector', '3-gradient', '3-normal'],
])
const spaceKinds = new Set(['domain', 'space', '', '?', '???', 'none'])

type Refuse = (fault: string) => never

/**
 * Interprets sizes, kinds, directions, spacings, origin and units; `refuse` gets the fault where they make no sense.
 */
export function nrrdAxes({ fields }: NrrdHeader, refuse: Refuse): NrrdAxes {
  const sizes = sizesOf(fields, refuse)
  const kinds = (perAxis(fields.get('kinds'), sizes.length, 'kinds', refuse) ?? []).map((kind) => kind.toLowerCase())
  for (const kind of kinds) {
    if (!channelKinds.has(kind) && !spaceKinds.has(kind)) {
      refuse(`has an axis of kind ${quoted(kind)}; halfdice reads real numbers on a grid: convert it`)
    }
  }
  for (const field of ['axismins', 'axismaxs'] as const) {
    const numbers = (fields.get(field) ?? '').split(/\s+/).map(headerNumber)
    if (numbers.some(Number.isFinite))
      refuse(`gives its place as ${field.replace('axis', 'axis ')}; write a space origin`)
  }
  const space = fields.has('spacedirections') ? spaceOf(fields, refuse) : undefined
  const axes = space ? placedAxes(fields, sizes, kinds, space, refuse) : bareAxes(fields, sizes, kinds, refuse)
  const spatial = axes.filter(({ role }) => role === 'space')
  if (spatial.length !== 2 && spatial.length !== 3)
    refuse(`has ${spatial.length} axes in space; give an image of 2 or 3`)
  const several = axes.filter(({ role, size }) => role === 'channels' && size > 1)
  if (several.length > 1) refuse('has more than one axis of channels; extract one of them first')
  const place = axes.indexOf(several[0])
  return {
    grid: gridOf(fields, spatial, space, refuse),
    channels: several[0]?.size ?? 1,
    inner: axes.slice(0, Math.max(0, place)).reduce((product, { size }) => product * size, 1),
  }
}

function sizesOf(fields: NrrdHeader['fields'], refuse: Refuse): number[] {
  const dimension = headerNumber(fields.get('dimension') ?? '')
  // teem's own limit.
  if (!(Number.isInteger(dimension) && dimension >= 1 && dimension <= 16)) {
    refuse(`has dimension ${quoted(fields.get('dimension') ?? '')}; it is damaged`)
  }
  const sizes = (perAxis(fields.get('sizes'), dimension, 'sizes', refuse) ?? refuse('has no sizes; it is damaged')).map(
    headerNumber,
  )
  const sound = sizes.every((n) => Number.isInteger(n) && n > 0)
  if (!sound || !Number.isSafeInteger(sizes.reduce((product, n) => product * n, 8))) {
    refuse(`has sizes ${quoted(fields.get('sizes') ?? '')}; it is damaged or empty`)
  }
  return sizes
}

function spaceOf(fields: NrrdHeader['fields'], refuse: Refuse): { signs: Vec3; coordinates: number } {
  const name = fields.get('space')?.toLowerCase()
  if (name === undefined) {
    // ITK writes 2-D images so, in the plane of its own LPS.
    if (headerNumber(fields.get('spacedimension') ?? '') === 2) return { signs: [-1, -1, 1], coordinates: 2 }
    return refuse('does not name its space; add "space: left-posterior-superior" or what is right')
  }
  if (fields.has('spacedimension')) refuse('gives both a space and a space dimension; keep the right one')
  const signs = spaces.get(name.replace(timePattern, ''))
  if (signs) return { signs, coordinates: timePattern.test(name) ? 4 : 3 }
  return refuse(
    `has the space ${quoted(name)}, which has no known place in the patient; set left-posterior-superior or another`,
  )
}

/** Axes where each has a vector in space, or none. */
function placedAxes(
  fields: NrrdHeader['fields'],
  sizes: readonly number[],
  kinds: readonly string[],
  { coordinates }: { coordinates: number },
  refuse: Refuse,
): Axis[] {
  if (hasNumbers(fields.get('spacings'))) refuse('gives both spacings and space directions; keep the right one')
  const directions = vectorsOf(fields.get('spacedirections') ?? '', refuse)
  if (directions.length !== sizes.length) {
    refuse(`has ${directions.length} space directions for ${sizes.length} axes; it is damaged`)
  }
  return sizes.map((size, n) => {
    const step = directions[n]
    const kind = kinds[n] ?? ''
    if (step === undefined || step.every(Number.isNaN)) return { size, role: 'channels', spacing: 1 }
    if (step.length !== coordinates)
      refuse(`has a space direction of ${step.length} numbers; its space has ${coordinates}`)
    const time = step[3] ?? 0
    const inSpace = step.slice(0, 3).some((value) => value !== 0)
    if (time !== 0 && !inSpace) return { size, role: 'channels', spacing: 1 }
    if (time !== 0) refuse('has an axis that runs through both space and time; it is damaged')
    if (channelKinds.has(kind)) refuse(`has an axis of kind ${quoted(kind)} with a space direction; keep the right one`)
    return { size, role: 'space', step, spacing: 1 }
  })
}

/** Axes without a space: as ITK reads them, they run to the patient's left, back and head. */
function bareAxes(
  fields: NrrdHeader['fields'],
  sizes: readonly number[],
  kinds: readonly string[],
  refuse: Refuse,
): Axis[] {
  if (fields.has('space') || fields.has('spacedimension') || fields.has('spaceorigin')) {
    refuse('has a space but no space directions; add them')
  }
  const spacings = perAxis(fields.get('spacings'), sizes.length, 'spacings', refuse)
  const units = fields.has('units') ? quotedWords(fields.get('units') ?? '') : []
  let inSpace = 0
  return sizes.map((size, n) => {
    if (channelKinds.has(kinds[n] ?? '') || ++inSpace > 3) return { size, role: 'channels', spacing: 1 }
    const spelled = spacings?.[n] ?? 'nan'
    const spacing = spelled.toLowerCase() === 'nan' ? 1 : headerNumber(spelled)
    if (!(spacing > 0 && Number.isFinite(spacing))) refuse(`has spacing ${spelled}; set it in mm`)
    return { size, role: 'space', spacing: spacing * unitOf(units[n] ?? '', refuse) }
  })
}

function gridOf(
  fields: NrrdHeader['fields'],
  axes: readonly Axis[],
  space: { signs: Vec3; coordinates: number } | undefined,
  refuse: Refuse,
): Grid {
  const shape: Vec3 = [axes[0].size, axes[1].size, axes[2]?.size ?? 1]
  const signs = space?.signs ?? [-1, -1, 1]
  const units = space && fields.has('spaceunits') ? quotedWords(fields.get('spaceunits') ?? '') : []
  const scale = [0, 1, 2].map((row) => signs[row] * (space ? unitOf(units[row] ?? '', refuse) : 1))
  const origin = space ? originOf(fields, space.coordinates, refuse) : [0, 0, 0]
  const flat = (space?.coordinates ?? 2) === 2
  const column = (axis: number): readonly number[] => {
    const { step, spacing } = axes[axis] ?? {}
    // A plane that lies in the x-y plane keeps z as its third axis; any other gets a perpendicular.
    if (spacing === undefined) return flat ? [0, 0, 1] : [0, 0, 0]
    return step ?? [0, 1, 2].map((row) => (row === axis ? spacing : 0))
  }
  const columns = [0, 1, 2].map(column)
  const rows = [0, 1, 2].map((row) => [
    ...columns.map((c) => (c[row] ?? 0) * scale[row]),
    (origin[row] ?? 0) * scale[row] + 0,
  ])
  const grid = gridOfAffine(rows.flat(), shape)
  const fault = gridFault(grid)
  return fault === undefined ? grid : refuse(`has ${fault}; write it again with a valid geometry`)
}

function originOf(fields: NrrdHeader['fields'], coordinates: number, refuse: Refuse): readonly number[] {
  const text = fields.get('spaceorigin')
  if (text === undefined) return [0, 0, 0]
  const [origin, ...others] = vectorsOf(text, refuse)
  if (origin?.length !== coordinates || others.length > 0 || !origin.every(Number.isFinite)) {
    refuse(`has the space origin ${quoted(text)}; it is damaged`)
  }
  return origin
}

/** Vectors such as `(1,0,0) none (0,0,2.5)`. */
function vectorsOf(text: string, refuse: Refuse): (readonly number[] | undefined)[] {
  const vector = /\s*(?:\(([^()]*)\)|none|\?+)\s*/iy
  const out: (readonly number[] | undefined)[] = []
  while (vector.lastIndex < text.length) {
    const found = vector.exec(text)
    if (!found) return refuse(`has the vectors ${quoted(text)}; it is damaged`)
    const numbers = found[1]?.split(',')
    if (numbers?.some((word) => word.trim().toLowerCase() !== 'nan' && Number.isNaN(headerNumber(word)))) {
      refuse(`has the vectors ${quoted(text)}; it is damaged`)
    }
    out.push(numbers?.map(headerNumber))
  }
  return out
}

function perAxis(text: string | undefined, count: number, name: string, refuse: Refuse): string[] | undefined {
  const words = text?.split(/\s+/)
  if (words !== undefined && words.length !== count)
    refuse(`has ${words.length} ${name} for ${count} axes; it is damaged`)
  return words
}

function hasNumbers(text: string | undefined): boolean {
  return (text ?? '').split(/\s+/).some((word) => word !== '' && word.toLowerCase() !== 'nan')
}

/** Words in double quotes; some writers leave the quotes out. */
function quotedWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, inside, bare]) => inside ?? bare)
}

function unitOf(name: string, refuse: Refuse): number {
  return millimetresIn(name) ?? refuse(`has lengths in ${quoted(name)}; write it with mm`)
}
