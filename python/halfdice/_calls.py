"""The calls themselves: arrays and options to the process, its answer to typed results."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, Mapping, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import Layout, finite, label_array, layout_of, real_array
from ._errors import InputError, InputWarning
from ._results import (
    AnnotatorNoise,
    BestCut,
    ClassScore,
    Decoded,
    Estimate,
    Evaluation,
    ExpectedDice,
    Interval,
    LabelKey,
    LabelScores,
    Lesion,
    LesionScores,
    Marginals,
    MarginalVolume,
    Optimum,
    SampledLabel,
    Samples,
    Thresholded,
    build,
)
from ._server import server

#: One length for all axes, or one an axis, mm.
Lengths = Union[float, Sequence[float]]
#: A label, labels joined by a plus ("1+2"), or several of them.
Labels = Union[int, str, Sequence[Union[int, str]]]

#: Samples come back in pieces of so many bytes, so that two copies of all are never needed.
_PIECE_BYTES = 1 << 28


def threshold(
    p: ArrayLike,
    *,
    spacing: Lengths | None = None,
    at: float | None = None,
    metric: str = "dice",
    presence: str = "auto",
    scale: float | None = None,
    logits: str | None = None,
) -> Thresholded:
    """The Dice-optimal mask of one class: its probabilities cut at t* = D*/2, half of the best Dice they allow.

    Args:
        p: Probabilities of one class, one to three axes; float16, float32 or float64, integers with ``scale``, or bool.
        spacing: Distance of voxel centres in mm; with it volumes are in ml, else in voxels.
        at: Cut here instead (above 0, at most 1), and tell what it is worth.
        metric: What the mask is to maximise: ``dice``, ``iou`` (the same mask), ``accuracy`` (the cut at ½) or
            ``volume`` (the expected volume).
        presence: Whether a class without a voxel of ½ is there: ``auto`` by its evidence, ``always``, or ``likely``.
        scale: What stands for probability 1 (255, 65535, 100 …).
        logits: ``sigmoid`` where ``p`` holds logits.

    Returns:
        The mask (bool, of the shape of ``p``), its threshold and scores.

    Raises:
        InputError: Where a value is no probability, or an option cannot be.

    >>> import halfdice
    >>> best = halfdice.threshold([0.9, 0.4, 0.3, 0.0])
    >>> best.mask.tolist(), round(best.threshold, 4), round(best.sup_dice, 4)
    ([True, True, False, False], 0.3611, 0.7222)
    """
    array = real_array(p, "probabilities")
    layout = layout_of(array, "probabilities")
    options = _maps_options(layout, spacing, metric, presence, scale, logits)
    if at is not None:
        options["at"] = finite("at", at)
    told, (mask,) = _call("threshold", options, [layout.send(array)])
    return build(Thresholded, told, mask=layout.receive(mask).view(np.bool_))


def decode(
    p: ArrayLike,
    *,
    kind: str | None = None,
    classes: str | Sequence[str] | None = None,
    dataset_json: str | os.PathLike[str] | None = None,
    spacing: Lengths | None = None,
    at: float | Sequence[float | None] | None = None,
    metric: str = "dice",
    presence: str = "auto",
    scale: float | None = None,
    logits: str | None = None,
) -> Decoded:
    """Dice-optimal masks of several classes: each cut at its own t*, conflicts shared out so that Dice loses least.

    Args:
        p: Probabilities with axes [class, …] and one to three axes of space; types as in ``threshold``.
        kind: ``exclusive``: classes that share no voxel (a softmax), one label map; ``regions``: overlapping sets of
            labels, one label map; ``separate``: a mask a class. Default: as ``dataset_json`` says, else ``exclusive``
            (``separate`` for one class).
        classes: Names in the order of the maps, with their labels where these are not 0, 1, 2 …:
            ``["background", "liver", "tumour"]`` or ``["whole=1+2", "core=2"]``. By default the first of several
            exclusive maps is the background.
        dataset_json: Path of nnU-Net's ``dataset.json``, instead of ``classes``.
        spacing, metric, presence, scale: As in ``threshold``.
        at: Cut here instead; one threshold, or one a map (None: its own).
        logits: ``softmax`` (over all maps) or ``sigmoid`` (each) where ``p`` holds logits.

    Returns:
        The label map or masks, and the scores of each class.

    Raises:
        InputError: Where a value is no probability, classes do not add up to 1, or an option cannot be.

    >>> import halfdice
    >>> softmax = [[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]  # the background and two organs, three voxels
    >>> halfdice.decode(softmax).labels.tolist()
    [1, 0, 2]
    """
    array = real_array(p, "probabilities")
    layout = layout_of(array, "probabilities", lead=1)
    options = _maps_options(layout, spacing, metric, presence, scale, logits)
    if kind is not None:
        options["decode"] = str(kind)
    if classes is not None:
        options["classes"] = classes if isinstance(classes, str) else ",".join(map(str, classes))
    if dataset_json is not None:
        options["datasetJson"] = os.path.abspath(dataset_json)
    if at is not None:
        each = [at] * array.shape[0] if np.ndim(at) == 0 else list(at)  # type: ignore[arg-type]
        options["at"] = [None if t is None else finite("at", t) for t in each]
    told, (labels,) = _call("threshold", options, [layout.send(array)])
    maps = told["maps"] if "maps" in told else [{**told["classes"][0], **told}]
    if told["kind"] == "separate":
        labels = labels.view(np.bool_).reshape(array.shape[0], *labels.shape[-3:])
    return Decoded(
        labels=layout.receive(labels),
        kind=told["kind"],
        maps=tuple(build(ClassScore, each, labels=tuple(each["labels"])) for each in maps),
        sharing_loss=told.get("sharingLoss"),
    )


def marginal(
    labels: ArrayLike,
    sigma: Lengths,
    *,
    spacing: Lengths = 1.0,
    only: Labels | None = None,
    background: bool = False,
) -> Marginals:
    """The exact probability of each class at each voxel where noise of strength σ moves the contours.

    Args:
        labels: A label map of one to three axes: integers from 0 (background) to 65535, or bool.
        sigma: Standard deviation of the displacement in mm, for all axes or one an axis.
        spacing: Distance of voxel centres along each axis, mm.
        only: These labels; by default all but the background.
        background: Also label 0, first, so that probabilities add up to 1.

    Returns:
        Probabilities with axes [class, …], within 10⁻⁶ of the formula, and the volumes that they add up to.

    Raises:
        InputError: Where ``labels`` holds something else, or an option cannot be.

    >>> import halfdice
    >>> (1000 * halfdice.marginal([0, 0, 1, 1], sigma=1).probabilities).astype(int).tolist()
    [[66, 308, 691, 933]]
    """
    array = label_array(labels, "labels")
    layout = layout_of(array, "labels")
    options = _noise_options(layout, spacing, only)
    options["sigmaMm"] = layout.per_axis("sigma", sigma)
    options["background"] = bool(background)
    told, (p,) = _call("marginal", options, [layout.send(array)])
    return Marginals(layout.receive(p), tuple(build(MarginalVolume, each) for each in told["labels"]))


def optimum(
    labels: ArrayLike,
    sigma: Lengths | Sequence[Sequence[float]],
    *,
    spacing: Lengths = 1.0,
    length: float | None = None,
    only: Labels | None = None,
    samples: int | None = None,
    seed: int = 0,
    name: str = "",
) -> list[Optimum]:
    """What a perfect network could reach on labels with noise of strength σ, and the threshold that reaches it.

    Args:
        labels: A label map of one to three axes, as in ``marginal``.
        sigma: One strength in mm; several in a list, each a number for all axes or a list of one an axis.
        spacing: Distance of voxel centres along each axis, mm.
        length: Length scale of the noise, mm: adds the share of space that folds.
        only: These labels; by default all but the background.
        samples: Also the mean Dice over so many sampled labels (needs ``length``).
        seed, name: Fix those samples, as the command line's ``--seed`` and the file's name without its ending do.

    Returns:
        One row a label and strength, label by label.

    Raises:
        InputError: Where ``labels`` holds something else, or an option cannot be.

    >>> import halfdice
    >>> row, = halfdice.optimum([0, 0, 1, 1, 0, 0], sigma=1)
    >>> round(row.sup_dice, 3), round(row.threshold, 3), round(row.dice_at_half, 3)
    (0.627, 0.313, 0.627)
    """
    array = label_array(labels, "labels")
    layout = layout_of(array, "labels", first_fastest=samples is not None)
    strengths = list(sigma) if isinstance(sigma, (Sequence, np.ndarray)) and not isinstance(sigma, str) else [sigma]
    options = _noise_options(layout, spacing, only)
    options.update(
        sigmasMm=[layout.per_axis("sigma", each) for each in strengths], seed=_whole("seed", seed), name=str(name)
    )
    if length is not None:
        options["lengthMm"] = finite("length", length)
    if samples is not None:
        if length is None:
            raise InputError("samples: noisy labels need a length scale; give length")
        options["samples"] = _whole("samples", samples)
    told, _ = _call("optimum", options, [layout.send(array)])
    return [
        build(
            Optimum,
            row,
            sigma_mm=layout.from_grid(row["sigmaMm"]),
            expected_dice=_expected(row["expectedDice"]) if "expectedDice" in row else None,
        )
        for row in told["rows"]
    ]


def sample(
    labels: ArrayLike,
    sigma: Lengths,
    length: float,
    *,
    spacing: Lengths = 1.0,
    number: int = 1,
    seed: int = 0,
    name: str = "",
    first: int = 0,
    only: Labels | None = None,
    threads: int = 1,
) -> Samples:
    """Noisy versions of a label map, as other annotators might have drawn it: a smooth random field moves all contours.

    Args:
        labels: A label map of one to three axes, as in ``marginal``.
        sigma: Standard deviation of the displacement in mm, for all axes or one an axis.
        length: Length scale of the noise in mm, at least 3 σ as a rule.
        spacing: Distance of voxel centres along each axis, mm.
        number: How many to draw.
        seed, name: Fix the field. With the name of a file without its ending they give the samples that ``halfdice
            sample`` draws of that file.
        first: Number of the first sample.
        only: Keep these labels only.
        threads: Threads to draw on; they change nothing in the samples, and pay for many samples of large maps.

    Returns:
        The samples, and each label's volume and Dice in each.

    Raises:
        InputError: Where ``labels`` holds something else, or an option cannot be.

    >>> import numpy as np, halfdice
    >>> disc = np.hypot(*np.mgrid[-20:21, -20:21]) < 12
    >>> noisy = halfdice.sample(disc, sigma=2, length=8, number=3, name="disc")
    >>> noisy.labels.shape, noisy.labels.dtype, all(s[1].dice > 0.8 for s in noisy.samples)
    ((3, 41, 41), dtype('bool'), True)
    """
    given = np.asarray(labels)
    array = label_array(given, "labels")
    # The field runs along the axes in their order: with the first as the fastest it is that of the file.
    layout = layout_of(array, "labels", first_fastest=True)
    options = _noise_options(layout, spacing, only)
    options.update(
        sigmaMm=layout.per_axis("sigma", sigma),
        lengthMm=finite("length", length),
        seed=_whole("seed", seed),
        name=str(name),
        threads=_whole("threads", threads),
    )
    count, start = _whole("number", number), _whole("first", first)
    piece = max(1, _PIECE_BYTES // max(1, array.nbytes))
    sent = layout.send(array)
    out: np.ndarray | None = None
    told: list[Mapping[str, Any]] = []
    fold = 0.0
    for done in range(0, max(count, 1), piece):
        part = {**options, "first": start + done, "number": min(piece, count - done) if count > 0 else count}
        answer, (drawn,) = _call("sample", part, [sent])
        if out is None:
            out = np.empty((count, *drawn.shape[1:]), given.dtype if given.dtype.kind in "iub" else drawn.dtype)
        out[done : done + len(drawn)] = drawn
        told += answer["samples"]
        fold = answer["foldProbability"]
    assert out is not None
    counts = tuple({int(label): build(SampledLabel, each) for label, each in row.items()} for row in told)
    return Samples(layout.receive(out), fold, counts)


def evaluate(
    prediction: ArrayLike,
    reference: ArrayLike,
    *,
    spacing: Lengths = 1.0,
    labels: Labels | None = None,
    at: float | str = 0.5,
    presence: str = "auto",
    scale: float | None = None,
    ignore: int | None = None,
    surfaces: bool = True,
    distances: str = "voxel",
    tolerances: Sequence[float] | None = None,
    lesions: bool | Mapping[str, Any] = False,
) -> Evaluation:
    """Scores of a prediction against a reference, label by label: overlap, volumes, surface distances, calibration.

    Args:
        prediction: A label map, or probabilities of one class, of the reference's shape; or one map a class with axes
            [class, …].
        reference: A label map of one to three axes.
        spacing: Distance of voxel centres along each axis, mm.
        labels: What to score; by default all labels of both. A plus joins labels: ``[1, 2, "1+2"]``. For several maps:
            what each of them is.
        at: Where probabilities are cut: a threshold, or ``auto`` for each map's own t*.
        presence: For ``auto``, as in ``threshold``.
        scale: What stands for probability 1 in the prediction.
        ignore: The reference's label of voxels that nobody has annotated; they count in nothing.
        surfaces: Whether to measure surface distances.
        distances: ``voxel`` as MONAI measures them, or ``area`` as google-deepmind/surface-distance does.
        tolerances: Of the normalised surface Dice, mm; by default 1 and 3.
        lesions: Also score connected components; options are ``connectivity``, ``matching`` and ``min_iou``.

    Raises:
        InputError: Where shapes differ, an array holds something else, or an option cannot be.

    >>> import halfdice
    >>> scores = halfdice.evaluate([0, 2, 2, 0], [0, 2, 0, 0], spacing=2).labels[2]
    >>> round(scores.dice, 4), scores.volume_pred_ml, scores.hd_mm
    (0.6667, 0.004, 2.0)
    """
    ref = label_array(reference, "reference")
    pred = real_array(prediction, "prediction")
    pred = pred if pred.dtype.kind == "f" else label_array(pred, "prediction")
    layout = layout_of(ref, "reference")
    if pred.shape[-ref.ndim :] != ref.shape or pred.ndim not in (ref.ndim, ref.ndim + 1):
        raise InputError(f"prediction: has shape {pred.shape}, the reference {ref.shape}; give arrays of one grid")
    options: dict[str, Any] = {
        "spacingMm": layout.per_axis("spacing", spacing, 1.0),
        "at": at if isinstance(at, str) else finite("at", at),
        "presence": str(presence),
        "surfaces": bool(surfaces),
        "distances": str(distances),
    }
    if labels is not None:
        options["labels"] = _label_texts(labels)
    if scale is not None:
        options["scale"] = finite("scale", scale)
    if ignore is not None:
        options["ignore"] = _whole("ignore", ignore)
    if tolerances is not None:
        options["tolerancesMm"] = [finite("tolerances", t) for t in tolerances]
    if lesions:
        own = {} if lesions is True else dict(lesions)  # type: ignore[arg-type]
        options["lesions"] = {"minIou" if key == "min_iou" else key: value for key, value in own.items()}
    told, _ = _call("evaluate", options, [layout.send(pred), layout.send(ref)])
    return Evaluation({_label_key(key): _scores(score, layout) for key, score in told["labels"].items()})


def raters(
    cases: Sequence[Sequence[ArrayLike]],
    *,
    spacing: Lengths | Sequence[Lengths] = 1.0,
    label: int = 1,
    anonymous: bool = False,
    draws: int = 300,
    seed: int = 0,
) -> AnnotatorNoise:
    """How noisy several annotators are: from their masks of the same cases, in mm (docs/annotators.md).

    Args:
        cases: Of each case the label maps of its 2 to 20 annotators, of one shape, in the annotators' order; a map
            without the label is of one who did not draw it.
        spacing: Distance of voxel centres along each axis, mm; one for all cases, or a list with a sequence for each.
        label: The label that is compared.
        anonymous: Annotator 1 of one case is not annotator 1 of another: biases are random.
        draws: Draws of cases for the intervals; 0 for none.
        seed: Fixes the random numbers.

    Raises:
        InputError: Where no case has outlines of two annotators to compare, or shapes differ.

    >>> import halfdice
    >>> import numpy as np
    >>> mask = np.zeros((20, 20), np.uint8)
    >>> mask[5:15, 5:15] = 1
    >>> halfdice.raters([[mask, mask, mask]]).sigma_mm.estimate
    0.0
    """
    per_case = np.ndim(spacing) > 0 and np.ndim(spacing[0]) > 0  # type: ignore[index]
    if per_case and len(spacing) != len(cases):  # type: ignore[arg-type]
        count = len(spacing)  # type: ignore[arg-type]
        raise InputError(f"spacing: has {count} entries for {len(cases)} cases; give one for each, or one for all")
    arrays: list[np.ndarray] = []
    lengths: list[list[float]] = []
    axes = 3
    for c, maps in enumerate(cases):
        if isinstance(maps, np.ndarray):
            # Its slices would pass for annotators.
            remedy = "give the list of its annotators' maps: [[a, b, c]] is one case"
            raise InputError(f"case {c + 1}: is one array; {remedy}")
        own = [label_array(each, f"case {c + 1}") for each in maps]
        if len({each.shape for each in own}) != 1:
            raise InputError(f"case {c + 1}: has maps of several shapes; give maps of one grid")
        layout = layout_of(own[0], f"case {c + 1}", first_fastest=True)
        axes = layout.axes
        arrays.extend(layout.send(each) for each in own)
        lengths.append(layout.per_axis("spacing", spacing[c] if per_case else spacing, 1.0))
    options = {
        "counts": [len(maps) for maps in cases],
        "spacingsMm": lengths,
        "label": _whole("label", label),
        "anonymous": bool(anonymous),
        "draws": _whole("draws", draws),
        "seed": _whole("seed", seed),
    }
    told, _ = _call("raters", options, arrays)
    sigma = told["sigmaMm"]
    biases = told.get("biasMm")
    dice = told.get("dice", {})
    return AnnotatorNoise(
        cases=told["cases"],
        sigma_mm=tuple(
            build(Estimate, {key: value and value[axis] for key, value in sigma.items()}) for axis in range(axes)
        )
        if isinstance(sigma["estimate"], list)
        else build(Estimate, sigma),
        length_mm=told["lengthMm"] and build(Estimate, told["lengthMm"]),
        bias_mm=None if biases is None else tuple(build(Estimate, each) for each in biases),
        bias_sd_mm=build(Estimate, told["biasSdMm"]) if "biasSdMm" in told else None,
        presence=build(Estimate, told["presence"]),
        gross_errors=build(Estimate, told["grossErrors"]),
        fits=told.get("fits"),
        misfits=tuple(told.get("misfits", ())),
        dice=dice.get("real"),
        simulated_dice=dice.get("simulated"),
    )


def close() -> None:
    """Ends the process behind this package; the next call starts another. The interpreter's end does so too."""
    server.close()


def _call(method: str, options: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    told, out = server.call(method, options, arrays)
    for text in told.get("warnings", ()):
        warnings.warn(text, InputWarning, stacklevel=_outside())
    return told, out


def _outside() -> int:
    """How far up the stack the caller of this package is, for ``warnings.warn`` in ``_call``."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    return level


def _maps_options(
    layout: Layout,
    spacing: Lengths | None,
    metric: str,
    presence: str,
    scale: float | None,
    logits: str | None,
) -> dict[str, Any]:
    options: dict[str, Any] = {"metric": str(metric), "presence": str(presence)}
    if spacing is not None:
        options["spacingMm"] = layout.per_axis("spacing", spacing, 1.0)
    if scale is not None:
        options["scale"] = finite("scale", scale)
    if logits is not None:
        if logits not in ("softmax", "sigmoid"):
            raise InputError(f"logits: is {logits!r}; give 'softmax' or 'sigmoid'")
        options["logits"] = logits
    return options


def _noise_options(layout: Layout, spacing: Lengths, only: Labels | None) -> dict[str, Any]:
    options: dict[str, Any] = {"spacingMm": layout.per_axis("spacing", spacing, 1.0)}
    if only is not None:
        options["labels"] = _label_texts(only)
    return options


def _whole(name: str, value: Any) -> int:
    x = finite(name, value)
    if x != int(x):
        raise InputError(f"{name}: is {value}; give a whole number")
    return int(value)


def _label_texts(labels: Labels) -> list[str]:
    several = [labels] if isinstance(labels, str) or np.ndim(labels) == 0 else labels
    return [str(each) for each in several]  # type: ignore[union-attr]


def _label_key(text: str) -> LabelKey:
    return int(text) if text.isdigit() else text


def _expected(told: Mapping[str, Any]) -> ExpectedDice:
    own = {key: build(Interval, told[key]) for key in ("gain", "regret")}
    return ExpectedDice(
        at_half=build(Interval, told["atHalf"]),
        at_optimum=build(Interval, told["atOptimum"]),
        best=build(BestCut, told["best"]),
        **own,
    )


def _scores(told: Mapping[str, Any], layout: Layout) -> LabelScores:
    nsd = {float(tolerance): value for tolerance, value in told.get("nsd", {}).items()}
    return build(LabelScores, told, nsd=nsd, lesions=_lesions(told["lesions"], layout) if "lesions" in told else None)


def _lesions(told: Mapping[str, Any], layout: Layout) -> LesionScores:
    def each(lesion: Mapping[str, Any]) -> Lesion:
        return Lesion(lesion["volumeMl"], layout.from_grid(lesion["centre"]))

    return build(
        LesionScores,
        told,
        missed=tuple(each(lesion) for lesion in told["missed"]),
        false_alarms=tuple(each(lesion) for lesion in told["falseAlarms"]),
    )
