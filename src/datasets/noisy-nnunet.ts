import { basename, join } from 'node:path'
import { jointGroup } from '../noise/noise-seed.ts'
import { InputError } from '../volume/errors.ts'
import { type DatasetJson, ignoreName, readDatasetJson, readDatasetObject } from './dataset-json.ts'
import { listNnunetDataset, type NnunetCase } from './nnunet.ts'
import type { KeptLabels } from './noisy-case.ts'
import { filesBelow, type NoisyLayout, type NoisyLayoutCase } from './noisy-layout.ts'

/** Lists of files, of nnU-Net v1 and of a `dataset.json` that names each file: they would lead to the clean labels. */
const fileLists = ['dataset', 'training', 'test', 'numTest']

/**
 * A data set in nnU-Net's raw layout, to be written in the same: labels under their own names, images with the number
 * of their channel (which the decathlon leaves out), a `dataset.json` that nnU-Net v2 accepts.
 *
 * @param labels numbers of the labels that are kept, in order; default all that `dataset.json` names
 */
export async function noisyNnunet(folder: string, labels?: readonly number[]): Promise<NoisyLayout> {
  const path = join(folder, 'dataset.json')
  const dataset = readDatasetJson(path)
  const { cases, channelNames } = await listNnunetDataset(folder)
  const ending = dataset.fileEnding ?? '.nii.gz'
  const declared = [...new Set([...dataset.labels.values()].flat())].sort((a, b) => a - b)
  if (labels !== undefined && dataset.hasRegions) {
    throw new InputError('--labels', `${path} names regions of several labels, which need each other; leave it out`)
  }
  // nnU-Net asks for labels 1, 2, 3 …
  const becomes = new Map(declared.map((label) => [label, labels ? labels.indexOf(label) + 1 : label]))
  const nameOf = (label: number) => [...dataset.labels].find(([, own]) => own.join() === String(label))?.[0]
  const renumbered = [...becomes].filter(([label, other]) => other !== 0 && other !== label)
  const keep: KeptLabels = {
    kind: 'map',
    becomes,
    ...(dataset.ignore !== undefined && { ignore: dataset.ignore }),
  }
  return {
    cases: cases.map((one) => caseOf(one, ending, keep)),
    group: groupOf(dataset, labels?.map(nameOf) ?? [...dataset.labels.keys()]),
    rest: filesBelow(folder, (path) => ['dataset.json', 'imagesTr', 'labelsTr'].includes(path)),
    names: new Map([...becomes].flatMap(([label, other]) => (other === 0 ? [] : [[other, nameOf(label) ?? '']]))),
    notes: renumbered.map(
      ([label, other]) => `label ${label} (${nameOf(label)}) becomes ${other}: nnU-Net wants 1, 2, 3 …`,
    ),
    recordFile: 'dataset.json',
    recordText(noise, done) {
      const original = readDatasetObject(path)
      const { labels: own, modality: _, channel_names: __, ...rest } = original
      for (const key of fileLists) delete rest[key]
      const result = {
        channel_names: Object.fromEntries(channelNames.map((name, i) => [i, name])),
        labels: labels === undefined && isVersion2(own) ? own : labelsOf(dataset, becomes),
        ...rest,
        numTraining: done.length,
        file_ending: ending,
        noise,
      }
      return `${JSON.stringify(result, null, 2)}\n`
    },
  }
}

/** The organ's name where one is kept, as a study of that organ has it. */
function groupOf({ labels }: DatasetJson, kept: readonly (string | undefined)[]): string {
  const [only] = kept
  return kept.length === 1 && only !== undefined && labels.has(only) ? only : jointGroup
}

function caseOf({ id, images, label, fault }: NnunetCase, ending: string, keep: KeptLabels): NoisyLayoutCase {
  const channel = (i: number) => `imagesTr/${id}_${String(i).padStart(4, '0')}${ending}`
  return {
    id,
    fault,
    image: images[0],
    carried: images.map((from, i) => ({ from, to: channel(i) })),
    labels: [{ reference: label, to: `labelsTr/${basename(label)}`, keep }],
  }
}

/** Whether labels are written as nnU-Net v2 wants them: `{"liver": 1}`. */
function isVersion2(labels: unknown): boolean {
  return Object.values(labels as object).every((value) => typeof value !== 'string')
}

function labelsOf({ labels, ignore }: DatasetJson, becomes: ReadonlyMap<number, number>): Record<string, unknown> {
  const kept = [...labels].flatMap(([name, own]) => {
    const numbers = own.map((label) => becomes.get(label) ?? 0).filter((label) => label !== 0)
    return numbers.length === 0 ? [] : [[name, numbers.length === 1 ? numbers[0] : numbers] as const]
  })
  kept.sort(([, a], [, b]) => Number(a) - Number(b))
  // nnU-Net wants `ignore` to be the highest label.
  const last = ignore === undefined ? [] : [[ignoreName, Math.max(0, ...becomes.values()) + 1]]
  return Object.fromEntries([['background', 0], ...kept, ...last])
}
