/** Values for keys that a configuration does not write. */
export const PRESETS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  /** Three organs, four strengths, five folds, one binary network for each: 120 networks. */
  paper: {
    folds: 5,
    noise: { sigma: [2, 4, 8, 16] },
    training: { dimensions: 3, modality: 'ct', channels: [16, 32, 64], steps: 4000 },
  },
  /** The phantom at 6 mm, slice by slice, in minutes: 20 networks of three outputs. */
  quick: {
    name: 'phantom',
    data: { kind: 'phantom', cases: 20, shape: [48, 40, 32], spacing: 6 },
    organs: ['liver', 'aorta', 'pancreas'],
    joint: true,
    folds: 5,
    noise: { sigma: [3, 9] },
    training: { dimensions: 2, modality: 'ct', channels: [12, 24, 48], batch: 12, steps: 600, patch: [48, 40] },
  },
}

/** A configuration with a comment on every key, as `halfdice study init` writes it. */
export const EXAMPLE_CONFIG = `# A study: cross-entropy, soft-Dice and the threshold, cross-validated under label noise.
# Run it with: halfdice study THIS_FILE. Lengths are in mm; paths are relative to this file.

preset: paper            # paper: 3 organs, 4 strengths, 5 folds, a network each; quick: the built-in phantom in minutes
name: my-study           # heads the report

data:
  kind: totalsegmentator # totalsegmentator, nnunet, pairs or phantom
  folder: Totalsegmentator_dataset
  # split: train         # totalsegmentator: only cases of this split in meta.csv
  # images: scans/{case}.nii.gz     # pairs: where images lie,
  # labels: masks/{case}.nii.gz     #        where label maps lie,
  # labelNames: {liver: 1}          #        and what their values mean
  # patient: ^(patient\\d+)          # the patient in a case's name, where a patient has several cases
  # cases: 200           # at most so many cases, drawn by the seed
  spacing: 3             # bring images and labels to this spacing first (one number, or one an axis, null keeps it)
  # resampleLabels: true # bring label maps that lie on another grid to their image's

organs: [liver, pancreas, gallbladder]  # labels; a+b is the union of two
joint: false             # true: one network with an output an organ, instead of one network an organ

noise:
  sigma: [2, 4, 8, 16]   # strengths; one number an axis is allowed too: [4, 4, 0]
  lengthOverSigma: 4     # length scale of the displacement over its strength, or a fixed one as length: 12

folds: 5                 # of patients, balanced in organ volume
seed: 0                  # fixes every random number

training:                # the same for both losses: long enough for the slower one (watch the curves in the report)
  dimensions: 3          # 2: slice by slice
  modality: ct           # ct: one intensity window for all; mr: each image to mean 0, deviation 1
  channels: [16, 32, 64] # of the U-Net's levels
  steps: 4000
  # batch: 2             # samples a step (default 2 volumes or 8 slices)
  # epochSteps: 400      # steps between validations and checkpoints (default a tenth)
  # patch: [64, 64, 64]  # default: the median image, at most 64³ voxels
  # flip: i              # axes along which images may be mirrored (default none)
  # augment: true        # random rotations, scaling, shifts and intensities
  # learningRate: 0.005  # with decay: cosine, polynomial or constant, and weightDecay

softDice:
  scope: batch           # sums over the batch, or over each case
  smoothing: 1           # voxels added to numerator and denominator

predictions: examples    # probability maps that are kept: all, examples (one case a fold) or none
bootstrap: 2000          # resamples of every interval
`
