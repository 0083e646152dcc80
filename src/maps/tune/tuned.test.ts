import { expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import { parseClasses } from '../classes.ts'
import { type ClassRule, ruleSentence } from './rule.ts'
import { checkNumbers, parseTuned, rulesFor, type Tuned, tunedText } from './tuned.ts'

const gain = { mean: 0.1, low: 0.05, high: 0.15 }
const about = { cases: 5, patients: 4, diceAtHalf: 0.5, dice: 0.6, gain }
const tuned: Tuned = {
  version: 1,
  kind: 'exclusive',
  background: true,
  scale: 1,
  logits: 'none',
  classes: [
    { name: 'liver', labels: [1], ...about, cut: 'fixed', at: 0.3, postProcessing: { holes: true, keep: 'largest' } },
    {
      ...{ name: 'tumour', labels: [2], ...about },
      ...{ cut: 'beta', calibration: { a: 1, b: 2, c: -3 }, smallestMm3: 12 },
      postProcessing: { holes: false, keep: 30 },
    },
  ],
  cases: ['a_t1', 'b_t1'],
  patients: ['a', 'b'],
}
const parsed = (change: (value: never) => void) => {
  const value = JSON.parse(tunedText(tuned))
  change(value as never)
  return parseTuned(JSON.stringify(value), 't.json')
}

test('what is written is read', () => {
  expect(parseTuned(tunedText(tuned), 't.json')).toEqual(tuned)
})

test('each rule stands in the file in words, made of its numbers', () => {
  const { classes } = JSON.parse(tunedText(tuned))
  expect(classes.map(({ rule }: { rule: string }) => rule)).toEqual([
    'cut at 0.3, the best single threshold, holes filled, largest component only',
    "cut at each case's own t* after beta calibration (a = 1, b = 2, c = -3), components below 30 mm³ removed",
  ])
  // A sentence that somebody changed says nothing.
  expect(parsed((v: Loose) => Object.assign(v.classes[0], { rule: 'cut at 0.9' })).classes[0].at).toBe(0.3)
  const words = (rule: ClassRule) => ruleSentence(rule)
  expect(words({ cut: 'half', at: 0.5 })).toBe('cut at 1/2')
  expect(words({ cut: 'temperature', calibration: { a: 0.4, b: 0.4, c: 0 } })).toMatch(
    /temperature scaling \(T = 2.5\)$/,
  )
})

test('maps whose numbers are read in another way are refused, and both ways named', () => {
  expect(() => checkNumbers(tuned, { scale: 1 }, 't.json')).not.toThrow()
  expect(() => checkNumbers(tuned, { logits: 'softmax' }, 't.json')).toThrow(
    /^t.json: was tuned with neither --scale nor --logits, and is applied with --logits softmax; give the maps alike$/,
  )
  expect(() => checkNumbers({ ...tuned, logits: 'sigmoid', scale: 255 }, { logits: 'sigmoid' }, 't.json')).toThrow(
    /was tuned with --logits sigmoid --scale 255, and is applied with --logits sigmoid;/,
  )
})

test.each<[string, string, RegExp]>([
  ['no JSON', '{', /^t.json: is no JSON; give a file that 'halfdice tune' wrote$/],
  ['another file', '{"labels":{}}', /holds no tuned thresholds/],
  ['an array', '[]', /holds no tuned thresholds/],
  ['null', 'null', /holds no tuned thresholds/],
])('%s is refused', (_, text, says) => {
  expect(() => parseTuned(text, 't.json')).toThrow(InputError)
  expect(() => parseTuned(text, 't.json')).toThrow(says)
})

type Loose = Record<string, unknown> & { classes: Record<string, unknown>[] }
test.each<[string, (value: Loose) => void, RegExp]>([
  ['version', (v) => Object.assign(v, { version: 2 }), /has version 2, not 1/],
  ['kind', (v) => Object.assign(v, { kind: 'all' }), /has no 'kind'/],
  ['background', (v) => Object.assign(v, { background: 1 }), /has no 'background'/],
  ['classes', (v) => Object.assign(v, { classes: [] }), /has no 'classes'/],
  ['cases', (v) => Object.assign(v, { cases: [1] }), /has no 'cases'/],
  ['case among names', (v) => Object.assign(v, { cases: ['a', 1] }), /has no 'cases'/],
  ['patient among names', (v) => Object.assign(v, { patients: [null, 'a'] }), /has no 'patients'/],
  ['patients', (v) => delete v.patients, /has no 'patients'/],
  ['scale', (v) => Object.assign(v, { scale: 0 }), /has no 'scale'/],
  ['logits', (v) => delete v.logits, /has no 'logits'/],
  ['cut', (v) => Object.assign(v.classes[0], { cut: 'best' }), /has cut "best" for liver, none of half, case/],
  ['both', (v) => Object.assign(v.classes[1], { at: 0.5 }), /has cut beta for tumour, which needs a 'calibration' al/],
  ['neither', (v) => delete v.classes[0].at, /has cut fixed for liver, which needs 'at' alone/],
  ['number too many', (v) => Object.assign(v.classes[0], { cut: 'case' }), /has cut case .* needs neither number/],
  [
    'postProcessing',
    (v) => Object.assign(v.classes[0], { postProcessing: 3 }),
    /postProcessing that is none for liver/,
  ],
  ['keep', (v) => Object.assign(v.classes[0], { postProcessing: { holes: true, keep: 0 } }), /has keep 0 for liver/],
  ['a class', (v) => v.classes.splice(0, 1, 3 as never), /has a class that is none/],
  ['name', (v) => delete v.classes[0].name, /a class without a name/],
  ['labels', (v) => Object.assign(v.classes[0], { labels: [] }), /has no labels for liver/],
  ['a label', (v) => Object.assign(v.classes[0], { labels: [70000] }), /70000/],
  ['threshold 0', (v) => Object.assign(v.classes[0], { at: 0 }), /has at 0 for liver/],
  ['threshold 2', (v) => Object.assign(v.classes[0], { at: 2 }), /has at 2 for liver/],
  ['threshold text', (v) => Object.assign(v.classes[0], { at: '0.3' }), /has at "0.3" for liver/],
  ['calibration', (v) => Object.assign(v.classes[1], { calibration: { a: -1, b: 1, c: 0 } }), /has a -1 for tumour/],
  [
    'calibration null',
    (v) => Object.assign(v.classes[1], { calibration: null }),
    /calibration that is none for tumour/,
  ],
  ['gain', (v) => delete v.classes[0].gain, /has no gain for liver/],
  ['dice', (v) => Object.assign(v.classes[0], { dice: null }), /has dice null for liver/],
])('a damaged %s is named', (_, change, says) => {
  expect(() => parsed(change as never)).toThrow(says)
})

test('rules go to the maps of a case, the background aside', () => {
  const maps = [undefined, { name: 'liver', labels: [1] }, { name: 'tumour', labels: [2] }]
  expect(rulesFor(tuned, { kind: 'exclusive', maps }, 'x')).toEqual([undefined, ...tuned.classes])
})

test('maps that nobody has named may be the tuned ones: the message says how to name them', () => {
  const numbered = { kind: 'exclusive', maps: [undefined, ...[1, 2].map((n) => ({ name: `class ${n}`, labels: [n] }))] }
  const remedy = /if these are the same, name them: --classes 'background,liver=1,tumour=2'$/
  expect(() => rulesFor(tuned, numbered as never, 'x')).toThrow(remedy)
  expect(parseClasses('background,liver=1,tumour=2', '--classes').filter((each) => each !== undefined)).toEqual(
    tuned.classes.map(({ name, labels }) => ({ name, labels })),
  )
})

test.each([
  ['other names', 'exclusive', [undefined, { name: 'lever', labels: [1] }, { name: 'tumour', labels: [2] }]],
  ['other labels', 'exclusive', [undefined, { name: 'liver', labels: [1] }, { name: 'tumour', labels: [3] }]],
  ['another order', 'exclusive', [undefined, { name: 'tumour', labels: [2] }, { name: 'liver', labels: [1] }]],
  ['another form', 'separate', [undefined, { name: 'liver', labels: [1] }, { name: 'tumour', labels: [2] }]],
  [
    'no background',
    'exclusive',
    [
      { name: 'liver', labels: [1] },
      { name: 'tumour', labels: [2] },
    ],
  ],
  ['fewer classes', 'exclusive', [undefined, { name: 'liver', labels: [1] }]],
] as const)('%s are refused, and both sides named', (_, kind, maps) => {
  const says =
    /^x: holds \w+ maps of .*; tuned were exclusive maps of liver \(1\), tumour \(2\); tune on maps of this form$/
  expect(() => rulesFor(tuned, { kind, maps: [...maps] as never }, 'x')).toThrow(says)
})
