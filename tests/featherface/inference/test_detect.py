from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from stand_ins.published import FILES, expected_ap, outputs_folder, weights_file

from featherface.errors import DataError, InterruptedRunError, UsageError, WeightsError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.ground_truth import read_ground_truth
from featherface.evaluation.overlaps import overlaps
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate
from featherface.geometry.detections import Detections
from featherface.geometry.priors import priors
from featherface.inference.detect import detect, detect_together, predict
from featherface.networks.detector import RawOutput, build
from featherface.variants.table import variant
from featherface.weights.checkpoints import load_weights

CONFIG = variant("retinaface-mnet025")
EASY_GOING = EvaluateConfig(score_threshold=0.005, max_detections=20)


@pytest.fixture(scope="module")
def model():
    return build(CONFIG, seed=0)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "images"
    for name, size in {"0--A/a": (70, 50), "0--A/b": (70, 50), "1--B/c": (33, 64)}.items():
        path = folder / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(len(path.name)).integers(0, 255, (size[1], size[0], 3))
        Image.fromarray(noise.astype(np.uint8)).save(path)
    return folder


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)


def test_detections_are_sorted_and_bounded(model):
    found = detect(model, CONFIG, picture(64, 96), EASY_GOING)
    assert 0 < len(found) <= 20
    assert found.boxes.shape == (len(found), 4)
    assert found.landmarks.shape == (len(found), 10)
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores > 0.005).all()
    assert len(found.above(2.0)) == 0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 300), (31, 33), (65, 64)])
def test_any_size_is_seen_at_its_own_size(model, height, width):
    found = detect(model, CONFIG, picture(height, width), EvaluateConfig(score_threshold=0.0))
    assert len(found) <= len(priors(CONFIG, height, width))


def test_no_face_is_an_empty_answer(model):
    found = detect(model, CONFIG, picture(40, 40), EvaluateConfig(score_threshold=0.99))
    assert (len(found), found.rows().shape, found.landmarks.shape) == (0, (0, 5), (0, 10))


def test_a_batch_sees_what_single_pictures_see(model):
    images = [picture(64, 64, seed) for seed in range(3)]
    together = detect_together(model, CONFIG, images, EASY_GOING)
    for image, batched in zip(images, together, strict=True):
        alone = detect(model, CONFIG, image, EASY_GOING)
        np.testing.assert_allclose(batched.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_allclose(batched.scores, alone.scores, atol=1e-6)


class Seeing(torch.nn.Module):
    """Keeps what it is shown and is sure of one prior, whose box and landmarks lie on it."""

    def __init__(self, prior):
        super().__init__()
        self.prior = prior
        self.shown = None
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        self.shown = images
        count = len(priors(CONFIG, *images.shape[-2:]))
        logits = torch.tensor([[8.0, -8.0]]).repeat(len(images), count, 1)
        logits[:, self.prior] = torch.tensor([-8.0, 8.0])
        boxes, points = (torch.zeros(len(images), count, size) for size in (4, 10))
        return RawOutput(boxes, logits, points)


def test_the_network_sees_blue_green_red_less_the_mean():
    seeing = Seeing(0)
    image = np.tile(np.array([10, 20, 30], np.uint8), (32, 64, 1))
    detect(seeing, CONFIG, image)
    assert seeing.shown.shape == (1, 3, 32, 64)
    assert seeing.shown[0, :, 5, 7].tolist() == [10 - 104, 20 - 117, 30 - 123]


def test_boxes_and_landmarks_are_scaled_to_the_picture():
    found = detect(Seeing((2 * 12 + 1) * 2), CONFIG, picture(48, 96))  # row 2, column 1
    # float32 decodes shares of the sides, which thirds are not
    np.testing.assert_allclose(found.boxes, [[12 - 8, 20 - 8, 12 + 8, 20 + 8]], atol=1e-4)
    np.testing.assert_allclose(found.landmarks, [[12, 20] * 5], atol=1e-4)


def test_a_score_at_the_limit_is_kept():
    scores = np.array([0.75, 0.5, 0.25], np.float32)
    found = Detections(np.zeros((3, 4), np.float32), scores, np.zeros((3, 10), np.float32))
    assert found.above(0.5).scores.tolist() == [0.75, 0.5]


def test_rows_are_what_the_original_program_writes():
    found = Detections(
        np.array([[-1.7, 2.9, 10.2, 20.99]], np.float32),
        np.array([0.12345678], np.float32),
        np.zeros((1, 10), np.float32),
    )
    assert found.rows().tolist() == [[-1, 2, 11, 18, 0.123457]]


def test_the_model_and_its_gradients_are_left_as_they_were(model):
    model.train()
    detect(model, CONFIG, picture(48, 48), EASY_GOING)
    assert model.training
    model(torch.zeros(2, 3, 48, 48)).boxes.mul(priors(CONFIG, 48, 48)).sum().backward()
    model.eval()


def test_weights_that_diverged_are_told():
    broken = build(CONFIG, seed=0)
    next(broken.parameters()).data.fill_(float("nan"))
    with pytest.raises(WeightsError, match="not finite"):
        detect(broken, CONFIG, picture(32, 32))


def test_predicting_a_folder(model, pictures, tmp_path):
    steps = []
    found = predict(
        model, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "out", on_progress=steps.append
    )
    assert list(found) == ["0--A/a", "0--A/b", "1--B/c"]
    saved = read_predictions(tmp_path / "out")
    assert all(np.array_equal(saved[name], found[name]) for name in found)
    assert [(step.done, step.total) for step in steps] == [(0, 3), (2, 3), (3, 3)]


def test_a_stopped_prediction_goes_on(model, pictures, tmp_path):
    out = tmp_path / "out"
    stops = iter([False, True])
    with pytest.raises(InterruptedRunError, match="2 of 3"):
        predict(model, CONFIG, pictures, EASY_GOING, save_to=out, should_stop=lambda: next(stops))
    first = (out / "0--A" / "a.txt").stat().st_mtime_ns
    steps = []
    found = predict(model, CONFIG, pictures, EASY_GOING, save_to=out, on_progress=steps.append)
    assert [step.done for step in steps] == [2, 3]
    assert (out / "0--A" / "a.txt").stat().st_mtime_ns == first
    whole = predict(model, CONFIG, pictures, EASY_GOING)
    assert all(np.array_equal(found[name], whole[name]) for name in whole)


def test_landmarks_are_kept_beside_the_predictions(model, pictures, tmp_path):
    out = tmp_path / "out"
    alone = predict(model, CONFIG, pictures, EASY_GOING, save_to=out)
    assert not list(out.rglob("*.landmarks"))
    steps = []
    found = predict(
        model, CONFIG, pictures, EASY_GOING, save_to=out, landmarks=True, on_progress=steps.append
    )
    assert steps[0].done == 0  # files without landmarks are no reason to go without
    assert all(np.array_equal(found[name], alone[name]) for name in found)
    again = predict(model, CONFIG, pictures, EASY_GOING, save_to=out, landmarks=True)
    for name, points in found.landmarks.items():
        assert points.shape == (len(found[name]), 10)
        np.testing.assert_allclose(again.landmarks[name], points, atol=0.006)
    (out / "0--A" / "a.landmarks").write_text("1 2 3\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.landmarks does not hold ten numbers"):
        predict(model, CONFIG, pictures, EASY_GOING, save_to=out, landmarks=True)


def test_predictions_of_another_network_are_never_taken(model, pictures, tmp_path):
    predict(model, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "out")
    other = build(CONFIG, seed=1)
    with pytest.raises(UsageError, match="of this network and protocol"):
        predict(other, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "out")
    with pytest.raises(UsageError, match="of this network and protocol"):
        predict(model, CONFIG, pictures, EvaluateConfig(), save_to=tmp_path / "out")


def test_predictions_killed_at_their_first_file_go_on(model, pictures, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".predictions.json.0a1b2c3d.tmp").write_text("{", encoding="utf-8")
    assert predict(model, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="of this network and protocol"):
        predict(model, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "other")


def test_a_damaged_picture_is_named(model, pictures):
    file = pictures / "0--A" / "b.jpg"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DataError, match=r"b\.jpg"):
        predict(model, CONFIG, pictures, EASY_GOING)


def test_a_huge_picture_is_passed_over_and_the_others_go_on(model, pictures, tmp_path):
    Image.new("RGB", (1100, 1000)).save(pictures / "0--A" / "huge.png")
    settings = EvaluateConfig(max_megapixels=1)
    found = predict(model, CONFIG, pictures, settings, save_to=tmp_path / "out")
    assert list(found) == ["0--A/a", "0--A/b", "1--B/c"]
    assert found.passed_over == ("0--A/huge",)
    (told,) = found.warnings
    for word in ("huge.png", "1,100 x 1,000", "--protocol vga", "--max-megapixels 2"):
        assert word in told
    for other in (
        EvaluateConfig(max_megapixels=0),
        EvaluateConfig(protocol="vga", max_megapixels=1),
    ):
        assert len(predict(model, CONFIG, pictures, other)) == 4


def test_pictures_with_the_longest_names_are_kept_with_their_landmarks(model, pictures, tmp_path):
    for name in ("n" * 250, "é" * 125):
        shutil.copy(pictures / "0--A" / "a.jpg", pictures / "0--A" / f"{name}.jpg")
    first = predict(model, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "out", landmarks=True)
    again = predict(model, CONFIG, pictures, EASY_GOING, save_to=tmp_path / "out", landmarks=True)
    assert len(first.landmarks) == len(again.landmarks) == 5


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_no_pictures_is_an_error(model, tmp_path, kind):
    folder = tmp_path / "none"
    if kind == "empty":
        folder.mkdir()
    with pytest.raises(DataError, match="none"):
        predict(model, CONFIG, folder)


def test_pictures_of_one_name_are_refused(model, pictures):
    twin = pictures / "again" / "0--A" / "a.jpg"
    twin.parent.mkdir(parents=True)
    twin.write_bytes((pictures / "0--A" / "a.jpg").read_bytes())
    with pytest.raises(DataError, match="two pictures are called 0--A/a"):
        predict(model, CONFIG, pictures)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_published_weights_on_part_of_the_validation_set(reference_data, name):
    config = variant(name)
    model = build(config)
    load_weights(model, weights_file(reference_data, name), name)
    val34 = reference_data / "widerface" / "val34"
    found = predict(model, config, val34 / "WIDER_val" / "images")
    wanted = expected_ap(reference_data, name)
    truth = read_ground_truth(reference_data / "widerface" / "ground_truth").restrict(found)
    answer = evaluate(found, truth)
    # Processors round convolutions differently, which may carry a box over an IoU of 0.5 or the
    # threshold of its suppression: one of the 614 hard faces is 0.0016 of recall.
    for subset, result in answer.subsets.items():
        assert result.ap == pytest.approx(wanted[subset], abs=0.002)
    reference = read_predictions(outputs_folder(reference_data, name) / "val34_predictions.tar.gz")
    best = [agreement(found[key], table) for key, table in reference.items()]
    assert np.median(np.concatenate(best)) > 0.99  # the reference keeps whole pixels


def agreement(found, reference):
    """The best IoU that reference boxes find; of thousands in a picture, some hundreds."""
    reference = reference[:: 1 + len(reference) // 500]
    pairs = np.repeat(reference, len(found), axis=0), np.tile(found, (len(reference), 1))
    return overlaps(pairs[0][:, :4], pairs[1][:, :4]).reshape(len(reference), len(found)).max(1)
