"""Recall, precision, placement, calibration, kinds of face and the worst mistakes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featherface.data.annotation import ImageAnnotation
from featherface.data.annotation_files import read_annotation
from featherface.errors import UsageError
from featherface.evaluation import operating_point
from featherface.evaluation.breakdown import GROUPINGS, break_down
from featherface.evaluation.failures import worst_false_alarms, worst_misses
from featherface.evaluation.ground_truth import GroundTruth, read_ground_truth
from featherface.evaluation.labels import label, spread_landmarks
from featherface.evaluation.matching import pair
from featherface.evaluation.overlaps import overlaps
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate


def case(pictures):
    """Make a ground truth and predictions of (faces, rows asked for, detections) per picture."""
    names = tuple(f"event{number % 2}/{number}" for number in range(len(pictures)))
    boxes = [np.array(faces, dtype=float).reshape(-1, 4) for faces, _, _ in pictures]
    asked = tuple(np.array(rows, dtype=np.intp) for _, rows, _ in pictures)
    every = tuple(np.arange(len(faces)) for faces in boxes)
    truth = GroundTruth(
        images=names,
        boxes=tuple(boxes),
        subsets={"easy": asked, "hard": every},
        source="drawn",
        whole=len(names),
    )
    tables = [np.array(rows, dtype=float).reshape(-1, 5) for _, _, rows in pictures]
    return dict(zip(names, tables, strict=True)), truth


def plain_point(predictions, truth, subset, score):
    """Recall's and precision's counts, one detection after the other."""
    faces = found = proposals = 0
    for name, boxes, rows in zip(truth.images, truth.boxes, truth.subsets[subset], strict=True):
        faces += len(rows)
        hit = set()
        for detection in predictions[name]:
            if detection[4] < score or not len(boxes):
                continue
            values = [float(overlaps(detection[None, :4], face[None])[0]) for face in boxes]
            best = values.index(max(values))
            if values[best] < 0.5:
                proposals += 1
            elif best in rows:
                proposals += 1
                hit.add(best)
        found += len(hit)
    return faces, found, proposals


box = st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2)


@st.composite
def pictures(draw):
    faces = draw(st.lists(box, max_size=5))
    near = st.sampled_from(faces) if faces else box
    rows = draw(
        st.lists(st.tuples(st.one_of(near, box), st.sampled_from([0.2, 0.5, 0.9])), max_size=8)
    )
    asked = sorted(draw(st.sets(st.integers(0, len(faces) - 1)))) if faces else []
    return faces, asked, [(*where, value) for where, value in rows]


@given(st.lists(pictures(), min_size=1, max_size=4), st.sampled_from([0.0, 0.5, 0.7]))
def test_recall_and_precision_equal_the_plain_count(drawn, score):
    predictions, truth = case(drawn)
    pairing = pair(predictions, truth)
    for subset in truth.subsets:
        found = operating_point.point(pairing, subset, score)
        wanted = plain_point(predictions, truth, subset, score)
        assert (found.faces, found.found, found.proposals) == wanted


@pytest.mark.parametrize(("score", "found", "proposals"), [(0.5, 1, 2), (0.51, 1, 1), (0.91, 0, 0)])
def test_a_detection_counts_from_its_own_score_on(score, found, proposals):
    face = (0, 0, 20, 20)
    predictions, truth = case([([face], [0], [(*face, 0.9), (80, 0, 9, 9, 0.5)])])
    seen = operating_point.point(pair(predictions, truth), "hard", score)
    assert (seen.faces, seen.found, seen.proposals) == (1, found, proposals)


@settings(max_examples=30)
@given(st.lists(pictures(), min_size=1, max_size=4))
def test_groups_add_up_to_all_faces(drawn):
    predictions, truth = case(drawn)
    answer = evaluate(predictions, truth)
    known = label(answer.pairing, [])
    whole = operating_point.point(answer.pairing, "hard", 0.5)
    for by in GROUPINGS:
        rows = break_down(answer.pairing, answer.matches, known, by=by, subset="hard", score=0.5)
        assert sum(row.faces for row in rows) == whole.faces
        assert sum(row.found for row in rows) == whole.found
        assert all(row.found <= row.seen <= row.faces for row in rows)
        if by == "event":
            assert sum(row.false for row in rows) == whole.proposals - whole.found


FACES = [(10, 10, 40, 60), (100, 10, 20, 20), (200, 10, 30, 120)]
SEEN = [
    (10, 10, 40, 60, 0.9),  # right
    (12, 12, 40, 60, 0.8),  # the same face again
    (100, 20, 20, 20, 0.7),  # too far off
    (200, 10, 30, 120, 0.3),  # right, but unsure
    (300, 300, 20, 20, 0.6),  # nothing
]


@pytest.fixture
def pairing():
    return pair(*case([(FACES, [0, 1], SEEN)]))


def test_the_worst_misses_are_the_largest_with_their_reason(pairing):
    found = worst_misses(pairing, "hard", 0.5, 5)
    assert [(one.box[3], one.kind, one.score) for one in found] == [
        (120, "unsure", 0.3),
        (20, "loose", None),
    ]
    assert found[1].overlap == pytest.approx(11 / 31)
    assert len(worst_misses(pairing, "hard", 0.5, 1)) == 1
    assert worst_misses(pairing, "easy", 0.0, 5)[0].face == 1


def test_a_face_whose_box_covers_another_more_is_said_to_be_taken():
    both = [(0, 0, 20, 20), (4, 0, 20, 20)]
    found = worst_misses(pair(*case([(both, [0, 1], [(0, 0, 20, 20, 0.9)])])), "hard", 0.5, 5)
    assert [(one.kind, one.score) for one in found] == [("taken", None)]


def test_the_worst_false_alarms_are_the_surest_with_what_they_are(pairing):
    found = worst_false_alarms(pairing, "hard", 0.5, 5)
    assert [(one.score, one.kind) for one in found] == [
        (0.8, "double"),
        (0.7, "loose"),
        (0.6, "background"),
    ]
    assert worst_false_alarms(pairing, "hard", 0.95, 5) == []


def test_detections_on_ignored_faces_are_no_false_alarms():
    pairing = pair(*case([(FACES, [1], SEEN)]))
    kinds = [one.kind for one in worst_false_alarms(pairing, "easy", 0.5, 5)]
    assert kinds == ["loose", "background"]


def test_placement_is_of_the_surest_box_on_each_face(pairing):
    found = operating_point.placement(pairing, "hard", 0.1)
    assert (found.faces, found.iou_mean, found.centre) == (2, 1.0, 0.0)
    shifted = pair(*case([([(0, 0, 10, 40)], [0], [(0, 4, 10, 44, 0.9)])]))
    found = operating_point.placement(shifted, "hard", 0.5)
    assert found.iou_mean == pytest.approx(11 * 37 / (11 * 49))
    assert (found.centre, found.width, found.height) == pytest.approx((6 / 20, 1.0, 1.1))


def test_nothing_found_is_no_number():
    pairing = pair(*case([([(0, 0, 9, 9)], [0], [])]))
    assert math.isnan(operating_point.placement(pairing, "hard", 0.5).iou_mean)
    assert math.isnan(operating_point.calibration(pairing, "hard").error)
    point = operating_point.point(pairing, "hard", 0.5)
    assert (point.recall, math.isnan(point.precision)) == (0.0, True)
    assert math.isnan(operating_point.mean([]))


def test_calibration_compares_scores_with_what_was_right(pairing):
    found = operating_point.calibration(pairing, "hard")
    bins = {round(one.low, 1): (one.detections, one.right) for one in found.bins if one.detections}
    assert bins == {0.3: (1, 1.0), 0.6: (1, 0.0), 0.7: (1, 0.0), 0.8: (1, 0.0), 0.9: (1, 1.0)}
    assert found.error == pytest.approx((0.1 + 0.8 + 0.7 + 0.7 + 0.6) / 5)


def test_a_bin_counts_in_calibration_as_often_as_it_has_detections():
    seen = [(0, 0, 40, 40, 0.91), (300, 300, 9, 9, 0.95), (100, 0, 9, 9, 0.15)]
    found = operating_point.calibration(pair(*case([([(0, 0, 40, 40)], [0], seen)])), "hard")
    assert found.error == pytest.approx((2 * abs(0.93 - 0.5) + 0.15) / 3)


def annotation(name, faces, attributes, landmarks=None):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in faces], np.float32)
    points = np.full((len(faces), 10), np.nan, np.float32) if landmarks is None else landmarks
    return ImageAnnotation(name, boxes, points, np.array(attributes).reshape(-1, 6))


def test_labels_are_joined_by_picture_and_box(pairing):
    heavy = [2, 0, 0, 0, 1, 0]
    known = label(pairing, [annotation("event0/0.jpg", [FACES[2], (1, 1, 5, 5)], [heavy] * 2)])
    assert known.attributes.tolist() == [[-1] * 6, [-1] * 6, heavy]
    other = label(pairing, [annotation("elsewhere/0.jpg", FACES, [heavy] * 3)])
    assert (other.attributes == -1).all()


def test_faces_are_told_apart_by_their_attributes(pairing):
    annotations = [annotation("event0/0.jpg", FACES, [[0] * 6, [2] + [0] * 5, [2] + [0] * 5])]
    known = label(pairing, annotations)
    matches = evaluate(*case([(FACES, [0, 1], SEEN)])).matches
    rows = break_down(pairing, matches, known, by="blur", subset="hard", score=0.5)
    assert [(row.group, row.faces, row.found, row.seen) for row in rows] == [
        ("clear", 1, 1, 1),
        ("heavy", 2, 0, 1),
    ]
    heights = break_down(pairing, matches, known, by="height", subset="hard", score=0.5)
    assert [row.group for row in heights] == ["20-30", "50-100", "100-300"]
    with pytest.raises(UsageError, match="did you mean 'height'"):
        break_down(pairing, matches, known, by="hieght", subset="hard", score=0.5)


def test_landmarks_are_compared_where_both_are_known(pairing):
    labelled = np.full((3, 10), np.nan)
    labelled[0] = 20.0
    seen = np.zeros((5, 10))
    seen[0] = 20.0
    seen[0, :2] = (23.0, 24.0)  # the left eye, 5 pixels off
    found = operating_point.landmark_error(pairing, "hard", 0.5, seen, labelled)
    size = math.sqrt(40 * 60)
    assert (found.faces, found.nme) == (1, pytest.approx(1 / size))
    assert found.points == pytest.approx((5 / size, 0, 0, 0, 0))
    unknown = operating_point.landmark_error(pairing, "hard", 0.5, seen * np.nan, labelled)
    assert (unknown.faces, math.isnan(unknown.nme)) == (0, True)


def test_points_that_do_not_fit_their_detections_are_unknown(pairing):
    assert np.isnan(spread_landmarks(pairing, [np.zeros((2, 10))])).all()
    assert (spread_landmarks(pairing, [np.zeros((5, 10))]) == 0).all()
    assert spread_landmarks(pairing, [None]).shape == (5, 10)


@pytest.mark.data
def test_the_groups_of_the_validation_set(reference_data):
    truth = read_ground_truth(reference_data / "widerface" / "ground_truth")
    path = reference_data / "reference" / "v1-official" / "val34_predictions.tar.gz"
    answer = evaluate(read_predictions(path), truth)
    known = label(answer.pairing, read_annotation(truth.files[0]).images)
    assert (known.attributes >= 0).all()
    rows = break_down(answer.pairing, answer.matches, known, by="blur", subset="hard", score=0.5)
    assert [row.group for row in rows] == ["clear", "normal", "heavy"]
    assert sum(row.faces for row in rows) == 614
    assert rows[0].recall > rows[1].recall > rows[2].recall
