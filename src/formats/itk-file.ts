import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { InputError, OutputError } from '../volume/errors.ts'
import type { Volume } from '../volume/volume.ts'
import { writeFolderAtomically } from './atomic-write.ts'
import { itkOfVolume, volumeOfItk } from './itk-image.ts'
import { type ItkCall, ItkFailure, type ItkImage, withItk } from './itk-worker.ts'

/** Formats that are left to ITK: the prefix of its functions, and the name for people. */
export const ITK_FORMATS = { nrrd: 'NRRD', meta: 'MetaImage', gdcm: 'DICOM' } as const
export type ItkFormat = keyof typeof ITK_FORMATS

/** Reads an NRRD, MetaImage or single DICOM file. */
export async function readItkFile(path: string, format: ItkFormat): Promise<Volume> {
  await requireDataFile(path, format)
  const volume = volumeOfItk(await withItk((call) => readItkImage(call, path, format)), path)
  if (format !== 'gdcm') return volume
  // The names of patients in a DICOM file are not to reach files that are derived from it.
  const { header: _, ...anonymous } = volume
  return anonymous
}

/** Reads a file as an ITK image. Throws InputError where ITK cannot. */
export async function readItkImage(call: ItkCall, path: string, format: ItkFormat): Promise<ItkImage> {
  const damaged = new InputError(
    path,
    `cannot be read as ${ITK_FORMATS[format]}: it is truncated, damaged or of a kind that ITK does not know; export it again`,
  )
  try {
    const { size } = await stat(path)
    const { couldRead, image } = await call<{ couldRead?: boolean; image?: ItkImage }>(
      `${format}ReadImageNode`,
      size,
      resolve(path),
    )
    if (!couldRead || !image) throw damaged
    return image
  } catch (error) {
    throw error instanceof ItkFailure ? damaged : error
  }
}

/** Writes `.nrrd`, `.nhdr`, `.mha` or `.mhd` (the second and fourth with a data file beside them), compressed. */
export async function writeItkFile(path: string, volume: Volume): Promise<void> {
  const format = /\.(nrrd|nhdr)$/i.test(path) ? 'nrrd' : 'meta'
  // ITK tells formats by a lower-case extension.
  const name = basename(path)
  const written = name.slice(0, -extname(name).length) + extname(name).toLowerCase()
  await writeFolderAtomically(path, async (folder) => {
    try {
      const image = itkOfVolume(volume)
      const options = { useCompression: true }
      const target = join(resolve(folder), written)
      const { couldWrite } = await withItk((call) =>
        call<{ couldWrite?: boolean }>(`${format}WriteImageNode`, volume.data.byteLength, image, target, options),
      )
      if (!couldWrite) throw new ItkFailure('could not write')
    } catch (error) {
      throw error instanceof ItkFailure ? new OutputError(path, 'ITK could not write it; is the disk full?') : error
    }
    return (await readdir(folder)).map((file) => [file, file === written ? name : file] as const)
  })
}

/** A detached header without its data file is the commonest fault, and ITK does not say so. */
async function requireDataFile(path: string, format: ItkFormat): Promise<void> {
  if (!/\.(nhdr|mhd)$/i.test(path)) return
  const pattern = format === 'nrrd' ? /^data ?file: *(.+)$/im : /^ElementDataFile *= *(.+)$/im
  const name = pattern.exec(await readFile(path, 'latin1'))?.[1].trim()
  // LIST and numbered patterns name several files; ITK looks for those.
  if (!name || /^(LIST|LOCAL)\b|%/.test(name)) return
  const data = resolve(dirname(path), name)
  if (!(await stat(data).catch(() => undefined))) {
    throw new InputError(path, `its data file ${name} is missing; keep the two files together`)
  }
}
