"""Suspicion speaks where detections are not what they seem, and is silent where they are."""

from __future__ import annotations

import numpy as np
import pytest
from stand_ins.published import FILES, outputs_folder

from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.ground_truth import GroundTruth, read_ground_truth
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate
from featherface.evaluation.suspicion import cut_off, suspicions_of_pictures

SIZES = [(1024, 700 + 37 * number) for number in range(12)]
NAMES = tuple(f"0--A/{number}" for number in range(len(SIZES)))


def drawn_truth():
    """Make pictures of eight faces each, apart from each other."""
    rng = np.random.default_rng(3)
    boxes = []
    for width, height in SIZES:
        sides = rng.uniform(30, 90, 8)
        cells = rng.permutation(16)[:8]
        x = cells % 4 * (width / 4) + rng.uniform(0, width / 4 - 90, 8)
        y = cells // 4 * (height / 4) + rng.uniform(0, height / 4 - 90, 8)
        boxes.append(np.rint(np.stack([x, y, sides, 1.25 * sides], axis=1)))
    every = tuple(np.arange(8) for _ in NAMES)
    return GroundTruth(
        images=NAMES,
        boxes=tuple(boxes),
        subsets={"easy": every, "medium": every, "hard": every},
        source="made up",
        whole=len(NAMES),
    )


TRUTH = drawn_truth()


def good():
    """Detect seven of eight faces well, and twenty things beside them with low scores."""
    rng = np.random.default_rng(5)
    found = {}
    for name, faces, (width, height) in zip(NAMES, TRUTH.boxes, SIZES, strict=True):
        right = faces[:7] + rng.uniform(-3, 3, (7, 4))
        wrong = rng.uniform(0, 1, (20, 4)) * (width, height, 60, 60) + (0, 0, 10, 10)
        scores = [np.sort(rng.uniform(0.5, 1, 7))[::-1], np.sort(rng.uniform(0.02, 0.4, 20))[::-1]]
        found[name] = np.column_stack([np.vstack([right, wrong]), np.concatenate(scores)])
    return found


def told(change=lambda box, score, size: (box, score)):
    """Return the warnings about the good detections after CHANGE to a picture's boxes, scores."""
    changed = {}
    for (name, table), size in zip(good().items(), SIZES, strict=True):
        box, score = change(table[:, :4], table[:, 4], np.array(size, dtype=float))
        changed[name] = np.column_stack([box, score])
    return " | ".join(evaluate(changed, TRUTH).warnings)


def corners(box):
    return np.hstack([box[:, :2], box[:, :2] + box[:, 2:]])


def centred(box):
    return np.hstack([box[:, :2] + box[:, 2:] / 2, box[:, 2:]])


def test_good_detections_raise_no_suspicion():
    assert told() == ""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda box, _: corners(box), "probably corners (x1 y1 x2 y2)"),
        (lambda box, _: centred(box), "probably centres (cx cy width height)"),
        (lambda box, size: box / np.tile(size, 2), "shares of the picture, x y width height"),
        (lambda box, size: centred(box) / np.tile(size, 2), "shares of the picture, centres"),
        (lambda box, size: corners(box) / np.tile(size, 2), "shares of the picture, corners"),
        (lambda box, size: box / np.tile(size, 2) * 320, "pixels of resized pictures"),
        (lambda box, size: box * 320 / size.max(), "pixels of resized pictures"),
    ],
    ids=["corners", "centred", "shares", "yolo", "shares-corners", "stretched", "scaled"],
)
def test_boxes_in_another_format_are_recognised_by_reading_them_so(change, named):
    text = told(lambda box, score, size: (change(box, size), score))
    assert named in text
    assert "read so," in text
    assert "Write " in text or "Multiply " in text


def test_detections_of_other_pictures_that_match_nothing_are_never_a_silent_zero():
    tables = list(good().values())
    shifted = dict(zip(NAMES, tables[3:] + tables[:3], strict=True))
    text = " | ".join(evaluate(shifted, TRUTH).warnings)
    assert "AP is as good as none" in text
    for cause in ("--set model.KEY=VALUE", "pictures are others", "train.epochs"):
        assert cause in text


def test_boxes_out_of_all_pictures_or_of_another_scale_are_told():
    far = told(lambda box, score, size: (box + np.array([9000, 9000, 0, 0]), score))
    assert "lie out of the pictures" in far
    tiny = told(lambda box, score, size: (box[::-1] * (1, 1, 0.1, 0.1), score))
    assert "pixels high where faces have" in tiny
    assert "--set model.KEY=VALUE" in tiny


def test_scores_in_a_narrow_band_are_told():
    text = told(lambda box, score, size: (box, 0.97 + 0.02 * score))
    assert "scores lie between 0.97" in text
    assert "another column" in text


@pytest.mark.parametrize(
    "change", [lambda score: 100 * score, lambda score: np.log(score / (1.001 - score))]
)
def test_scores_above_one_or_below_zero_are_told_with_their_cause(change):
    text = told(lambda box, score, size: (box, change(score)))
    assert "percentages, or what a network says before its softmax" in text


def test_a_cut_off_where_the_protocol_wants_all_above_two_hundredths_is_told():
    cut = {name: table[table[:, 4] > 0.5] for name, table in good().items()}
    text = " | ".join(evaluate(cut, TRUTH).warnings)
    assert "no score is below 0.5" in text
    assert "evaluate.score_threshold=0.02" in text


def test_a_networks_own_cut_off_above_the_protocols_is_told_however_few_are_left():
    assert "below a score of 0.6 are left out" in cut_off(EvaluateConfig(score_threshold=0.6))
    assert cut_off(EvaluateConfig()) == cut_off(EvaluateConfig(score_threshold=0.01)) == ""
    given = EvaluateConfig(score_threshold=0.6, predictions="detections")
    assert cut_off(given) == ""  # the threshold is not of those


def test_detections_without_ground_truth_are_doubted_only_where_no_picture_explains_them():
    size = [(100, 80)] * 4
    inside = [np.array([[10.0, 10, 30, 40]] * 30)] * 4
    assert suspicions_of_pictures(inside, size) == []
    assert suspicions_of_pictures([np.zeros((0, 4))] * 2, size[:2]) == []
    (nothing,) = suspicions_of_pictures([np.zeros((0, 4))] * 4, size)
    assert "lower --score" in nothing
    (outside,) = suspicions_of_pictures([box + 500 for box in inside], size)
    assert "120 of 120 boxes lie out of their pictures" in outside


OFTEN = ("without predictions", "not sorted by score", "without width or height")
"""What published sets are told as ever."""


@pytest.mark.data
@pytest.mark.parametrize("name", [*FILES, "yolov7-lite"])
def test_published_detections_raise_no_suspicion(reference_data, name):
    path = reference_data / "widerface" / "predictions" / "yolov7-lite.tar.gz"
    if name in FILES:
        path = outputs_folder(reference_data, name) / "val34_predictions.tar.gz"
    truth = read_ground_truth(reference_data / "widerface" / "ground_truth")
    warnings = evaluate(read_predictions(path), truth).warnings
    assert [text for text in warnings if not any(known in text for known in OFTEN)] == []
