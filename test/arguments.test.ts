import { describe, expect, test } from 'vitest'
import { decodeNifti, encodeNifti } from '../src/formats/nifti.ts'
import { decodeNpy, encodeNpy } from '../src/formats/npy.ts'
import { calibration } from '../src/metrics/calibration.ts'
import { evaluateLabels } from '../src/metrics/evaluate-labels.ts'
import { dice } from '../src/metrics/overlap.ts'
import { surfaceDistances } from '../src/metrics/surface-distances.ts'
import { sampleDisplacement } from '../src/noise/displacement.ts'
import { foldProbability } from '../src/noise/fold.ts'
import { marginal, marginalInBox } from '../src/noise/marginal.ts'
import { createSampler } from '../src/noise/sampler.ts'
import { InputError } from '../src/volume/errors.ts'
import { createGrid, type Grid, type Vec3 } from '../src/volume/grid.ts'
import type { LabelArray } from '../src/volume/labels.ts'
import { channelOf } from '../src/volume/volume.ts'

const grid = createGrid([4, 4, 4])
const labels = new Uint8Array(64).fill(1, 20, 40)
const noise = { sigmaMm: [1, 1, 1] as Vec3, lengthMm: 4 }
const flat = createGrid([4, 4, 4], [1, 0, 1])
/** As a caller without types would hand it over. */
const as = <T>(value: unknown): T => value as T

describe('public functions refuse what they cannot take, and say what they expect', () => {
  test.each<[string, () => unknown, string]>([
    ['marginal: length', () => marginal(labels.subarray(0, 20), grid, 1, noise.sigmaMm), '20 values for 64 voxels'],
    ['marginal: list', () => marginal(as<LabelArray>([...labels]), grid, 1, noise.sigmaMm), 'labels: is Array;'],
    ['marginal: floats', () => marginal(as<LabelArray>(new Float32Array(64)), grid, 1, noise.sigmaMm), 'integers'],
    ['marginal: label', () => marginal(labels, grid, 0.5, noise.sigmaMm), 'label: is 0.5; give a whole number'],
    ['marginal: σ', () => marginal(labels, grid, 1, [1, Number.NaN, 1]), 'sigma: is 1,NaN,1;'],
    ['marginal: one σ', () => marginal(labels, grid, 1, as<Vec3>(4)), 'sigma: is 4; give three numbers'],
    ['marginal: out', () => marginal(labels, grid, 1, [1, 1, 1], as(new Float64Array(64))), 'out: is no Float32Array'],
    ['marginal: grid', () => marginal(labels, flat, 1, noise.sigmaMm), 'grid: has spacing 1, 0, 1 mm'],
    [
      'marginal: no grid',
      () => marginal(labels, as<Grid>({ shape: [4, 4, 4] }), 1, noise.sigmaMm),
      'grid: has spacing',
    ],
    ['marginalInBox', () => marginalInBox(labels.subarray(1), grid, 1, noise.sigmaMm), '63 values for 64 voxels'],
    ['createSampler: length', () => createSampler(labels.subarray(1), grid, noise), '63 values for 64 voxels'],
    ['createSampler: ℓ', () => createSampler(labels, grid, { ...noise, lengthMm: -1 }), 'length: is -1;'],
    ['createSampler: σ', () => createSampler(labels, grid, { ...noise, sigmaMm: [-1, 1, 1] }), 'sigma: is -1,1,1;'],
    [
      'sample: out',
      () => createSampler(labels, grid, noise).sample(0, 0, as(new Int16Array(64))),
      'out: is Int16Array',
    ],
    ['sample: seed', () => createSampler(labels, grid, noise).sample(0.5, 0), 'seed: is 0.5;'],
    ['sampleDisplacement', () => sampleDisplacement(flat, noise, 0, 0), 'grid: has spacing'],
    [
      'foldProbability',
      () => foldProbability({ ...noise, lengthMm: Number.POSITIVE_INFINITY }, grid),
      'length: is Inf',
    ],
    ['dice', () => dice(labels, labels.subarray(1)), 'second mask: has 63 values for 64 voxels'],
    ['dice of a list', () => dice(as<LabelArray>([0, 1]), as<LabelArray>([0, 1])), 'first mask: is Array;'],
    ['surfaceDistances', () => surfaceDistances(labels, labels, flat), 'grid: has spacing 1, 0, 1 mm'],
    ['evaluateLabels', () => evaluateLabels(labels.subarray(1), labels, grid), 'prediction: has 63 values'],
    ['calibration: range', () => calibration(Float32Array.of(1.5), Uint8Array.of(1)), 'probabilities: hold 1.5'],
    ['calibration: NaN', () => calibration(Float32Array.of(Number.NaN), Uint8Array.of(1)), 'probabilities: hold NaN'],
    ['calibration: bins', () => calibration(Float32Array.of(1), Uint8Array.of(1), 0), 'bins: are 0'],
    [
      'channelOf',
      () => channelOf({ grid, channels: 1, data: labels }, 5),
      'channel: is 5; the volume has channels 0 to 0',
    ],
    [
      'channelOf: data',
      () => channelOf({ grid, channels: 2, data: labels }, 0),
      'volume: has 64 numbers for 2 × 4×4×4',
    ],
    [
      'decodeNifti',
      () => decodeNifti(as<Uint8Array>(new ArrayBuffer(400)), 'a.nii'),
      'a.nii: is ArrayBuffer; give bytes',
    ],
    ['decodeNpy', () => decodeNpy(as<Uint8Array>('text'), 'a.npy'), 'a.npy: is String; give bytes'],
    ['encodeNifti', () => encodeNifti({ grid, channels: 2, data: labels }), 'volume: has 64 numbers for 2 ×'],
    ['encodeNpy', () => encodeNpy({ shape: [63], data: labels }), 'array: has 64 values for 63'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
    expect(call).toThrow(InputError)
  })
})
