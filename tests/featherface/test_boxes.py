from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featherface.geometry.boxes import (
    corners_of,
    decode,
    decode_all,
    decode_landmarks,
    encode,
    encode_landmarks,
    iou,
    nms,
)
from featherface.geometry.priors import priors
from featherface.variants.table import variant

CONFIG = variant("v1")
PRIORS = priors(CONFIG, 64, 96)


def some_boxes(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.rand(count, 2, generator=generator)
    return torch.cat((first, first + 0.05 + torch.rand(count, 2, generator=generator)), 1)


def test_decoding_undoes_encoding():
    boxes = some_boxes(len(PRIORS))
    deltas = encode(boxes, PRIORS, CONFIG.variances)
    torch.testing.assert_close(decode(deltas, PRIORS, CONFIG.variances), boxes)


def test_landmark_decoding_undoes_encoding():
    points = torch.rand(len(PRIORS), 10)
    deltas = encode_landmarks(points, PRIORS, CONFIG.variances)
    torch.testing.assert_close(decode_landmarks(deltas, PRIORS, CONFIG.variances), points)


def test_no_deltas_mean_the_prior_itself():
    boxes, points = decode_all(
        CONFIG, torch.zeros(2, len(PRIORS), 4), torch.zeros(2, len(PRIORS), 10), PRIORS
    )
    torch.testing.assert_close(boxes[1], corners_of(PRIORS))
    torch.testing.assert_close(points[0].reshape(-1, 5, 2), PRIORS[:, None, :2].expand(-1, 5, 2))


def test_overlaps_by_hand():
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    second = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
    torch.testing.assert_close(iou(first, second), torch.tensor([[1 / 7, 1.0, 0.0]]))


def by_definition(boxes, scores, threshold, extra):
    """Greedy suppression, box by box."""
    kept = []
    for index in sorted(range(len(boxes)), key=lambda one: (-scores[one], one)):
        if all(overlap(boxes[index], boxes[other], extra) <= threshold for other in kept):
            kept.append(index)
    return kept


def overlap(first, second, extra):
    sides = [
        min(first[axis + 2], second[axis + 2]) - max(first[axis], second[axis]) + extra
        for axis in (0, 1)
    ]
    common = max(sides[0], 0) * max(sides[1], 0)
    areas = [(box[2] - box[0] + extra) * (box[3] - box[1] + extra) for box in (first, second)]
    return common / (sum(areas) - common)


@given(
    st.lists(
        st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2, st.integers(0, 9)),
        max_size=25,
    ),
    st.sampled_from([0.3, 0.4, 0.7]),
    st.booleans(),
)
def test_nms_is_the_greedy_definition(drawn, threshold, plus_one):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in drawn], float).reshape(-1, 4)
    scores = np.array([score / 10 for *_, score in drawn])
    kept = nms(boxes, scores, threshold, plus_one=plus_one)
    assert kept.tolist() == by_definition(boxes, scores, threshold, float(plus_one))


def test_nms_takes_tensors():
    boxes = some_boxes(5) * 100
    assert nms(boxes, torch.arange(5.0), 0.99).tolist() == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("count", [0, 1])
def test_nms_of_few(count):
    assert nms(np.zeros((count, 4)), np.zeros(count), 0.4).tolist() == list(range(count))
