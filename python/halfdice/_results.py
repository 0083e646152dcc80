"""What calls return. Fields are called as in the JSON of the command line, with underscores."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Mapping, Type, TypeVar, Union

import numpy as np

T = TypeVar("T")

#: A label; labels that were scored together are joined by a plus: ``"1+2"``.
LabelKey = Union[int, str]


@dataclass(frozen=True)
class MaskScore:
    """What a mask is worth, by its map's own probabilities. Volumes are in ml with ``spacing``, else in voxels."""

    #: Where the map was cut; None where the mask is no cut (the argmax of several maps).
    threshold: float | None
    #: D*, the most that any mask of this map can be expected to reach.
    sup_dice: float
    #: The expected (soft) Dice of this mask, and of the cut at ½.
    soft_dice: float
    dice_at_half: float
    #: Whether the mask holds a voxel.
    present: bool
    #: Volumes of the mask, of the cut at ½, and of the probabilities (their sum); None without ``spacing``.
    volume_ml: float | None = None
    volume_half_ml: float | None = None
    probability_volume_ml: float | None = None
    #: What went to other classes of the same label map.
    lost_ml: float | None = None
    #: The same in voxels; None with ``spacing``.
    volume_voxels: int | None = None
    volume_half_voxels: int | None = None
    probability_volume_voxels: float | None = None
    lost_voxels: int | None = None


@dataclass(frozen=True)
class Thresholded(MaskScore):
    """A mask, and what it is worth."""

    #: bool, of the map's shape.
    mask: np.ndarray = None  # type: ignore[assignment]


@dataclass(frozen=True)
class ClassScore(MaskScore):
    """What the mask of one class is worth."""

    name: str = ""
    #: The labels that the class stands for: one, or those of a region.
    labels: tuple[int, ...] = ()


@dataclass(frozen=True)
class Decoded:
    """Masks of several classes."""

    #: A label map (uint8 or uint16) of the maps' shape without the axis of classes; of ``kind`` separate a stack of
    #: masks, bool, of the maps' shape.
    labels: np.ndarray
    #: ``exclusive``, ``regions`` or ``separate``.
    kind: str
    #: One a class, in the order of the maps, without the background.
    maps: tuple[ClassScore, ...]
    #: How much mean soft Dice it cost to share out voxels that several classes claim; None where none were shared.
    sharing_loss: float | None = None


@dataclass(frozen=True)
class MarginalVolume:
    """A class of ``Marginals``."""

    label: int
    #: The expected volume, and that of the reference.
    volume_ml: float
    reference_ml: float


@dataclass(frozen=True)
class Marginals:
    """Exact probabilities of classes under label noise."""

    #: float32, axes [class, …], classes as in ``labels``.
    probabilities: np.ndarray
    labels: tuple[MarginalVolume, ...]


@dataclass(frozen=True)
class Interval:
    """A mean over samples with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class BestCut(Interval):
    """The best of all thresholds."""

    threshold: float = 0.0


@dataclass(frozen=True)
class ExpectedDice:
    """Mean Dice of cuts of the exact probabilities against sampled noisy labels."""

    at_half: Interval
    at_optimum: Interval
    best: BestCut
    #: Dice at t* less Dice at ½, and Dice at the best threshold less Dice at t*, paired by sample.
    gain: Interval
    regret: Interval


@dataclass(frozen=True)
class Optimum:
    """What the best prediction of one label at one noise strength reaches."""

    label: int
    #: One number an axis of the array, mm.
    sigma_mm: tuple[float, ...]
    #: D*, the threshold t* that reaches it, and what the cut at ½ reaches.
    sup_dice: float
    threshold: float
    dice_at_half: float
    #: The expected volume.
    probability_volume_ml: float
    #: Volumes of the cut at ½ and of the optimal mask over the expected one.
    volume_ratio_half: float
    volume_ratio_dice: float
    #: The share of space that the noise folds; None without ``length``.
    fold_probability: float | None = None
    #: None without ``samples``.
    expected_dice: ExpectedDice | None = None


@dataclass(frozen=True)
class SampledLabel:
    """A label in one sample: its size, and its Dice with the reference."""

    voxels: int
    volume_ml: float
    dice: float


@dataclass(frozen=True)
class Samples:
    """Noisy versions of a label map."""

    #: Axes [sample, …], in the type of the reference where that holds integers.
    labels: np.ndarray
    #: The share of space that the noise folds.
    fold_probability: float
    #: One a sample, by label.
    samples: tuple[dict[int, SampledLabel], ...]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval over cases; None where there is no interval."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AnnotatorNoise:
    """How several annotators differ, and whether ones simulated so agree as the real ones do."""

    #: Cases whose outlines were compared.
    cases: int
    #: Standard deviation of the displacement of outlines: one for all axes, or one for each where they are told apart.
    sigma_mm: Estimate | tuple[Estimate, ...]
    #: None where the annotators do not differ.
    length_mm: Estimate | None
    #: How far outwards of their mean each of named annotators draws; None for anonymous ones (see ``bias_sd_mm``).
    bias_mm: tuple[Estimate, ...] | None
    bias_sd_mm: Estimate | None
    #: Probability that an annotator draws the label at all.
    presence: Estimate
    #: Share of the outline that lies farther off than the noise explains.
    gross_errors: Estimate
    #: Whether the model fits, and what does not; None where the annotators do not differ.
    fits: bool | None
    misfits: tuple[str, ...]
    #: Mean Dice of pairs of annotators, and of simulated ones.
    dice: float | None
    simulated_dice: float | None


@dataclass(frozen=True)
class Lesion:
    """A connected component of a mask."""

    volume_ml: float
    #: Its centre of mass, in voxels of the array from 0, one number an axis.
    centre: tuple[float, ...]


@dataclass(frozen=True)
class LesionScores:
    """How well the lesions of a prediction are those of the reference."""

    lesions_pred: int
    lesions_ref: int
    tp: int
    fp: int
    fn: int
    f1: float
    #: Recognition, segmentation and panoptic quality.
    rq: float
    sq: float | None
    pq: float
    missed: tuple[Lesion, ...] = ()
    false_alarms: tuple[Lesion, ...] = ()


@dataclass(frozen=True)
class LabelScores:
    """How well one label of a prediction agrees with the reference."""

    #: 1 where the label is in neither, 0 where it is in one only; so IoU, precision and recall.
    dice: float
    iou: float
    precision: float
    recall: float
    volume_pred_ml: float
    volume_ref_ml: float
    #: Prediction less reference, and the same over the reference (None where that is empty).
    volume_difference_ml: float
    relative_volume_difference: float | None
    #: Distances of the surfaces: None where either is empty, or ``surfaces`` is False.
    hd95_mm: float | None
    assd_mm: float | None
    hd_mm: float | None
    #: Normalised surface Dice by tolerance in mm.
    nsd: dict[float, float]
    #: None unless ``lesions`` was given.
    lesions: LesionScores | None = None
    #: Of probabilities: where they were cut, the soft Dice that they promise there, and how far they are calibrated.
    threshold: float | None = None
    soft_dice: float | None = None
    ece: float | None = None
    brier: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """Scores of a prediction, by label."""

    labels: dict[LabelKey, LabelScores]


def build(kind: Type[T], told: Mapping[str, Any], **own: Any) -> T:
    """A result from the object that came back, of which it takes the fields it has; ``own`` are made already."""
    types = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
    given = {_snake(key): value for key, value in told.items()}
    return kind(**{**{name: _as(types[name], value) for name, value in given.items() if name in types}, **own})


def _as(kind: str, value: Any) -> Any:
    """JSON does not tell 2.0 from 2."""
    return float(value) if kind.startswith("float") and type(value) is int else value


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)
