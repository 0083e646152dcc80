import fc from 'fast-check'
import { expect, test } from 'vitest'
import { balancedFolds, patientFolds } from './folds.ts'
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

test('balanced folds keep patients together and share out large and small ones', () => {
  const one = fc.record({ patient: fc.integer({ min: 0, max: 40 }).map(String), size: fc.nat(1e6) })
  fc.assert(
    fc.property(fc.array(one, { minLength: 8, maxLength: 80 }), fc.integer({ min: 0, max: 99 }), (list, seed) => {
      const patients = list.map(({ patient }) => patient)
      fc.pre(new Set(patients).size >= 4)
      const folds = balancedFolds(
        patients,
        list.map(({ size }) => size),
        4,
        seed,
      )
      const of = new Map(patients.map((patient, i) => [patient, folds[i]]))
      for (const [i, patient] of patients.entries()) expect(of.get(patient)).toBe(folds[i])
      const means = [...of].map(([patient, fold]) => {
        const own = list.filter((one) => one.patient === patient).map(({ size }) => size)
        return { fold, size: own.reduce((a, b) => a + b) / own.length }
      })
      // Of the four largest patients each fold has one, of the next four too, and so on.
      means.sort((a, b) => b.size - a.size)
      const distinct = new Set(means.map(({ size }) => size)).size === means.length
      for (let r = 0; distinct && r + 4 <= means.length; r += 4) {
        expect(new Set(means.slice(r, r + 4).map(({ fold }) => fold)).size).toBe(4)
      }
    }),
  )
})

test('folds of fewer patients than folds are refused', () => {
  expect(() => balancedFolds(['a', 'b', 'b'], [1, 2, 3], 3, 0)).toThrow('folds: 2 patients cannot be split into 3')
})
