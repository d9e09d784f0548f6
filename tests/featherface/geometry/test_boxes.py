from __future__ import annotations

import torch

from featherface.geometry.boxes import (
    corners_of,
    decode,
    decode_all,
    decode_landmarks,
    encode,
    encode_landmarks,
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
