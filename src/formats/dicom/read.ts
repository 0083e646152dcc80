import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../volume/errors.ts'
import type { Volume } from '../../volume/volume.ts'
import { inputFault } from '../file-faults.ts'
import { openRegularFile } from '../read-file.ts'
import { framesOf } from './frames.ts'
import { imageStack, imageVolume } from './image-volume.ts'
import { type DicomFile, parseDicom } from './part10.ts'
import { readSegmentation, segmentationStack, segmentNames } from './segmentation.ts'
import { looksLikeDicom } from './signature.ts'
import { objectKind } from './sop-classes.ts'
import type { Words } from './stack.ts'

/** What one typed array can hold on every supported Node. */
const maxBytes = 2 ** 31 - 1

/**
 * Reads a DICOM file by its SOP class: an image (one slice, or several frames ordered by position) or a segmentation
 * (`readSegmentation`). What the file holds beside pixels and grid, patients' names among it, is left behind.
 *
 * @throws InputError where the file is damaged, of another class, or its frames are not one volume
 */
export async function readDicomFile(path: string): Promise<Volume> {
  return decodeDicom(await readBytes(path), path)
}

/** The volume in the bytes of a DICOM file: see `readDicomFile`. */
export async function decodeDicom(bytes: Uint8Array, subject: string): Promise<Volume> {
  const file = parseDicom(bytes, subject)
  if (kindOf(file) === 'segmentation') return readSegmentation(file)
  return imageVolume(framesOf(file), fileWords(subject))
}

/**
 * Reads the DICOM series in a folder as one volume. Slices are ordered by their position, whatever their names; each
 * slice's rescale slope is applied. A stack that is not perpendicular to its slices (gantry tilt) keeps its shear.
 *
 * @throws InputError where the folder holds no DICOM files, more than one series, slices of different size or
 *   orientation, two slices at one place, or where a slice is missing
 */
export async function readDicomFolder(folder: string): Promise<Volume> {
  const files = await seriesFiles(folder)
  const [first] = files
  if (kindOf(first) === 'segmentation') return readSegmentation(first)
  return imageVolume(files.flatMap(framesOf), folderWords(folder))
}

const fileWords = (subject: string): Words => ({ subject, many: 'frames', remedy: 'give a file with one volume' })
const folderWords = (subject: string): Words => ({ subject, many: 'slices', remedy: 'give the folder of one volume' })

/** The files of the images in a folder, or of its single segmentation. */
async function seriesFiles(folder: string): Promise<DicomFile[]> {
  const files: DicomFile[] = []
  for (const path of await dicomFiles(folder)) files.push(parseDicom(await readBytes(path), path))
  requireOneSeries(files, folder)
  const segmentations = files.filter((file) => kindOf(file) === 'segmentation')
  if (files.length > 1 && segmentations.length > 0) {
    const [{ subject }] = segmentations
    throw new InputError(subject, `is a segmentation among the ${files.length} files of ${folder}; give one of the two`)
  }
  return files
}

/**
 * Where the images of a DICOM file or of a folder lie and what a segmentation says of them, without their pixels.
 *
 * @throws InputError as `readDicomFile` and `readDicomFolder` do
 */
export async function readDicomGeometry(path: string, folder: boolean): Promise<Pick<Volume, 'grid' | 'header'>> {
  const files = folder ? await seriesFiles(path) : [parseDicom(await readBytes(path), path)]
  const { grid, header } =
    kindOf(files[0]) === 'segmentation'
      ? segmentationStack(files[0])
      : imageStack(files.flatMap(framesOf), folder ? folderWords(path) : fileWords(path))
  return { grid, header }
}

/** The names of the segments of a segmentation, or undefined where the file is something else. */
export async function dicomLabelNames(path: string): Promise<ReadonlyMap<number, string> | undefined> {
  const file = parseDicom(await readBytes(path), path)
  return kindOf(file) === 'segmentation' ? segmentNames(file) : undefined
}

/** Whether a file begins as a DICOM file does. */
async function isDicom(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const start = new Uint8Array(132)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return looksLikeDicom(start.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const { file, size } = await openRegularFile(path)
    try {
      if (size > maxBytes) throw new InputError(path, 'is larger than 2 GiB; give one file a slice')
      const bytes = new Uint8Array(size)
      const { bytesRead } = await file.read(bytes, 0, size, 0)
      return bytes.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw inputFault(error, path)
  }
}

function kindOf({ sopClass, subject }: DicomFile): 'image' | 'segmentation' {
  if (sopClass === undefined) throw new InputError(subject, 'does not say what it is (SOPClassUID); export it again')
  return objectKind(sopClass, subject)
}

/** The DICOM files of a folder: told by their content, or by their name where they are damaged. */
async function dicomFiles(folder: string): Promise<string[]> {
  let names: string[] = []
  try {
    // What macOS leaves beside files on other disks is called "._" and their name.
    names = (await readdir(folder)).filter((name) => name !== 'DICOMDIR' && !name.startsWith('._')).sort()
  } catch (error) {
    throw inputFault(error, folder)
  }
  const paths: string[] = []
  let folders = 0
  for (const name of names) {
    const path = join(folder, name)
    try {
      // `stat` follows links: a link to a folder is a folder.
      const about = await stat(path)
      if (about.isDirectory()) folders++
      if (about.isFile() && (/\.dcm$/i.test(name) || (await isDicom(path)))) paths.push(path)
    } catch (error) {
      throw inputFault(error, path)
    }
  }
  if (paths.length > 0) return paths
  const below = folders > 0 ? `; it has ${folders} folders in it: give one of them` : ''
  throw new InputError(
    folder,
    `is a folder without DICOM files${below || '; give an image file or the folder of a DICOM series'}`,
  )
}

function requireOneSeries(files: readonly DicomFile[], folder: string): void {
  const series = new Map<string, DicomFile[]>()
  for (const file of files) {
    const uid = file.dataSet.text('SeriesInstanceUID') ?? ''
    series.set(uid, [...(series.get(uid) ?? []), file])
  }
  if (series.size < 2) return
  const named = [...series].sort(([, a], [, b]) => b.length - a.length).map(([uid, of]) => seriesName(uid, of))
  const listed = named.length > 5 ? [...named.slice(0, 5), '…'] : named
  throw new InputError(folder, `holds ${series.size} DICOM series: ${listed.join(', ')}; give a folder with one series`)
}

/** A series as people know it: number and description, else its uid; and how many files it has. */
function seriesName(uid: string, files: readonly DicomFile[]): string {
  const [{ dataSet }] = files
  const description = dataSet.text('SeriesDescription')
  const name = [dataSet.number('SeriesNumber'), description && `"${description}"`].filter(Boolean).join(' ') || uid
  return `${name || 'one without a UID'} (${files.length} ${files.length === 1 ? 'file' : 'files'})`
}
