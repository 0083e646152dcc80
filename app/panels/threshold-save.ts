import { latticeMap } from '../../src/volume/lattice.ts'
import { button, el, labelled, select } from '../page/dom.ts'
import type { Lab } from '../page/lab.ts'
import { words } from '../page/words.ts'
import type { Download, Item } from '../protocol.ts'

const forms = {
  '.nii.gz': 'NIfTI',
  '.seg.nrrd': '3D Slicer (.seg.nrrd)',
  '.dcm': 'DICOM segmentation',
} as const

type Form = keyof typeof forms

export interface MaskToSave {
  readonly item: Item
  readonly scale: number | undefined
  readonly several: boolean
  /** An array without geometry stays one. */
  readonly hasGeometry: boolean
}

/** Saves masks in the form that is chosen, and tells the command that does the same. */
export class MaskSaver {
  readonly #lab: Lab
  #form: Form | undefined

  constructor(lab: Lab) {
    this.#lab = lab
  }

  element(mask: MaskToSave): HTMLElement {
    const images = mask.item.dicom ? mask.item : this.#imagesOf(mask.item)
    // What came as DICOM or from Slicer goes back there.
    const own: Form = images ? '.dcm' : /\.seg\.nrrd$/i.test(mask.item.name) ? '.seg.nrrd' : '.nii.gz'
    const chosen = this.#form === '.dcm' && !images ? '.nii.gz' : (this.#form ?? own)
    const command = el('code', { title: 'The same mask on the command line' })
    const tell = (form: Form) => {
      this.#form = form
      command.textContent = commandOf(mask, form, images)
    }
    const choices = (Object.keys(forms) as Form[]).filter((form) => form !== '.dcm' || images)
    const form = select(
      choices.map((value) => ({ value, text: forms[value] })),
      chosen,
      (value) => tell(value as Form),
    )
    const save = (text: string, at: () => number | undefined) =>
      button(text, () => this.#save(mask, form.value as Form, images, at()))
    command.textContent = commandOf(mask, chosen, images)
    return el(
      'div',
      {},
      mask.hasGeometry ? labelled('As', form) : '',
      el(
        'div',
        { class: 'downloads' },
        save(mask.several ? 'Masks at each t*' : 'Mask at t*', () => undefined),
        save('At ½', () => 0.5),
        save('At the cut', () => this.#lab.state.cut || undefined),
        command,
      ),
    )
  }

  /** The DICOM images that the map was computed from: those whose voxels it has. */
  #imagesOf({ grid }: Item): Item | undefined {
    return this.#lab.items.find((item) => item.dicom === true && latticeMap(item.grid, grid) !== undefined)
  }

  #save({ item, scale, hasGeometry }: MaskToSave, form: Form, images: Item | undefined, at: number | undefined): void {
    this.#lab.tell('Cutting …')
    const ask = {
      id: item.id,
      ...(scale !== undefined && { scale }),
      ...(at !== undefined && { at }),
      ...(hasGeometry && form !== '.nii.gz' && { ending: form }),
      ...(form === '.dcm' && images && images.id !== item.id && { like: images.id }),
    }
    this.#lab.data
      .call<Download>('mask', ask)
      .then((file) => {
        this.#lab.tell('')
        this.#lab.save(file)
      })
      .catch((error) => this.#lab.fail(error))
  }
}

function commandOf({ item, scale, hasGeometry }: MaskToSave, form: Form, images: Item | undefined): string {
  const ending = hasGeometry ? form : '.npy'
  const output = item.name.replace(/(\.nii(\.gz)?|\.seg\.nrrd|\.[^.]*)?$/i, `_mask${ending}`)
  const like = form === '.dcm' && images && images.id !== item.id ? ` --like ${words(images.name)}` : ''
  const scaled = scale === undefined ? '' : ` --scale ${scale}`
  return `halfdice threshold ${words(item.name)} -o ${words(output)}${like}${scaled}`
}
