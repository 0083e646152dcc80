"""The calls against NumPy and against the commands."""

from __future__ import annotations

import doctest
import tempfile
import unittest
import warnings
from pathlib import Path

import numpy as np
from support import best_cut, command, organs, read_nifti, write_nifti

import halfdice
import halfdice._calls

SPACING = (1.5, 2.0, 3.0)
rng = np.random.default_rng(5)


def probabilities(shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape, dtype=np.float32) ** 6


class Threshold(unittest.TestCase):
    def test_is_the_best_of_all_cuts(self) -> None:
        for shape in [(500,), (30, 40), (17, 13, 11)]:
            p = probabilities(shape)
            sup_dice, t = best_cut(p)
            best = halfdice.threshold(p)
            self.assertAlmostEqual(best.sup_dice, sup_dice, delta=1e-12)
            self.assertAlmostEqual(best.threshold, t, delta=1e-12)
            np.testing.assert_array_equal(best.mask, p >= t)
            self.assertEqual((best.mask.dtype, best.mask.shape), (np.bool_, shape))
            self.assertEqual(best.volume_voxels, np.count_nonzero(p >= t))
            self.assertAlmostEqual(best.soft_dice, sup_dice, delta=1e-12)

    def test_memory_in_any_order_gives_the_same_mask(self) -> None:
        p = probabilities((9, 8, 7))
        mask = halfdice.threshold(p).mask
        wide = np.zeros((18, 8, 14), np.float32)
        wide[::2, :, ::2] = p
        backwards = np.ascontiguousarray(p[::-1])[::-1]
        mixed = np.moveaxis(np.moveaxis(p, 0, 1).copy(), 1, 0)
        for same in [np.asfortranarray(p), wide[::2, :, ::2], backwards, mixed]:
            np.testing.assert_array_equal(same, p)
            np.testing.assert_array_equal(halfdice.threshold(same).mask, mask)

    def test_every_type_of_number(self) -> None:
        bytes_ = (255 * probabilities((12, 11))).astype(np.uint8)
        shares = bytes_ / 255
        t = best_cut(shares)[1]
        for dtype in ["u1", "i2", ">u2", "i8", "f4"]:
            given = bytes_.astype(dtype)
            best = halfdice.threshold(given, scale=255)
            self.assertAlmostEqual(best.threshold, t, delta=1e-12)
            np.testing.assert_array_equal(best.mask, shares.astype(np.float32) >= t)
        for dtype in ["f2", "f4", "f8", ">f4", np.longdouble]:
            own = shares.astype(dtype)
            self.assertAlmostEqual(halfdice.threshold(own).threshold, best_cut(own)[1], delta=1e-12)
        mask = shares > 0.5
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            np.testing.assert_array_equal(halfdice.threshold(mask).mask, mask)
        self.assertIn("is it a segmentation?", str(told[0].message))
        self.assertEqual((told[0].category, told[0].filename), (halfdice.InputWarning, __file__))

    def test_volumes_are_in_ml_with_spacing(self) -> None:
        p = probabilities((6, 5, 4))
        voxels, ml = halfdice.threshold(p), halfdice.threshold(p, spacing=SPACING)
        self.assertAlmostEqual(ml.volume_ml, voxels.volume_voxels * 9 / 1000)
        self.assertAlmostEqual(ml.probability_volume_ml, float(p.sum(dtype=np.float64)) * 9 / 1000)
        self.assertIsNone(ml.volume_voxels)
        self.assertIsNone(voxels.volume_ml)
        # 2-D: the third axis counts for nothing.
        plane = halfdice.threshold(p[0], spacing=(2, 3))
        self.assertAlmostEqual(plane.probability_volume_ml, float(p[0].sum(dtype=np.float64)) * 6 / 1000)

    def test_options(self) -> None:
        p = probabilities((400,))
        self.assertEqual(halfdice.threshold(p, at=0.25).threshold, 0.25)
        np.testing.assert_array_equal(halfdice.threshold(p, metric="accuracy").mask, p >= 0.5)
        logits = np.log(p.clip(1e-6, 1 - 1e-6) / (1 - p.clip(1e-6, 1 - 1e-6))).astype(np.float64)
        self.assertAlmostEqual(halfdice.threshold(logits, logits="sigmoid").threshold, best_cut(p)[1], delta=1e-6)

    def test_equals_the_command(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            p = probabilities((13, 12, 11))
            image = write_nifti(Path(folder, "p.nii"), p, SPACING)
            mask = Path(folder, "mask.nii.gz")
            told = command("threshold", image, "-o", mask)["cases"][0]
            best = halfdice.threshold(p, spacing=SPACING)
            np.testing.assert_array_equal(read_nifti(mask), best.mask)
            # The file has the voxels in another order: sums round otherwise.
            self.assertAlmostEqual(told["threshold"], best.threshold, delta=1e-14)
            self.assertAlmostEqual(told["softDice"], best.soft_dice, delta=1e-14)
            self.assertAlmostEqual(told["volumeMl"], best.volume_ml)


class Decode(unittest.TestCase):
    def softmax(self, shape: tuple[int, ...] = (3, 13, 12, 11)) -> np.ndarray:
        p = np.exp(rng.normal(size=shape) * 2)
        return (p / p.sum(axis=0)).astype(np.float32)

    def test_equals_the_command(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            p = self.softmax()
            image = write_nifti(Path(folder, "p.nii"), np.moveaxis(p, 0, -1), SPACING)
            out = Path(folder, "labels.nii.gz")
            told = command("threshold", image, "-o", out, "--classes", "background,liver,tumour")["cases"][0]
            decoded = halfdice.decode(p, classes=["background", "liver", "tumour"], spacing=SPACING)
            np.testing.assert_array_equal(read_nifti(out), decoded.labels)
            self.assertEqual([each.threshold for each in decoded.maps], [each["threshold"] for each in told["maps"]])
            self.assertEqual([(each.name, each.labels) for each in decoded.maps], [("liver", (1,)), ("tumour", (2,))])
            self.assertAlmostEqual(decoded.sharing_loss, told["sharingLoss"])
            self.assertEqual(decoded.kind, "exclusive")
            # As nibabel gives a 4-D image: the first axis the fastest, classes last.
            turned = np.moveaxis(np.asfortranarray(np.moveaxis(p, 0, -1)), -1, 0)
            np.testing.assert_array_equal(halfdice.decode(turned).labels, decoded.labels)

    def test_each_map_on_its_own(self) -> None:
        p = self.softmax((2, 30, 20))
        decoded = halfdice.decode(p, kind="separate")
        self.assertEqual((decoded.labels.shape, decoded.labels.dtype), (p.shape, np.bool_))
        for mask, own in zip(decoded.labels, p):
            np.testing.assert_array_equal(mask, halfdice.threshold(own).mask)
        one = halfdice.decode(p[:1], classes="organ=7")
        self.assertEqual((one.kind, one.labels.shape, one.maps[0].labels), ("separate", (1, 30, 20), (7,)))
        self.assertEqual(one.maps[0].name, "organ")
        np.testing.assert_array_equal(one.labels[0], decoded.labels[0])

    def test_thresholds_of_one_s_own(self) -> None:
        p = self.softmax()
        decoded = halfdice.decode(p, at=[None, 0.4, 0.3])
        self.assertEqual([each.threshold for each in decoded.maps], [0.4, 0.3])
        argmax = halfdice.decode(p, metric="accuracy")
        np.testing.assert_array_equal(argmax.labels, p.argmax(axis=0))
        self.assertIsNone(argmax.maps[0].threshold)
        logits = np.log(p.astype(np.float64))
        same = halfdice.decode(logits, logits="softmax").labels == halfdice.decode(p).labels
        self.assertGreater(np.mean(same), 0.999)

    def test_regions_of_a_dataset_json(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "dataset.json")
            path.write_text(
                '{"labels": {"background": 0, "whole": [1, 2], "core": 2}, "regions_class_order": [1, 2],'
                '"channel_names": {"0": "CT"}, "numTraining": 1, "file_ending": ".nii.gz"}'
            )
            whole = np.array([0.9, 0.9, 0.9, 0.1])
            core = np.array([0.1, 0.9, 0.1, 0.0])
            decoded = halfdice.decode([whole, core], dataset_json=path)
            self.assertEqual((decoded.kind, decoded.labels.tolist()), ("regions", [1, 2, 1, 0]))
            self.assertEqual(decoded.maps[0].labels, (1, 2))


class Noise(unittest.TestCase):
    def setUp(self) -> None:
        self.labels = organs()

    def files(self) -> Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.image = write_nifti(Path(folder.name, "organs.nii"), self.labels, SPACING)
        return Path(folder.name)

    def test_marginals_equal_the_command(self) -> None:
        folder = self.files()
        told = command("marginal", self.image, "-o", folder / "p.nii.gz", "--sigma", "2,3,4", "--background")
        theirs = np.moveaxis(read_nifti(folder / "p.nii.gz"), -1, 0)
        for labels in [self.labels, np.asfortranarray(self.labels), self.labels.astype(np.float64)]:
            ours = halfdice.marginal(labels, (2, 3, 4), spacing=SPACING, background=True)
            np.testing.assert_allclose(ours.probabilities, theirs, atol=2e-6)
            np.testing.assert_allclose(ours.probabilities.sum(axis=0), 1, atol=1e-5)
        self.assertEqual([each.label for each in ours.labels], told["channels"])
        self.assertAlmostEqual(ours.labels[1].reference_ml, told["labels"]["1"]["referenceMl"])
        one = halfdice.marginal(self.labels, 2, only=2)
        self.assertEqual((one.probabilities.shape, one.probabilities.dtype), ((1, *self.labels.shape), np.float32))

    def test_marginals_of_a_line_are_the_formula(self) -> None:
        from math import erf, sqrt

        def cdf(x: float) -> float:
            return 0.5 * (1 + erf(x / sqrt(2)))

        line = np.zeros(30, np.int64)
        line[10:17] = 3
        p = halfdice.marginal(line, 2.5, spacing=1.5).probabilities[0]
        formula = [cdf((16.5 - x) * 1.5 / 2.5) - cdf((9.5 - x) * 1.5 / 2.5) for x in range(30)]
        np.testing.assert_allclose(p, formula, atol=1e-6)

    def test_optima_equal_the_command(self) -> None:
        self.files()
        rows = command("optimum", self.image, "--sigma", "2,3,4", "6", "--length", "12", "--samples", 5)["rows"]
        with self.assertWarnsRegex(halfdice.InputWarning, "up to .* of space is folded"):
            ours = halfdice.optimum(
                self.labels, [(2, 3, 4), 6], spacing=SPACING, length=12, samples=5, name="organs"
            )
        self.assertEqual(len(ours), 4)
        for row, own in zip(rows, ours):
            self.assertEqual((row["label"], row["threshold"], row["supDice"]), (own.label, own.threshold, own.sup_dice))
            self.assertEqual(row["foldProbability"], own.fold_probability)
            assert own.expected_dice is not None
            self.assertEqual(row["expectedDice"]["gain"]["mean"], own.expected_dice.gain.mean)
            self.assertEqual(row["expectedDice"]["best"]["threshold"], own.expected_dice.best.threshold)
        self.assertEqual((ours[0].sigma_mm, ours[1].sigma_mm), ((2, 3, 4), (6, 6, 6)))
        plain = halfdice.optimum(self.labels, (2, 3, 4), spacing=SPACING)
        self.assertEqual(len(plain), 6)  # three strengths of two labels
        p = halfdice.marginal(self.labels, 3, spacing=SPACING).probabilities[0]
        self.assertAlmostEqual(plain[1].threshold, best_cut(p)[1], delta=1e-5)
        self.assertIsNone(plain[0].fold_probability)

    def test_samples_equal_the_command(self) -> None:
        folder = self.files()
        args = ["--sigma", "3,3,4", "--length", 12, "-n", 3, "--seed", 7, "--first", 2]
        told = command("sample", self.image, "-o", folder / "noisy", *args)["samples"]
        theirs = np.stack([read_nifti(folder / "noisy" / f"organs_{n:04}.nii.gz") for n in (2, 3, 4)])
        for labels, threads in [(self.labels, 1), (np.asfortranarray(self.labels).astype(np.int32), 2)]:
            ours = halfdice.sample(
                labels, (3, 3, 4), 12, spacing=SPACING, number=3, seed=7, first=2, name="organs", threads=threads
            )
            np.testing.assert_array_equal(ours.labels, theirs)
            self.assertEqual(ours.labels.dtype, labels.dtype)
        self.assertEqual(told[1]["labels"]["2"]["voxels"], ours.samples[1][2].voxels)
        self.assertEqual(told[1]["labels"]["2"]["dice"], ours.samples[1][2].dice)
        others = halfdice.sample(self.labels, (3, 3, 4), 12, spacing=SPACING, number=3)
        self.assertFalse(np.array_equal(theirs, others.labels))

    def test_many_samples_come_in_pieces(self) -> None:
        whole = halfdice.sample(self.labels, 3, 12, number=5, only=1)
        before = halfdice._calls._PIECE_BYTES
        halfdice._calls._PIECE_BYTES = 2 * self.labels.nbytes
        try:
            pieces = halfdice.sample(self.labels, 3, 12, number=5, only=1)
        finally:
            halfdice._calls._PIECE_BYTES = before
        np.testing.assert_array_equal(whole.labels, pieces.labels)
        self.assertEqual(whole.samples, pieces.samples)
        self.assertEqual(set(np.unique(whole.labels)), {0, 1})

    def test_noise_that_folds_is_warned_of(self) -> None:
        with self.assertWarnsRegex(halfdice.InputWarning, "of space is folded by this noise"):
            halfdice.sample(self.labels, 4, 6)


class Evaluate(unittest.TestCase):
    def test_equals_the_command_and_the_definition(self) -> None:
        reference = organs()
        prediction = np.roll(reference, 1, axis=0)
        with tempfile.TemporaryDirectory() as folder:
            files = [
                write_nifti(Path(folder, f"{name}.nii"), array, SPACING)
                for name, array in [("p", prediction), ("r", reference)]
            ]
            theirs = command("evaluate", *files, "--labels", "1", "2", "1+2")["labels"]
        for order in [np.ascontiguousarray, np.asfortranarray]:
            ours = halfdice.evaluate(order(prediction), reference, spacing=SPACING, labels=[1, 2, "1+2"]).labels
            self.assertEqual(list(ours), [1, 2, "1+2"])
            for key, own in ours.items():
                told = theirs[str(key)]
                self.assertEqual(own.dice, told["dice"])
                for name, value in [("hd95Mm", own.hd95_mm), ("assdMm", own.assd_mm)]:
                    self.assertAlmostEqual(value, told[name], delta=1e-9)
        a, b = prediction == 1, reference == 1
        self.assertEqual(ours[1].dice, 2 * np.count_nonzero(a & b) / (a.sum() + b.sum()))
        self.assertAlmostEqual(ours[1].volume_ref_ml, b.sum() * 9 / 1000)
        self.assertEqual(set(ours[1].nsd), {1.0, 3.0})
        self.assertIsNone(ours[1].ece)
        # The masks are apart by one step along the first axis, of 1.5 mm.
        self.assertEqual(ours[2].hd_mm, 1.5)

    def test_probabilities(self) -> None:
        reference = organs()
        p = halfdice.marginal(reference, 3, spacing=SPACING).probabilities
        scores = halfdice.evaluate(p, reference, spacing=SPACING, labels=[1, 2], at="auto").labels
        for label, own in zip((1, 2), p):
            self.assertAlmostEqual(scores[label].threshold, best_cut(own)[1], delta=1e-6)
            brier = float(np.mean((own.astype(np.float64) - (reference == label)) ** 2))
            self.assertAlmostEqual(scores[label].brier, brier, delta=1e-7)
        half = halfdice.evaluate(p[0], reference == 1, surfaces=False).labels[1]
        self.assertEqual((half.threshold, half.hd95_mm), (0.5, None))

    def test_lesions_lie_along_the_array_s_axes(self) -> None:
        reference = np.zeros((9, 8, 7), np.uint8)
        reference[1:3, 4, 5] = 1
        reference[6, 1, 2] = 1
        prediction = np.where(np.arange(9)[:, None, None] < 4, reference, 0)
        for order in [np.ascontiguousarray, np.asfortranarray]:
            lesions = halfdice.evaluate(prediction, order(reference), lesions={"min_iou": 0.4}).labels[1].lesions
            assert lesions is not None
            self.assertEqual((lesions.tp, lesions.fn, lesions.lesions_ref), (1, 1, 2))
            self.assertEqual(lesions.missed[0].centre, (6, 1, 2))

    def test_voxels_that_nobody_annotated(self) -> None:
        scores = halfdice.evaluate([1, 1, 0, 1], [1, 0, 0, 9], ignore=9)
        self.assertEqual(scores.labels[1].dice, 2 / 3)


class Refusals(unittest.TestCase):
    def refused(self, sentence: str, call, *args, **options) -> None:
        with self.assertRaisesRegex(halfdice.InputError, sentence):
            call(*args, **options)

    def test_the_library_s_own_sentences(self) -> None:
        t, d, e = halfdice.threshold, halfdice.decode, halfdice.evaluate
        self.refused(r"^probabilities: .*NaN", t, [0.1, float("nan")])
        self.refused(r"^probabilities: .*--scale 255", t, np.arange(256))
        self.refused(r"^at: is 2; give a threshold above 0", t, [0.1], at=2)
        self.refused(r"^metric: is 'nice'; give dice, iou, accuracy, volume$", t, [0.1], metric="nice")
        self.refused(r"^presence: is 'no'; give auto", t, [0.1], presence="no")
        self.refused(r"^scale: '0' is not a number greater than 0", t, [1, 2], scale=0)
        self.refused(r"^kind: is 'odd'; give", d, [[0.1], [0.9]], kind="odd")
        self.refused(r"has 2 maps, --classes names 3 classes", d, [[0.1], [0.9]], classes="a,b,c")
        self.refused(r"add up to 1\.8", d, np.full((2, 50), 0.9))
        self.refused(r"no-such.json: no such file", d, [[0.1], [0.9]], dataset_json="/no-such.json")
        self.refused(r"^labels: holds 0.5, which is no integer label", halfdice.marginal, [0, 0.5], 1)
        self.refused(r"^labels: holds -1, and a label is a whole number", halfdice.marginal, [0, -1], 1)
        self.refused(r"^labels: holds background only", halfdice.optimum, [0, 0], 1)
        self.refused(r"^labels: has no label 3; it holds 0, 1", halfdice.optimum, [0, 1], 1, only=3)
        self.refused(r"^sigma: is -1,-1,-1; the noise strength must be", halfdice.marginal, [0, 1], -1)
        self.refused(r"^length: is 0; the length scale must be", halfdice.sample, [0, 1], 1, 0)
        self.refused(r"^seed: '-1' is not a whole number", halfdice.sample, [0, 1], 1, 3, seed=-1)
        self.refused(r"^number: '0' is not a whole number", halfdice.sample, [0, 1], 1, 3, number=0)
        self.refused(r"^labels: has spacing -1, 1, 1 mm", halfdice.marginal, [0, 1], 1, spacing=-1)
        self.refused(r"^probabilities: has spacing 0, 1, 1 mm", t, [0.5], spacing=0)
        self.refused(r"^minIou: is 2", e, [0, 1], [0, 1], lesions={"min_iou": 2})

    def test_what_arrays_cannot_be(self) -> None:
        t, e = halfdice.threshold, halfdice.evaluate
        self.refused(r"^probabilities: holds complex128; give an array of real", t, [1j])
        self.refused(r"^probabilities: holds <U1", t, ["a"])
        self.refused(r"^probabilities: has masked values", t, np.ma.masked_greater([0.5, 0.9], 0.8))
        self.refused(r"^probabilities: has 4 axes; give 1 to 3", t, np.zeros((1, 1, 1, 1)))
        self.refused(r"^probabilities: has 0 axes", t, 0.5)
        self.refused(r"^probabilities: has shape \(0, 3\), and so no voxels", t, np.zeros((0, 3)))
        self.refused(r"^probabilities: has 1 axes; give one of classes", halfdice.decode, [0.5])
        self.refused(r"^prediction: has shape \(3,\), the reference \(2,\)", e, [0, 1, 1], [0, 1])
        self.refused(r"^spacing: has 2 numbers for 1 axes", t, [0.5], spacing=(1, 1))
        self.refused(r"^at: is nan; give a finite number", t, [0.5], at=float("nan"))
        self.refused(r"^sigma: is 'wide'; give a number", halfdice.marginal, [0, 1], "wide")
        self.refused(r"^seed: is 1.5; give a whole number", halfdice.sample, [0, 1], 1, 3, seed=1.5)
        self.refused(r"^samples: noisy labels need a length", halfdice.optimum, [0, 1], 1, samples=3)
        self.assertTrue(issubclass(halfdice.InputError, ValueError))

    def test_arguments_are_never_changed(self) -> None:
        p = probabilities((7, 6, 5)).astype(">f4")
        before = p.copy()
        halfdice.threshold(p)
        p.setflags(write=False)
        halfdice.threshold(p)
        np.testing.assert_array_equal(p, before)


class Raters(unittest.TestCase):
    def test_is_what_the_command_finds(self) -> None:
        disc = np.hypot(*np.mgrid[-20:20, -19:19]) < 12
        samples = [halfdice.sample(disc, 1, 6, name=f"case_{c}", number=3, spacing=(1, 1)).labels for c in range(4)]
        cases = [[np.asarray(each) for each in maps] for maps in samples]
        noise = halfdice.raters(cases, anonymous=True, draws=0)
        self.assertEqual((noise.cases, noise.presence.estimate, noise.length_mm.low), (4, 1.0, None))
        with tempfile.TemporaryDirectory() as folder:
            for c, maps in enumerate(cases):
                (Path(folder) / f"case {c + 1}").mkdir()
                for r, mask in enumerate(maps):
                    path = Path(folder) / f"case {c + 1}" / f"rater{r}.nii"
                    write_nifti(path, mask[..., None].astype(np.uint8), (1, 1, 1))
            told = command("raters", folder, "--anonymous", "--draws", 0, "--json")
        self.assertAlmostEqual(noise.sigma_mm.estimate, told["sigmaMm"]["estimate"], 9)
        self.assertAlmostEqual(noise.length_mm.estimate, told["lengthMm"]["estimate"], 9)
        self.assertEqual((noise.fits, noise.dice), (told["fits"], told["dice"]["real"]))

    def test_refuses_what_cannot_be_compared(self) -> None:
        mask = np.ones((4, 4), np.uint8)
        with self.assertRaisesRegex(halfdice.InputError, "case 1: has maps of several shapes"):
            halfdice.raters([[mask, mask[:3]]])
        with self.assertRaisesRegex(halfdice.InputError, "no case has outlines of two annotators to compare"):
            halfdice.raters([[mask, 0 * mask]])
        with self.assertRaisesRegex(halfdice.InputError, "spacing: has 2 entries for 1 cases"):
            halfdice.raters([[mask, mask]], spacing=[(1, 1), (1, 1)])
        with self.assertRaisesRegex(halfdice.InputError, "case 1: is one array; give the list"):
            halfdice.raters([mask, mask])


class Examples(unittest.TestCase):
    def test_docstrings(self) -> None:
        result = doctest.testmod(halfdice._calls, verbose=False)
        self.assertEqual(result.failed, 0)
        self.assertGreaterEqual(result.attempted, 12)


if __name__ == "__main__":
    unittest.main()
