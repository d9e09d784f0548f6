from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.geometry import suppression
from featherface.geometry.suppression import group, suppress


def plain(boxes, scores, threshold):
    """Greedy suppression, one pair after the other."""
    kept = []
    for row in sorted(range(len(scores)), key=lambda place: -scores[place]):
        if all(plain_overlap(boxes[row], boxes[other]) <= threshold for other in kept):
            kept.append(row)
    return kept


def plain_overlap(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0]) + 1
    height = min(first[3], second[3]) - max(first[1], second[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (first, second)]
    return width * height / (areas[0] + areas[1] - width * height)


box = st.tuples(*[st.integers(-20, 60)] * 2, *[st.floats(0, 60)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
score = st.one_of(st.sampled_from([0.1, 0.5]), st.floats(0, 1))


@given(st.lists(st.tuples(box, score), max_size=25), st.sampled_from([0.05, 0.3, 0.4, 0.7, 1.0]))
def test_equals_the_plain_loop(drawn, threshold):
    boxes = np.array([where for where, _ in drawn], dtype=float).reshape(-1, 4)
    scores = np.array([value for _, value in drawn])
    wanted = plain(boxes.tolist(), scores.tolist(), threshold)
    assert suppress(boxes, scores, threshold).tolist() == wanted


@pytest.mark.parametrize(("leaders", "pairs"), [(1, 1), (3, 10), (512, 5), (7, 10**6)])
def test_the_size_of_the_steps_changes_nothing(monkeypatch, leaders, pairs):
    random = np.random.default_rng(0)
    corner = random.uniform(0, 120, (300, 2))
    boxes = np.hstack([corner, corner + random.uniform(5, 40, (300, 2))])
    scores = random.random(300)
    wanted = suppress(boxes, scores, 0.4).tolist()
    monkeypatch.setattr(suppression, "_LEADERS", leaders)
    monkeypatch.setattr(suppression, "_PAIRS", pairs)
    assert suppress(boxes, scores, 0.4).tolist() == wanted == plain(boxes, scores, 0.4)


def test_sides_count_a_pixel_more_than_their_corners_differ():
    """Two boxes of 3 x 3 pixels that share 2 x 3: 6 / (9 + 9 - 6) = 0.5."""
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2]])
    scores = np.array([0.2, 0.9])
    assert suppress(boxes, scores, 0.5).tolist() == [1, 0]
    assert suppress(boxes, scores, 0.4999).tolist() == [1]


def test_equal_scores_keep_their_order():
    boxes = np.array([[0.0, 0.0, 9.0, 9.0]] * 3 + [[50.0, 50.0, 60.0, 60.0]])
    assert suppress(boxes, np.full(4, 0.5), 0.4).tolist() == [0, 3]
    assert group(boxes, np.full(4, 0.5), 0.4).tolist() == [0, 0, 0, 3]


def test_nothing_leaves_nothing():
    assert suppress(np.empty((0, 4)), np.empty(0), 0.4).shape == (0,)
