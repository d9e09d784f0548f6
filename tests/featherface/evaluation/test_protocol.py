from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins.published import FILES, expected_ap, outputs_folder

from featherface.errors import DataError
from featherface.evaluation.ground_truth import GroundTruth, read_ground_truth
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate


def plain_overlap(box, face):
    """IoU of two x, y, width, height boxes whose sides count one pixel more."""
    width = min(box[0] + box[2], face[0] + face[2]) - max(box[0], face[0]) + 1
    height = min(box[1] + box[3], face[1] + face[3]) - max(box[1], face[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = [
        (x2 - x1 + 1) * (y2 - y1 + 1)
        for x1, y1, x2, y2 in [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in (box, face)]
    ]
    return width * height / (areas[0] + areas[1] - width * height)


def plain_counts(detections, faces, asked, low, high):
    """Proposals and hits of one picture at each threshold, one detection after the other."""
    proposal, found, hits = [], set(), []
    for x, y, w, h, _ in detections:
        values = [plain_overlap((x, y, w, h), face) for face in faces]
        best = values.index(max(values))
        proposal.append(not (values[best] >= 0.5 and best not in asked))
        if values[best] >= 0.5 and best in asked:
            found.add(best)
        hits.append(len(found))
    counts = []
    scores = [(d[4] - low) / (high - low) if high > low else math.nan for d in detections]
    for step in range(1000):
        threshold = 1 - (step + 1) / 1000
        reach = [place for place, value in enumerate(scores, start=1) if value >= threshold]
        counts.append((sum(proposal[: reach[-1]]), hits[reach[-1] - 1]) if reach else (0, 0))
    return counts


def plain_ap(predictions, truth, subset):
    """The protocol in plain loops: slow, and with nothing in common with the fast one."""
    scores = [d[4] for name in truth.images for d in predictions[name]]
    low, high = min([1.0, *scores]), max([0.0, *scores])
    faces, total = 0, [(0, 0)] * 1000
    for name, boxes, kept in zip(truth.images, truth.boxes, truth.subsets[subset], strict=True):
        faces += len(kept)
        if len(boxes) and len(predictions[name]):
            here = plain_counts(
                predictions[name].tolist(), boxes.tolist(), set(kept.tolist()), low, high
            )
            total = [(p + q, h + g) for (p, h), (q, g) in zip(total, here, strict=True)]
    if not faces:
        return math.nan
    points = [(h / faces, h / p if p else 0.0) for p, h in total]
    area, above, best = 0.0, points[-1][0], 0.0
    for recall, precision in reversed(points):
        area += (above - recall) * best
        above, best = recall, max(best, precision)
    return area + above * best


box = st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2)
strange = st.tuples(*[st.floats(-30, 30)] * 2, *[st.floats(-3, 20)] * 2)
score = st.one_of(
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.floats(0, 1), st.floats(-2, 3, width=32)
)


@st.composite
def pictures(draw):
    faces = draw(st.lists(box, max_size=6))
    near = st.sampled_from(faces) if faces else box
    detections = draw(st.lists(st.tuples(st.one_of(near, box, strange), score), max_size=10))
    asked = draw(st.sets(st.integers(0, len(faces) - 1))) if faces else set()
    table = np.array([(*where, value) for where, value in detections], dtype=float)
    return np.array(faces, dtype=float).reshape(-1, 4), sorted(asked), table.reshape(-1, 5)


def small_set(drawn):
    names = tuple(f"event/{i}" for i in range(len(drawn)))
    truth = GroundTruth(
        images=names,
        boxes=tuple(faces for faces, _, _ in drawn),
        subsets={
            "easy": tuple(np.array(asked, dtype=np.intp) for _, asked, _ in drawn),
            "hard": tuple(np.arange(len(faces)) for faces, _, _ in drawn),
        },
        source="drawn",
        whole=len(names),
    )
    return {name: table for name, (_, _, table) in zip(names, drawn, strict=True)}, truth


@given(st.lists(pictures(), min_size=1, max_size=5))
def test_equals_the_plain_implementation(drawn):
    predictions, truth = small_set(drawn)
    answer = evaluate(predictions, truth)
    for subset, result in answer.subsets.items():
        assert result.ap == pytest.approx(
            plain_ap(predictions, truth, subset), abs=1e-9, nan_ok=True
        )
        assert result.faces == truth.faces(subset)


def one_picture(detections, faces, asked=None):
    faces = np.array(faces, dtype=float).reshape(-1, 4)
    kept = list(range(len(faces))) if asked is None else asked
    return small_set([(faces, kept, np.array(detections, dtype=float).reshape(-1, 5))])


def test_a_perfect_detector_has_ap_one_but_for_the_lowest_score():
    faces = [(0, 0, 20, 20), (40, 40, 20, 20)]
    predictions, truth = one_picture([(*faces[0], 0.9), (*faces[1], 0.2)], faces)
    assert evaluate(predictions, truth).subsets["hard"].ap == 1.0


FACES = [(0, 0, 20, 20), (40, 40, 20, 20)]
FIRST, SECOND, NOTHING = *FACES, (80, 0, 9, 9)


@pytest.mark.parametrize(
    ("detections", "ap"),
    [
        # Precision 1/2 at recall 1/2 is lifted to the 2/3 that are reached at recall 1.
        ([(*NOTHING, 0.9), (*FIRST, 0.6), (*SECOND, 0.3)], 2 / 3),
        # Scores above 1 are brought to 1, 0.5 and 0 before thresholds are put to them.
        ([(*FIRST, 3.0), (*NOTHING, 2.0), (*SECOND, 1.0)], 1 / 2 + 1 / 2 * 2 / 3),
        # A detection brings with it all that the file names before it, whatever their scores.
        ([(*NOTHING, 0.3), (*FIRST, 0.9), (*SECOND, 0.6)], 2 / 3),
    ],
)
def test_ap_by_hand(detections, ap):
    predictions, truth = one_picture(detections, FACES)
    assert evaluate(predictions, truth).subsets["hard"].ap == pytest.approx(ap, abs=1e-9)


def test_what_is_found_on_a_picture_without_faces_counts_nothing():
    one = (np.array([FIRST], dtype=float), [0], np.array([(*FIRST, 0.5)]))
    other = (np.empty((0, 4)), [], np.array([(*NOTHING, 0.9)]))
    predictions, truth = small_set([one, other])
    assert evaluate(predictions, truth).subsets["hard"].ap == 1.0


def test_a_second_detection_of_a_face_is_false():
    face = (0, 0, 20, 20)
    predictions, truth = one_picture([(*face, 0.9), (*face, 0.8), (50, 0, 9, 9, 0.1)], [face])
    result = evaluate(predictions, truth).subsets["hard"]
    assert result.precision[0] == 1.0
    assert result.precision[-1] == pytest.approx(1 / 3)


def test_a_detection_that_covers_exactly_half_of_a_face_finds_it():
    face, half = (0, 0, 19, 9), (0, 0, 9, 9)  # 20 x 10 and 10 x 10 pixels
    predictions, truth = one_picture([(*half, 0.9), (60, 60, 9, 9, 0.1)], [face])
    assert evaluate(predictions, truth).subsets["hard"].ap == 1.0


@pytest.mark.parametrize(("asked", "ap"), [(0, 1.0), (1, 0.0)])
def test_of_faces_covered_alike_the_first_is_found(asked, ap):
    face = (0, 0, 19, 9)
    detections = [(*face, 0.9), (60, 60, 9, 9, 0.1)]
    predictions, truth = one_picture(detections, [face, face], asked=[asked])
    assert evaluate(predictions, truth).subsets["easy"].ap == ap


def test_detections_on_faces_not_asked_for_are_ignored():
    faces = [(0, 0, 20, 20), (40, 40, 20, 20)]
    predictions, truth = one_picture([(*faces[0], 0.9), (*faces[1], 0.8)], faces, asked=[1])
    result = evaluate(predictions, truth).subsets["easy"]
    assert (result.ap, result.precision[-1], result.recall[-1]) == (1.0, 1.0, 1.0)


def test_without_any_face_ap_is_undefined_and_said_so():
    predictions, truth = one_picture([(0, 0, 5, 5, 0.5), (1, 1, 5, 5, 0.2)], [])
    answer = evaluate(predictions, truth)
    assert math.isnan(answer.subsets["hard"].ap)
    assert any("no face of subset hard" in warning for warning in answer.warnings)


def test_without_any_detection_ap_is_zero_and_said_so():
    predictions, truth = one_picture([], [(0, 0, 5, 5)])
    answer = evaluate(predictions, truth)
    assert answer.subsets["hard"].ap == 0.0
    assert any(text.startswith("no detection in any picture") for text in answer.warnings)


def test_equal_scores_are_said_to_be_beyond_the_protocol():
    predictions, truth = one_picture([(0, 0, 5, 5, 0.5)], [(0, 0, 5, 5)])
    answer = evaluate(predictions, truth)
    assert answer.subsets["hard"].ap == 0.0
    assert any("all scores are equal" in warning for warning in answer.warnings)


def test_oddities_are_counted():
    rows = [(0, 0, 0, 5, 0.1), (0, 0, -4, 5, -0.2), (0, 0, 5, 5, 0.9)]
    predictions, truth = one_picture(rows, [(0, 0, 5, 5)])
    unsorted, *others, scores = evaluate(predictions, truth).warnings
    assert scores.startswith("scores go from -0.2 to 0.9")
    assert unsorted.startswith("pictures whose detections are not sorted by score")
    assert others == [
        "detections with a negative score: 1",
        "detections without width or height: 1",
        "detections with a negative width or height: 1",
    ]


def test_numbers_that_are_not_finite_are_refused():
    predictions, truth = one_picture([(0, 0, 5, 5, math.nan)], [(0, 0, 5, 5)])
    with pytest.raises(DataError, match="event/0 is not finite"):
        evaluate(predictions, truth)


def test_pictures_without_predictions_are_left_out_and_named():
    face = np.array([[0.0, 0, 20, 20]])
    found = np.array([[0.0, 0, 20, 20, 0.9], [50, 0, 20, 20, 0.1]])
    predictions, truth = small_set([(face, [0], found), (face, [0], found), (face, [0], found)])
    del predictions["event/1"]
    predictions["event/other"] = found
    answer = evaluate(predictions, truth)
    assert (answer.images, answer.complete) == (2, False)
    assert any("left out: 1 of 3" in text and "event/1" in text for text in answer.warnings)
    assert any("event/other" in text for text in answer.warnings)


def test_predictions_of_another_set_are_refused():
    predictions, truth = one_picture([(0, 0, 5, 5, 0.5)], [(0, 0, 5, 5)])
    with pytest.raises(DataError, match="none of the 1 pictures"):
        evaluate({"elsewhere/0": predictions["event/0"]}, truth)


def test_no_warning_of_numpy_escapes():
    predictions, truth = one_picture([], [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(predictions, truth)


@pytest.mark.data
def test_full_validation_set(reference_data):
    expected = json.loads((reference_data / "expected.json").read_text(encoding="utf-8"))
    wanted = expected["full_val"]["yolov7-lite"]
    truth = read_ground_truth(reference_data / "widerface" / "ground_truth")
    predictions = read_predictions(reference_data / "widerface/predictions/yolov7-lite.tar.gz")
    answer = evaluate(predictions, truth)
    for subset, result in answer.subsets.items():
        # The same counts, and double precision sums over 1,000 thresholds in another order.
        assert result.ap == pytest.approx(wanted[subset], abs=1e-9)
        assert answer.matches.ap(subset) == result.ap
    assert answer.mean_ap == pytest.approx(sum(wanted[key] for key in answer.subsets) / 3)
    assert (answer.images, answer.complete, answer.source) == (3226, True, "official lists")
    assert answer.warnings == ("detections without width or height: 1",)


@pytest.mark.data
@pytest.mark.parametrize("variant", FILES)
def test_part_of_the_validation_set(reference_data, variant):
    wanted = expected_ap(reference_data, variant)
    counts = json.loads((reference_data / "expected.json").read_text(encoding="utf-8"))["val34"]
    truth = read_ground_truth(reference_data / "widerface" / "ground_truth")
    answer = evaluate(
        read_predictions(outputs_folder(reference_data, variant) / "val34_predictions.tar.gz"),
        truth,
    )
    for subset, result in answer.subsets.items():
        # The expected values have six decimals; one face of 614 more would be 1e-3.
        assert result.ap == pytest.approx(wanted[subset], abs=1e-6)
        assert result.faces == counts["faces"][subset]
    assert (answer.images, answer.complete) == (34, False)
