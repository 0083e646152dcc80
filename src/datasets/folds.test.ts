import fc from 'fast-check'
import { expect, test } from 'vitest'
import { patientFolds } from './folds.ts'
import { patientOf } from './nnunet.ts'

test('patients stay together, folds are balanced, and the order of cases does not matter', () => {
  const patients = fc.array(fc.integer({ min: 0, max: 30 }).map(String), { minLength: 5, maxLength: 60 })
  fc.assert(
    fc.property(patients, fc.integer({ min: 0, max: 99 }), (list, seed) => {
      fc.pre(new Set(list).size >= 5)
      const folds = patientFolds(list, 5, seed)
      const of = new Map<string, number>()
      for (const [i, patient] of list.entries()) {
        expect(of.get(patient) ?? folds[i]).toBe(folds[i])
        of.set(patient, folds[i])
      }
      const sizes = [0, 1, 2, 3, 4].map((fold) => [...of.values()].filter((f) => f === fold).length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      expect(patientFolds([...list].reverse(), 5, seed).reverse()).toEqual(folds)
    }),
  )
})

test('too few patients are named', () => {
  expect(() => patientFolds(['a', 'a', 'b'], 3, 0)).toThrow('2 patients cannot be split into 3 folds')
})

test('patients by name', () => {
  expect(['patient001_frame01', 'hippocampus_001', 'case_12_visit2', 's0001'].map(patientOf)).toEqual([
    'patient001',
    'hippocampus_001',
    'case_12',
    's0001',
  ])
})
