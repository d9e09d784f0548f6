"""Each part of the loss against plain loops, in double precision.

The bounds are those of rounding: 1e-9 of some hundred sums in double precision. Quotients that
the losses keep from dividing by zero add a 1e-7 (CIoU) or 1e-14 of their own.
"""

import math

import pytest
import torch
from stand_ins import plain_losses
from stand_ins.faces import made_up
from stand_ins.plain_losses import Raw

from featherface.geometry.priors import levels, priors
from featherface.losses.assignment import Targets
from featherface.losses.config import CHOICES, LossConfig
from featherface.losses.matching import MATCHINGS, MatchingInputs
from featherface.losses.multibox import hardest, multibox
from featherface.training.loading.batches import empty_targets
from featherface.variants.table import variant

SIDE = 64
CONFIG = variant("v2")
PRIORS, LEVELS = priors(CONFIG, SIDE, SIDE).double(), levels(CONFIG, SIDE)
UNEQUAL = {"hard_weight": 3.0, "small_weight": 2.0}
SHAPES = {"focal_alpha": 0.3, "focal_gamma": 1.5, "wing_width": 8.0, "wing_curvature": 1.5}
OTHER_MATCHINGS = [name for name in MATCHINGS if name != "overlap"]
KINDS = [(key, name) for key in ("face", "box", "landmark") for name in CHOICES[key]]


def raw(pictures=2, seed=0, scale=1.0):
    """Return predictions that are sometimes near and sometimes far."""
    chance = torch.Generator().manual_seed(seed)
    shapes = [(pictures, len(PRIORS), numbers) for numbers in (4, 2, 10)]
    return Raw(*(scale * torch.randn(s, generator=chance, dtype=torch.float64) for s in shapes))


def faces():
    """Two faces in the first picture, of one of which the landmarks are known, three in another."""
    made = made_up(3, 2, 3)
    assert made.faces.sum(1).tolist() == [2, 3]
    made.marked[0] = torch.tensor([True, False, False])
    made.boxes[0, 1] = torch.tensor([0.1, 0.15, 0.85, 0.95])  # 50 pixels, where 16 are small
    return Targets(made.boxes.double(), made.landmarks.double(), made.faces, made.marked)


def leaves(predictions):
    return Raw(*(part.clone().requires_grad_() for part in predictions))


def compare(loss, targets, predictions, matched=None, **options):
    """Compare values and gradients of all parts with those of the loops; return the values.

    Gradients go by the deltas alone where logits are tied: which of equals count is nobody's.
    """
    own, plain = leaves(predictions), leaves(predictions)
    losses = multibox(own, PRIORS, targets, loss=loss, levels=LEVELS, **options)
    options["threshold"] = options.pop("overlap", 0.35)
    wanted = plain_losses.multibox(
        plain, PRIORS, targets, loss, side=SIDE, matched=matched, **options
    )
    bound = {"rel": 1e-6 if loss.box == "ciou" else 1e-9, "abs": 1e-12}
    for part, plain_part in zip(losses, wanted, strict=True):
        assert part.item() == pytest.approx(plain_part.item(), **bound)
    (2 * losses.box + 3 * losses.face + 5 * losses.landmark).backward()
    (2 * wanted[0] + 3 * wanted[1] + 5 * wanted[2]).backward()
    tied = len(predictions.logits.unique()) == 1
    for tensor, other in list(zip(own, plain, strict=True))[:: 2 if tied else 1]:
        slope = torch.zeros_like(tensor) if other.grad is None else other.grad
        torch.testing.assert_close(tensor.grad, slope, rtol=1e-6, atol=1e-9)
    return [value.item() for value in losses]


@pytest.mark.parametrize(("key", "name"), KINDS)
def test_every_kind_is_its_formula_with_and_without_weights(key, name):
    even = compare(LossConfig(**{key: name}, **SHAPES), faces(), raw())
    uneven = compare(LossConfig(**{key: name}, **SHAPES, **UNEQUAL), faces(), raw())
    assert all(value > 0 for value in even)
    assert all(first != pytest.approx(second) for first, second in zip(even, uneven, strict=True))


@pytest.mark.parametrize("name", OTHER_MATCHINGS)
def test_what_others_match_is_compared_alike(name):
    predictions, targets = raw(seed=4), faces()
    layout = MatchingInputs(
        PRIORS, LEVELS, targets, 0.35, predictions.boxes, predictions.logits, (0.1, 0.2)
    )
    assignment = MATCHINGS[name](layout)
    matched = list(zip(assignment.face.tolist(), assignment.positive.tolist(), strict=True))
    compare(LossConfig(assignment=name, **UNEQUAL), targets, predictions, matched)


@pytest.mark.parametrize("weight", ["hard_weight", "small_weight"])
def test_each_weight_counts_alone(weight):
    weighted = compare(LossConfig(**{weight: 4.0}), faces(), raw())
    assert weighted[0] != pytest.approx(compare(LossConfig(), faces(), raw())[0])


@pytest.mark.parametrize("negatives", [1, 3, 7, 400])
def test_so_many_hard_background_priors_count_per_face_prior(negatives):
    compare(LossConfig(), faces(), raw(seed=2), negatives=negatives)


@pytest.mark.parametrize("threshold", [0.25, 0.35, 0.6])
def test_priors_from_the_threshold_on_learn_a_face(threshold):
    compare(LossConfig(), faces(), raw(seed=3), overlap=threshold)


def test_a_picture_without_faces_has_no_background_either():
    """Each picture has background priors in proportion to its own face priors alone."""
    targets = faces()
    targets.faces[0] = False
    both = compare(LossConfig(), targets, raw())
    alone = compare(
        LossConfig(), Targets(*(part[1:] for part in targets)), Raw(*(part[1:] for part in raw()))
    )
    assert both == pytest.approx(alone, rel=1e-12)
    assert compare(LossConfig(), empty_targets(2, 0), raw(2)) == [0, 0, 0]


def test_landmarks_are_averaged_over_those_that_are_known():
    targets = faces()
    known = compare(LossConfig(), targets, raw())
    every = targets._replace(marked=targets.faces)
    assert compare(LossConfig(), every, raw())[2] != pytest.approx(known[2])
    nobody = targets._replace(marked=torch.zeros_like(targets.marked))
    assert compare(LossConfig(), nobody, raw()) == [*known[:2], 0]


def test_background_that_is_equally_hard_counts_as_often_as_is_asked():
    """All logits are equal: each of the priors that count costs log 2, whichever they are."""
    targets = empty_targets(1, 1)
    targets.boxes[0, 0] = torch.tensor([0.25, 0.25, 0.5, 0.5])
    targets.faces[:] = True
    flat = Raw(*(torch.zeros_like(part) for part in raw(1)))
    for negatives in (1, 2, 7):
        face_loss = compare(LossConfig(), targets, flat, negatives=negatives)[1]
        assert face_loss == pytest.approx((1 + negatives) * math.log(2), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "count", "wanted"),
    [
        ([3.0, 1.0, 2.0], 2, 2),
        ([5.0, 5.0, 5.0, 1.0], 2, 2),  # of equals, as many as asked for
        ([1.0, 2.0, 3.0], 3, 2),  # never all of them, as the official source has it
        ([1.0, 2.0, 3.0], 0, 0),
    ],
)
def test_the_hardest_are_as_many_as_asked_for(values, count, wanted):
    rows = torch.tensor([values, [0.0] * len(values)])
    marked = hardest(rows, torch.tensor([count, 0]))
    assert marked.sum(1).tolist() == [wanted, 0]
    kept = sorted(rows[0][marked[0]].tolist(), reverse=True)
    assert kept == sorted(values, reverse=True)[:wanted]


def test_only_the_matching_looks_at_the_threshold_of_others():
    """ATSS and SimOTA choose for themselves: `train.overlap` changes nothing."""
    for name in OTHER_MATCHINGS:
        loss = LossConfig(assignment=name)
        low, high = (
            multibox(raw(), PRIORS, faces(), loss=loss, levels=LEVELS, overlap=value)
            for value in (0.1, 0.9)
        )
        assert [v.item() for v in low] == [v.item() for v in high]
