import { expect, test } from 'vitest'
import { filesBeforeLists } from './list-options.ts'

test.each([
  ['optimum --sigma 2 a.nii.gz', 'optimum a.nii.gz --sigma 2'],
  ['optimum -s 1 2,2,4 3vx labels -l 12', 'optimum labels -s 1 2,2,4 3vx -l 12'],
  ['evaluate --labels 1 liver 1+2 a.nii b.mha --json', 'evaluate a.nii b.mha --labels 1 liver 1+2 --json'],
  ['evaluate a.nii --labels 1 b.nii', 'evaluate a.nii b.nii --labels 1'],
  ['optimum --sigma 2 --labels 1 2 a.nii', 'optimum a.nii --sigma 2 --labels 1 2'],
  ['evaluate --labels 1 a.nii --labels 2 b.nii --json', 'evaluate a.nii b.nii --labels 1 --labels 2 --json'],
  ['evaluate --labels 1 --at auto a.nii --labels 2 b.nii', 'evaluate --labels 1 --at auto a.nii b.nii --labels 2'],
  ['optimum a.nii --sigma 2 4', 'optimum a.nii --sigma 2 4'],
  ['evaluate --labels 1 2 pred/ ref/', 'evaluate pred/ ref/ --labels 1 2'],
  ['evaluate --labels liver src test', 'evaluate src test --labels liver'],
  ['train --outputs LV MYO src -o run', 'train src --outputs LV MYO -o run'],
  ['optimum --sigma x.nii', 'optimum --sigma x.nii'],
  ['optimum a.nii --sigma', 'optimum a.nii --sigma'],
  ['optimum constructor --sigma=2 a.nii', 'optimum constructor --sigma=2 a.nii'],
])('%s', (typed, read) => {
  expect(filesBeforeLists(typed.split(' ')).join(' ')).toBe(read)
})
