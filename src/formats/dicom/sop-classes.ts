import { InputError } from '../../volume/errors.ts'

/** What an object of a SOP class is read as. */
export type ObjectKind = 'image' | 'segmentation'

const storage = '1.2.840.10008.5.1.4.1.1.'

/** Image classes, whose pixels are samples of one quantity in a plane of known place. */
const imageNames: readonly string[] = [
  '1', // computed radiography
  '1.1', // digital X-ray
  '1.1.1',
  '1.2', // mammography
  '1.2.1',
  '2', // CT
  '2.1', // enhanced CT
  '2.2', // legacy converted enhanced CT
  '3.1', // ultrasound multi-frame
  '4', // MR
  '4.1', // enhanced MR
  '4.4', // legacy converted enhanced MR
  '6.1', // ultrasound
  '6.2', // enhanced ultrasound volume
  '7', // secondary capture
  '7.2', // multi-frame secondary capture, 8 and 16 bits
  '7.3',
  '12.1', // X-ray angiography
  '12.2', // X-ray fluoroscopy
  '13.1.1', // X-ray 3-D angiography
  '13.1.2', // X-ray 3-D craniofacial
  '13.1.3', // breast tomosynthesis
  '20', // nuclear medicine
  '128', // PET
  '128.1', // legacy converted enhanced PET
  '130', // enhanced PET
].map((ending) => storage + ending)

const segmentationClasses: readonly string[] = [`${storage}66.4`, `${storage}66.7`]

/** Other classes by uid, each with what to do instead; a uid also stands for those below it. */
const others: readonly (readonly [uid: string, name: string, remedy: string])[] = [
  ['1.2.840.10008.1.3.10', 'a DICOMDIR', 'give the folder of one of the series that it lists'],
  [`${storage}481.3`, 'an RT Structure Set (contours)', 'convert it to a label map (plastimatch, 3D Slicer)'],
  [`${storage}481.2`, 'an RT Dose', 'convert it to NIfTI (plastimatch, 3D Slicer)'],
  [`${storage}481`, 'a radiotherapy object without an image', 'give images or segmentations'],
  [`${storage}30`, 'a Parametric Map', 'convert it to NIfTI (dcmqi paramap2itkimage)'],
  [`${storage}66.1`, 'a Spatial Registration', 'apply it, and give the resampled image'],
  [`${storage}66.5`, 'a Surface Segmentation', 'convert it to a label map (3D Slicer)'],
  [`${storage}66`, 'a spatial object without an image', 'give images or segmentations'],
  [`${storage}88`, 'a Structured Report', 'give the images or segmentations that it refers to'],
  [`${storage}104`, 'an encapsulated document (PDF, STL)', 'give images or segmentations'],
  [`${storage}11`, 'a Presentation State', 'give the images that it refers to'],
  [`${storage}9`, 'a waveform', 'give images or segmentations'],
  [`${storage}4.2`, 'MR spectroscopy', 'give images or segmentations'],
  [`${storage}4.3`, 'an Enhanced MR image in colour', 'give an image of grey values'],
  [`${storage}7.1`, 'a secondary capture of single bits', 'give an image of grey values'],
  [`${storage}7.4`, 'a secondary capture in colour', 'give an image of grey values'],
  [`${storage}77`, 'a photograph, a video or a microscopy image', 'give an image of grey values'],
  ['1.2.840.10008.5.1.4.43', 'a colour palette', 'give images or segmentations'],
  [`${storage}67`, 'a Real World Value Mapping', 'give images or segmentations'],
]

/**
 * What an object of the class is read as.
 *
 * @throws InputError naming the class where it is neither an image nor a segmentation
 */
export function objectKind(uid: string, subject: string): ObjectKind {
  if (imageNames.includes(uid)) return 'image'
  if (segmentationClasses.includes(uid)) return 'segmentation'
  const [, name, remedy] = others.find(([known]) => uid === known || uid.startsWith(`${known}.`)) ?? []
  if (name) throw new InputError(subject, `is ${name}, neither an image nor a segmentation; ${remedy}`)
  throw new InputError(subject, `is a DICOM object of class ${uid}, which halfdice does not read; convert it to NIfTI`)
}
