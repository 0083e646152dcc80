/** Damaged `dataset.json` files: each ends as a sound description or an InputError. `HALFDICE_FUZZ=50` tries more. */
import { expect, test } from 'vitest'
import { cases, damagedText, generator, outcome } from '../formats/testing/damage.ts'
import { parseDatasetJson } from './dataset-json.ts'

const texts = [
  '{"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "ignore": 2}, "file_ending": ".nii.gz"}',
  '{"labels": {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enh": 3}, "regions_class_order": [1, 2, 3]}',
  '{"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "anterior", "2": "posterior"}, "numTraining": 3}',
]

test('6,000 damaged dataset.json', async () => {
  const random = generator(1)
  let sound = 0
  for (let n = 0; n < cases(6000); n++) {
    const text = new TextDecoder().decode(damagedText(texts[n % texts.length], random))
    const dataset = await outcome(() => parseDatasetJson(text, 'dataset.json'))
    if (!dataset) continue
    sound++
    const numbers = [...dataset.labels.values(), dataset.regionsClassOrder ?? [], [dataset.ignore ?? 1]].flat()
    for (const number of numbers) {
      if (!(Number.isInteger(number) && number >= 0 && number <= 65535)) throw new Error(`label ${number} in ${text}`)
    }
    const single = [...dataset.labels.values()].filter((labels) => labels.length === 1).flat()
    if (!dataset.hasRegions && new Set(single).size !== single.length) throw new Error(`a label twice in ${text}`)
  }
  expect(sound).toBeGreaterThan(cases(6000) / 20)
})
