import { readVolume } from '../formats/volume-file.ts'
import { type Dataset, patientRule } from './dataset.ts'
import { joinChannels } from './join-channels.ts'
import { listNnunetDataset, patientOf, refuseIgnored } from './nnunet.ts'
import { onGrid } from './same-grid.ts'

export interface NnunetSpec {
  readonly kind: 'nnunet'
  readonly folder: string
  /**
   * A regular expression whose first group is the patient; default: the name without a trailing frame or visit number.
   */
  readonly patient?: string
  /** Bring label maps that lie on another grid to their image's. */
  readonly resampleLabels?: boolean
}

/**
 * A folder in nnU-Net's raw layout. Cases that lack an image or a label map are listed with that fault; loading refuses
 * a label map with voxels that nobody has labelled (`ignore`): where no outline is known, noise can move none.
 */
export async function openNnunet({ folder, patient, resampleLabels = false }: NnunetSpec): Promise<Dataset> {
  const { name, labels, ignore, cases } = await listNnunetDataset(folder)
  const patientRuleOf = patientRule(patient, patientOf)
  const files = new Map(cases.map((one) => [one.id, one]))
  return {
    name,
    labels,
    leftOut: [],
    cases: cases.map(({ id, images, label, fault }) => {
      // Whatever else lies among the images need not be named as cases are.
      const patient = fault === undefined ? patientRuleOf(id) : id
      return { id, patient, images, labels: [label], ...(fault && { fault }) }
    }),
    async load({ id }) {
      const one = files.get(id)
      if (one === undefined) throw new RangeError(`${id} is no case of ${name}`)
      const image = joinChannels(await Promise.all(one.images.map(readVolume)), one.images)
      const map = await readVolume(one.label)
      refuseIgnored(map, ignore, one.label)
      return { image, labels: onGrid(map, image.grid, resampleLabels, one.label) }
    },
  }
}
