/** Values for keys that a configuration does not write. */
export const studyPresets: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
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
export const exampleConfig = `# A study: cross-entropy, soft-Dice and the threshold, cross-validated under label noise.
# Run it with: halfdice study THIS_FILE. Lengths are in mm; paths are relative to this file.
# Keys that are commented out show their defaults, or an example where they have none.

preset: paper            # paper: 3 organs, 4 strengths, 5 folds, a network each; quick: the built-in phantom in minutes
name: my-study           # heads the report

data:
  kind: totalsegmentator # totalsegmentator, nnunet, pairs or phantom
  folder: Totalsegmentator_dataset  # totalsegmentator, nnunet: the data set's folder
  # split: train         # totalsegmentator: only cases of this split in meta.csv (else all)
  # images: scans/{case}.nii.gz     # pairs: where images lie,
  # labels: masks/{case}.nii.gz     # pairs: where label maps lie,
  # labelNames: {liver: 1}          # pairs: and what their values mean
  # shape: [96, 80, 64]  # phantom: voxels along each axis
  # seed: 0              # phantom: which cases it makes
  # cases: 200           # at most so many cases, drawn by the study's seed (else all); phantom: how many it makes
  # patient: ^(patient\\d+)          # the patient in a case's name, where a patient has several cases
  spacing: 3             # resample to this first (one number, or one an axis, null keeps it); phantom: made with it
  # resampleLabels: false           # true: resample label maps that lie on another grid to their image's

organs: [liver, pancreas, gallbladder]  # labels; a+b is the union of two
joint: false             # true: one network with an output an organ, instead of one network an organ

noise:
  sigma: [2, 4, 8, 16]   # strengths; one number an axis is allowed too: [[4, 4, 0], [8, 8, 0]]
  lengthOverSigma: 4     # length scale of the displacement over its strength (below 3.2 more than 1 % of voxels fold),
  # length: 12           # or the same length scale for every strength
  # presence: 1          # probability that an annotator draws an organ at all
  # bias: 0              # how far outwards annotators draw outlines, and
  # tau: 0               # the standard deviation of that between annotators
  # file: fit.json       # in place of all these: the noise of real annotators, from halfdice raters -o
  # label: 1             # where that file has several labels: the one whose noise moves the organs

folds: 5                 # of patients, balanced in organ volume
seed: 0                  # fixes every random number
# losses: [cross-entropy, soft-dice]  # also dice+cross-entropy, the sum of both
# replicates: 1          # how often noise is drawn and networks are trained, for intervals that hold both

# networks:              # trained elsewhere instead, by what they have predicted (docs/nnunet.md)
#   predictions:         # {organ}, {sigma}, {fold} and {replicate} stand for those of the network
#     cross-entropy: ce/{organ}_{sigma}/fold_{fold}/validation
#     soft-dice: dice/{organ}_{sigma}/fold_{fold}/validation

training:                # the same for all losses: long enough for the slower one (watch the curves in the report)
  dimensions: 3          # 2: slice by slice
  modality: ct           # ct: one intensity window for all; mr: each image to mean 0, deviation 1
  # crop: none           # nonzero: only the box of voxels that are not 0
  channels: [16, 32, 64] # of the U-Net's levels
  # convolutions: 2      # of a level on the way down, and again on the way up
  # down: max-pool       # or strided: how a level halves its image
  # up: transposed       # or resize: how it is doubled again
  steps: 4000            # changes of the weights, each by one batch
  # batch: 2             # patches a step (default 2 volumes or 8 slices)
  # threads: 1           # of a network; results depend on it (idle cores join in anyway where no byte changes)
  # epochSteps: 400      # steps between validations and checkpoints (default a tenth of all)
  # patch: [64, 64, 64]  # voxels, two numbers in 2-D (default: the median image, at most 64³ voxels)
  # flip: none           # axes along which images may be mirrored: i, ij, …
  # augment: true        # random rotations, scaling, shifts and intensities
  # learningRate: 0.005  # at its highest, after a short rise
  # decay: cosine        # how it falls: cosine, polynomial or constant (stays)
  # weightDecay: 0.0001  # AdamW's, a step times the learning rate

softDice:
  scope: batch           # sums over the batch, or over each case
  smoothing: 1           # voxels added to numerator and denominator

predictions: examples    # probability maps that are kept: all, examples (one case a fold) or none
bootstrap: 2000          # resamples of every interval
# margin: 0.01           # δ: differences in Dice below it are of no interest; equivalent means within it
`
