"""Dice-optimal masks and label noise for medical image segmentation, on NumPy arrays.

Arrays have one to three axes of space, in the order of the image's own axes (the first is i, as nibabel reads it), and
``spacing`` is the distance of voxel centres along each of them, in mm. Nothing is changed in place.

The work is done by one process of Node.js, which starts at the first call and ends with the interpreter. Calls may come
from several threads (they wait for each other) and from forked processes (each has its own).
"""

from ._calls import close, decode, evaluate, marginal, optimum, raters, sample, threshold
from ._errors import Error, InputError, InputWarning, NodeError, RunError, ServerError
from ._results import (
    AnnotatorNoise,
    BestCut,
    ClassScore,
    Decoded,
    Estimate,
    Evaluation,
    ExpectedDice,
    Interval,
    LabelScores,
    Lesion,
    LesionScores,
    Marginals,
    MarginalVolume,
    MaskScore,
    Optimum,
    SampledLabel,
    Samples,
    Thresholded,
)

__all__ = [
    "AnnotatorNoise",
    "BestCut",
    "ClassScore",
    "Decoded",
    "Error",
    "Estimate",
    "Evaluation",
    "ExpectedDice",
    "InputError",
    "InputWarning",
    "Interval",
    "LabelScores",
    "Lesion",
    "LesionScores",
    "MarginalVolume",
    "Marginals",
    "MaskScore",
    "NodeError",
    "Optimum",
    "RunError",
    "SampledLabel",
    "Samples",
    "ServerError",
    "Thresholded",
    "close",
    "decode",
    "evaluate",
    "marginal",
    "optimum",
    "raters",
    "sample",
    "threshold",
]
