import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { imagesIn, isFolder } from '../datasets/image-folder.ts'
import { caseName } from '../datasets/image-names.ts'
import { orderContradiction } from '../decision/decode/region-painter.ts'
import { holdsDicom } from '../formats/dicom/folder.ts'
import { InputError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import { fileOf } from './case-file.ts'
import type { CaseMaps, NumberOptions } from './case-maps.ts'
import type { ClassScheme, MapClass } from './classes.ts'
import { datasetJsonFor, type FoundCase } from './find-cases.ts'
import { openClassFiles, openGeometry, openImageMaps, withGeometry, withImages } from './image-maps.ts'
import { narrowed } from './narrow.ts'
import { readMaps } from './read-maps.ts'
import { type NamedClasses, namedClasses, type SchemeOptions, schemeFor } from './scheme.ts'
import { SumCheck } from './sum-check.ts'

export interface OpenOptions extends NumberOptions, SchemeOptions {
  /** An image, or a folder of images called like the cases, to take geometry and header from. */
  readonly like?: string | undefined
  /** The masks become a DICOM segmentation of the images `like`: maps that say where they lie keep their place. */
  readonly segmentation?: boolean | undefined
  /** The masks need no geometry: arrays that have none are taken all the same. */
  readonly geometryOptional?: boolean | undefined
}

/** A case that is ready to be decoded. */
export interface OpenedCase {
  readonly source: CaseMaps
  readonly scheme: ClassScheme
}

/**
 * Opens a case and says what its maps are. Headers are read and checked now, numbers later; only images of several maps
 * whose kind nobody named are read once, to see whether they add up to 1.
 *
 * @throws InputError where the case cannot be what it is taken for
 * @example
 * const [found] = findCases(['predictions']).cases
 * const { source, scheme } = await openCase(found, { geometryOptional: true }) // its classes are in dataset.json
 * source.channels // 2
 * scheme.maps // [undefined, { name: 'liver', labels: [1] }]
 */
export async function openCase(found: FoundCase, options: OpenOptions): Promise<OpenedCase> {
  const named = namedClasses(options, found.kind === 'array' ? datasetJsonFor(found) : undefined)
  const like = options.like === undefined ? undefined : imageOf(found, options.like)
  if (found.kind === 'array') {
    const { openArrayMaps } = await import('./array-maps.ts')
    return withScheme(called(await openArrayMaps(found.input, { ...options, like }), found), named, options, 'array')
  }
  const opened = found.kind === 'folder' ? await openFolder(found, named, options) : undefined
  const image = opened?.source ?? (await openImageMaps(found.input, options))
  const source = like === undefined ? image : await placedLike(image, like, options)
  return withScheme(called(source, found), opened ? opened.named : named, options, 'image')
}

/** Maps that become a DICOM segmentation stay where they are: it must lie in its images. */
async function placedLike(image: CaseMaps, like: string, { segmentation }: OpenOptions): Promise<CaseMaps> {
  return segmentation ? withImages(image, like) : withGeometry(image, await openGeometry(like), like)
}

/** Called as the case was found: a pattern may have told its name. */
function called(source: CaseMaps, { name }: FoundCase): CaseMaps {
  return source.name === name ? source : { ...source, name }
}

/** The scheme of maps that are open, by all that is known of them (see `openCase`). */
export async function withScheme(
  source: CaseMaps,
  named: NamedClasses | undefined,
  { decode, labels }: SchemeOptions,
  from: 'array' | 'image',
): Promise<OpenedCase> {
  const kind = decode ?? named?.kind
  const found = kind === undefined ? await kindOf(source, named, from) : undefined
  const scheme = schemeFor(source, named, kind ?? found ?? 'separate')
  const warnings = [...source.warnings]
  if (found === 'exclusive' && from === 'image') {
    const background = scheme.maps[0] === undefined ? ', the first map as the background' : ''
    warnings.push(
      `its ${source.channels} maps add up to 1, so they are decoded as one label map${background}; ` +
        'for a mask of each: --decode separate',
    )
  }
  const contradiction =
    scheme.paint &&
    orderContradiction(
      scheme.maps.map((each) => each?.labels ?? []),
      scheme.paint,
    )
  if (contradiction !== undefined) {
    warnings.push(
      `its regions_class_order ${scheme.paint?.join(', ')} contradicts its regions (${contradiction}); ` +
        'they are painted one over the other, as nnU-Net does',
    )
  }
  const opened = { source: { ...source, warnings }, scheme }
  return labels === undefined ? opened : narrowed(opened, labels)
}

/**
 * How maps are decoded where nobody says it: regions by their `.pkl`, arrays exclusively, images by what they add up
 * to.
 */
async function kindOf(
  source: CaseMaps,
  named: NamedClasses | undefined,
  from: 'array' | 'image',
): Promise<ClassScheme['kind']> {
  if (source.regionsClassOrder && named) return 'regions'
  if (source.regionsClassOrder) {
    throw new InputError(
      source.input,
      `holds regions (its .pkl has regions_class_order ${source.regionsClassOrder.join(', ')}); ` +
        'name the labels of each: --classes whole=1+2+3,core=2+3,enhancing=3',
    )
  }
  if (source.channels === 1) return 'separate'
  if (from === 'array') return 'exclusive'
  const overlap = named?.maps.some((each) => (each?.labels.length ?? 1) > 1)
  return !overlap && (await addUpToOne(source)) ? 'exclusive' : 'separate'
}

async function addUpToOne(source: CaseMaps): Promise<boolean> {
  if (source.numbers.logits !== undefined) return source.numbers.logits === 'softmax'
  const check = new SumCheck(voxelCount(source.grid), true)
  for await (const map of readMaps(source, { maps: [] })) check.add(map)
  return check.addUpToOne()
}

/**
 * The images of a folder as one case: a single one with all its maps, or one a class in the order of the classes that
 * are named.
 */
async function openFolder(
  { input, name }: FoundCase,
  named: NamedClasses | undefined,
  options: OpenOptions,
): Promise<{ readonly source: CaseMaps; readonly named: NamedClasses | undefined }> {
  const files = imagesIn(input)
  if (files.length === 1) {
    const source = await openImageMaps(files[0], options)
    if (source.channels > 1) return { source: { ...source, input, name }, named }
  }
  const order = named && inOrder(input, files, named)
  const source = await openClassFiles(input, name, order?.files ?? files, options)
  return { source, named: named && order && { ...named, maps: order.maps } }
}

/** The files of the classes named, in their order; a background needs no file. */
function inOrder(
  input: string,
  files: readonly string[],
  { maps, where }: NamedClasses,
): { readonly files: string[]; readonly maps: (MapClass | undefined)[] } {
  const found = maps.map((each) => files.find((file) => caseName(file) === (each?.name ?? 'background')))
  const missing = maps.find((each, i) => each !== undefined && found[i] === undefined)
  if (missing !== undefined) {
    const has = files.map((file) => basename(file)).join(', ')
    throw new InputError(input, `has no image of class '${missing.name}', which ${where} names; it has ${has}`)
  }
  return { files: found.filter((file) => file !== undefined), maps: maps.filter((_, i) => found[i] !== undefined) }
}

/**
 * The image of a case: `like` itself, or in the folder `like` the file of the case's name (nnU-Net's `_0000` allowed)
 * or the folder of its DICOM series.
 */
function imageOf({ input, name }: FoundCase, like: string): string {
  if (!isFolder(like) || holdsDicom(like)) return like
  const path = fileOf(like, [`${name}_0000`, name])
  if (path !== undefined) return path
  const series = [join(like, name), join(like, `${name}.dcm`)].find((one) => existsSync(one))
  if (series !== undefined) return series
  throw new InputError(
    input,
    `has no image in ${like} (${name}_0000.nii.gz or ${name}.nii.gz); add it or give another folder`,
  )
}
