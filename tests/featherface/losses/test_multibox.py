from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from featherface.geometry.priors import priors
from featherface.losses.assignment import Targets, assign
from featherface.losses.multibox import hardest, multibox
from featherface.training.loading.batches import empty_targets
from featherface.variants.table import variant


class Raw(NamedTuple):
    boxes: torch.Tensor
    logits: torch.Tensor
    landmarks: torch.Tensor


def targets_of(rows):
    """From the official form: corners, ten landmarks, 1 or -1 where they are unknown."""
    made = empty_targets(len(rows), max(len(row) for row in rows))
    for index, row in enumerate(rows):
        count = len(row)
        made.boxes[index, :count] = row[:, :4]
        made.landmarks[index, :count] = row[:, 4:14]
        made.faces[index, :count] = True
        made.marked[index, :count] = row[:, 14] > 0
    return made


def raw(batch, count, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return Raw(*(torch.randn(batch, count, width, generator=rng) for width in (4, 2, 10)))


@pytest.mark.data
def test_the_official_values_are_reproduced(reference_data):
    with np.load(reference_data / "reference" / "multibox_loss.npz") as reference:
        given_ = {name: torch.from_numpy(reference[name]) for name in reference}
    targets = targets_of([given_[f"target{index}"] for index in range(3)])
    predictions = Raw(given_["loc"], given_["conf_logits"], given_["landm"])
    losses = multibox(predictions, given_["priors"], targets)
    # Single precision sums over all priors, in an order that differs between processors.
    for value, name in zip(losses, ("loss_box", "loss_class", "loss_landmark"), strict=True):
        assert value.item() == pytest.approx(given_[name].item(), abs=1e-4)


def test_a_batch_gives_the_sums_of_its_pictures():
    boxes = priors(variant("v2"), 64, 64)
    face = torch.tensor([0.1, 0.2, 0.5, 0.7, *[0.3] * 10, 1.0])
    other = torch.tensor([0.4, 0.4, 0.9, 0.9, *[0.5] * 10, -1.0])
    rows = [face[None], torch.stack([face, other])]
    predictions = raw(2, len(boxes))
    together = multibox(predictions, boxes, targets_of(rows))
    apart = [
        multibox(Raw(*(part[i : i + 1] for part in predictions)), boxes, targets_of([rows[i]]))
        for i in range(2)
    ]
    counts = [assign(boxes, targets_of([row]), 0.35).positive.sum() for row in rows]
    for whole, first, second in zip(together[:2], apart[0], apart[1], strict=False):
        expected = (first * counts[0] + second * counts[1]) / sum(counts)
        torch.testing.assert_close(whole, expected)


@pytest.mark.parametrize("faces", [0, 2])
def test_pictures_without_faces_cost_nothing_and_have_a_gradient(faces):
    boxes = priors(variant("v2"), 64, 64)
    predictions = Raw(*(part.requires_grad_() for part in raw(1, len(boxes))))
    losses = multibox(predictions, boxes, empty_targets(1, faces))
    assert [value.item() for value in losses] == [0.0, 0.0, 0.0]
    sum(losses).backward()
    assert all(part.grad is not None and part.grad.isfinite().all() for part in predictions)


def test_unmarked_faces_train_no_landmarks():
    boxes = priors(variant("v2"), 64, 64)
    row = torch.tensor([[0.1, 0.2, 0.5, 0.7, *[-1.0] * 10, -1.0]])
    losses = multibox(raw(1, len(boxes)), boxes, targets_of([row]))
    assert losses.landmark.item() == 0
    assert losses.box.item() > 0


def test_class_loss_is_cross_entropy_over_faces_and_hard_background():
    boxes = priors(variant("v2"), 64, 64)
    row = torch.tensor([[0.1, 0.2, 0.5, 0.7, *[0.3] * 10, 1.0]])
    predictions = raw(1, len(boxes))
    everything = multibox(predictions, boxes, targets_of([row]), negatives=10_000)
    positive = assign(boxes, targets_of([row]), 0.35).positive[0]
    entropy = functional.cross_entropy(predictions.logits[0], positive.long(), reduction="none")
    least = entropy[~positive].min()  # at most P - 1 background priors, the easiest is left out
    expected = (entropy.sum() - (least if positive.sum() == 0 else 0)) / positive.sum()
    assert everything.face.item() == pytest.approx(expected.item(), rel=1e-4)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 100))
def test_the_hardest_are_the_largest(counts, seed):
    values = torch.rand(len(counts), 9, generator=torch.Generator().manual_seed(seed))
    marked = hardest(values, torch.tensor(counts))
    for row, chosen, count in zip(values, marked, counts, strict=True):
        assert chosen.sum() == min(count, 8)
        if chosen.any():
            assert row[chosen].min() >= row[~chosen].max()


def test_targets_move_to_a_device():
    assert isinstance(empty_targets(1, 1).to(torch.device("cpu")), Targets)
