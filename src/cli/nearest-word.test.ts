import { expect, test } from 'vitest'
import { nearestWord } from './nearest-word.ts'

const words = ['demo', 'sample', 'threshold', 'train', 'predict']

test.each([
  ['tresh', 'threshold'],
  ['treshold', 'threshold'],
  ['staple', 'sample'],
  ['pred', 'predict'],
  ['xyzzy', undefined],
])('%s means %s', (typed, meant) => expect(nearestWord(typed, words)).toBe(meant))
