"""Each loss and each matching against a plain loop, and in training."""

import math
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins.faces import made_up
from stand_ins.plain_losses import overlap_table

from featherface import errors
from featherface.geometry.boxes import corners_of, decode
from featherface.geometry.priors import levels, priors
from featherface.losses import assignment
from featherface.losses.atss import assign_atss
from featherface.losses.config import CHOICES, LossConfig
from featherface.losses.matching import MATCHINGS
from featherface.losses.multibox import multibox
from featherface.losses.overlap import ciou, diou, eiou
from featherface.losses.parts import BOXES, DENSE, LANDMARKS, Matched, focal, quality_focal, wing
from featherface.losses.selection import select
from featherface.losses.simota import assign_simota
from featherface.losses.weighting import weigh
from featherface.training.loading.batches import empty_targets
from featherface.variants.table import variant

CONFIG = variant("v2")
PRIORS, LEVELS = priors(CONFIG, 96, 96), levels(CONFIG, 96)
VARIANCES = (0.1, 0.2)


class Raw(NamedTuple):
    boxes: torch.Tensor
    logits: torch.Tensor
    landmarks: torch.Tensor


def raw(batch, seed=0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    sizes = (4, 2, 10)
    return Raw(*(scale * torch.randn(batch, len(PRIORS), n, generator=rng) for n in sizes))


def test_the_recipe_knows_every_choice():
    tables = (MATCHINGS, {"cross-entropy": None, **DENSE}, BOXES, LANDMARKS)
    keys = ("assignment", "face", "box", "landmark")
    assert {key: tuple(table) for key, table in zip(keys, tables, strict=True)} == CHOICES


@pytest.mark.parametrize(
    ("key", "value"), [(k, v) for k, values in CHOICES.items() for v in values]
)
def test_every_choice_is_a_switch_with_finite_gradients(key, value):
    loss = LossConfig(**{key: value}, hard_weight=3.0, small_weight=2.0)
    for scale in (1.0, 60.0):
        predictions = Raw(*(part.requires_grad_() for part in raw(3, 4, scale)))
        losses = multibox(predictions, PRIORS, made_up(1), loss=loss, levels=LEVELS)
        assert all(part.isfinite() and part > 0 for part in losses)
        sum(losses).backward()
        assert all(part.grad.isfinite().all() and part.grad.any() for part in predictions)


@pytest.mark.parametrize("value", [*CHOICES["assignment"], *CHOICES["face"]])
@pytest.mark.parametrize("faces", [0, 2])
def test_pictures_without_faces_are_no_trouble(value, faces):
    key = "assignment" if value in CHOICES["assignment"] else "face"
    predictions = Raw(*(part.requires_grad_() for part in raw(1)))
    loss = LossConfig(**{key: value}, hard_weight=2.0)
    losses = multibox(predictions, PRIORS, empty_targets(1, faces), loss=loss, levels=LEVELS)
    assert losses.box == losses.landmark == 0
    sum(losses).backward()
    assert all(part.grad is not None and part.grad.isfinite().all() for part in predictions)


def plain_overlap(one, two):
    """Return IoU, squared centre distance over squared hull diagonal, and hull of two boxes."""
    width = max(0.0, min(one[2], two[2]) - max(one[0], two[0]))
    height = max(0.0, min(one[3], two[3]) - max(one[1], two[1]))
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, two)]
    hull = max(one[2], two[2]) - min(one[0], two[0]), max(one[3], two[3]) - min(one[1], two[1])
    apart = sum(((one[i] + one[i + 2] - two[i] - two[i + 2]) / 2) ** 2 for i in (0, 1))
    common = width * height
    return common / (sum(areas) - common), apart / (hull[0] ** 2 + hull[1] ** 2), hull


def plain_loss(name, one, two):
    overlap, apart, hull = plain_overlap(one, two)
    (w1, h1), (w2, h2) = ((b[2] - b[0], b[3] - b[1]) for b in (one, two))
    if name == "ciou":
        differ = 4 / math.pi**2 * (math.atan(w1 / h1) - math.atan(w2 / h2)) ** 2
        return 1 - overlap + apart + differ**2 / (1 - overlap + differ + 1e-7)
    sides = ((w1 - w2) / hull[0]) ** 2 + ((h1 - h2) / hull[1]) ** 2
    return 1 - overlap + apart + (sides if name == "eiou" else 0.0)


boxes = st.tuples(*[st.floats(0, 0.9)] * 2, *[st.floats(0.02, 0.8)] * 2).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@settings(deadline=None)
@given(boxes, boxes)
def test_overlap_losses_are_their_formulas(one, two):
    for name, loss in (("diou", diou), ("ciou", ciou), ("eiou", eiou)):
        found = loss(*(torch.tensor([box], dtype=torch.float64) for box in (one, two)))
        assert found.item() == pytest.approx(plain_loss(name, one, two), abs=1e-6)
        itself = loss(*(torch.tensor([box], dtype=torch.float64) for box in (one, one)))
        assert itself.item() == pytest.approx(0, abs=1e-6)


def test_overlap_losses_pull_boxes_together_that_share_nothing():
    away = torch.tensor([[0.0, 0.0, 0.1, 0.1]], requires_grad=True)
    for loss in (diou, ciou, eiou):
        there = torch.tensor([[0.6, 0.6, 0.9, 0.9]])
        (slope,) = torch.autograd.grad(loss(away, there).sum(), away)
        assert (slope[:, :2] + slope[:, 2:] < 0).all()  # the centre wants to go right and down


def test_focal_losses_are_their_formulas():
    loss = LossConfig(focal_alpha=0.3, focal_gamma=1.5)
    logits = raw(1, 2).logits[:, :40]
    quality = torch.rand(1, 40, generator=torch.Generator().manual_seed(1))
    quality[:, ::2] = 0
    plain, graded = focal(logits, quality, loss), quality_focal(logits, quality, loss)
    for index in range(40):
        p = logits[0, index].softmax(0)[1].item()
        y = quality[0, index].item()
        right, alpha = (p, 0.3) if y > 0 else (1 - p, 0.7)
        expected = -alpha * (1 - right) ** 1.5 * math.log(right)
        assert plain[0, index].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
        entropy = -y * math.log(p) - (1 - y) * math.log(1 - p)
        assert graded[0, index].item() == pytest.approx(abs(y - p) ** 1.5 * entropy, rel=1e-3)


def test_a_certain_focal_loss_without_focus_is_half_of_cross_entropy():
    predictions, targets = raw(1, 5), made_up(0, 1)
    assert targets.faces.any()
    flat = LossConfig(face="focal", focal_alpha=0.5, focal_gamma=0.0)
    found = multibox(predictions, PRIORS, targets, loss=flat).face
    everything = multibox(predictions, PRIORS, targets, negatives=100_000).face
    assert found.item() == pytest.approx(everything.item() / 2, rel=0.01)  # that leaves one out


def test_wing_is_its_formula_in_percent_of_the_prior():
    loss = LossConfig(wing_width=8.0, wing_curvature=1.5)
    prior = torch.tensor([[0.5, 0.5, 0.2, 0.4]])
    points = torch.tensor([[0.5 + 0.2 * 0.01 * step for step in range(10)]])  # x by 1 %, 3 %, ...
    found = wing(Matched(torch.zeros(1, 10), points, prior, VARIANCES), loss)
    for index, value in enumerate(found[0].tolist()):
        error = 100 * 0.2 * 0.01 * index / (0.2 if index % 2 == 0 else 0.4)
        rest = 8 - 8 * math.log(1 + 8 / 1.5)
        expected = 8 * math.log(1 + error / 1.5) if error < 8 else error - rest
        assert value == pytest.approx(expected / 8, abs=1e-4)


def test_faces_that_are_missed_or_small_weigh_more():
    scores = torch.tensor([1.0, 0.0, 1.0])
    sizes = torch.tensor([0.5, 0.5, 1 / 32])  # 256, 256 and 16 of 512 pixels
    faces = torch.stack((torch.zeros(3), torch.zeros(3), sizes, sizes), 1)
    chosen = select(torch.tensor([[True, True, True, False]]))
    assert weigh(chosen, scores, faces, 512, LossConfig()) is None
    heavier = LossConfig(hard_weight=3.0, small_weight=2.0)
    *found, beside = weigh(chosen, scores, faces, 512, heavier)[0].tolist()
    assert beside == 0
    assert sum(found) / 3 == pytest.approx(1)
    assert [one / found[0] for one in found] == pytest.approx([1.0, 3.0, 2.0])


def test_weights_change_how_faces_count_but_not_the_background():
    predictions, targets = raw(2, 3), made_up(4, 2)
    loss = LossConfig(small_weight=4.0)
    plain = multibox(predictions, PRIORS, targets, levels=LEVELS)
    heavy = multibox(predictions, PRIORS, targets, loss=loss, levels=LEVELS)
    assert all(a != b for a, b in zip(plain, heavy, strict=True))
    one = targets._replace(faces=targets.faces.clone())
    one.faces[:, 1:] = False
    one.faces[1] = False  # one face is its own average
    same = [multibox(predictions, PRIORS, one, loss=x, levels=LEVELS) for x in (loss, LossConfig())]
    torch.testing.assert_close(same[0], same[1])


def plain_atss(face_boxes):
    """Match one picture as the paper says, face by face."""
    centres, corners = PRIORS[:, :2], corners_of(PRIORS)
    best = torch.full((len(PRIORS),), -1.0)
    face = torch.zeros(len(PRIORS), dtype=torch.long)
    for index, box in enumerate(face_boxes):
        candidates, first = [], 0
        for count in LEVELS.counts:
            places = centres[first : first + count : 2]
            apart = (places - (box[:2] + box[2:]) / 2).square().sum(1)
            near = apart.argsort(stable=True)[: min(9, len(places))]
            candidates += [first + 2 * int(n) + a for n in near for a in (0, 1)]
            first += count
        overlap = overlap_table(box[None], corners[candidates])[0]
        threshold = overlap.mean() + overlap.std()
        points = centres[candidates]
        inside = ((points > box[:2]) & (points < box[2:])).all(1)
        passing = (overlap >= threshold) & inside
        if not passing.any():
            passing = overlap == overlap.max()
        for prior, value, good in zip(candidates, overlap, passing, strict=True):
            if good and value > best[prior]:
                best[prior], face[prior] = value, index
    return face, best >= 0


@pytest.mark.parametrize("seed", range(4))
def test_atss_matches_as_a_loop_over_faces(seed):
    targets = made_up(seed)
    matched = assign_atss(PRIORS, LEVELS, targets)
    for row in range(3):
        face, positive = plain_atss(targets.boxes[row][targets.faces[row]])
        assert torch.equal(matched.positive[row], positive)
        assert torch.equal(matched.face[row][positive], face[positive])


def plain_simota(face_boxes, deltas, logits):
    """Match one picture as YOLOX does, face by face."""
    count = len(PRIORS)
    if not len(face_boxes):
        return torch.zeros(count, dtype=torch.long), torch.zeros(count, dtype=torch.bool)
    points, overlap = PRIORS[:, :2], overlap_table(face_boxes, decode(deltas, PRIORS, VARIANCES))
    reach = LEVELS.strides(torch.device("cpu"))[:, None] * 2.5
    inside = torch.stack([((points > b[:2]) & (points < b[2:])).all(1) for b in face_boxes])
    middle = [(b[:2] + b[2:]) / 2 for b in face_boxes]
    central = torch.stack([((points - m).abs() < reach).all(1) for m in middle])
    candidate = (inside | central).any(0)
    cost = -logits.log_softmax(1)[:, 1] - 3 * (overlap + 1e-8).log()
    cost = cost + 1e5 * ~(inside & central)
    asked = {}
    for index in range(len(face_boxes)):
        allowed = candidate.nonzero()[:, 0]
        best = overlap[index][allowed].sort(descending=True).values[:10]
        for place in cost[index][allowed].argsort()[: max(1, int(best.sum()))]:
            asked.setdefault(int(allowed[place]), []).append(index)
    face = torch.zeros(count, dtype=torch.long)
    positive = torch.zeros(count, dtype=torch.bool)
    for prior, wanting in asked.items():
        face[prior] = min(wanting, key=lambda index: cost[index, prior].item())
        positive[prior] = True
    return face, positive


@pytest.mark.parametrize("seed", range(4))
def test_simota_matches_as_a_loop_over_faces(seed, monkeypatch):
    targets, predictions = made_up(seed), raw(3, seed)
    arguments = (PRIORS, LEVELS, targets, predictions.boxes, predictions.logits, VARIANCES)
    matched = assign_simota(*arguments)
    for row in range(3):
        wanted = targets.boxes[row][targets.faces[row]]
        face, positive = plain_simota(wanted, predictions.boxes[row], predictions.logits[row])
        assert torch.equal(matched.positive[row], positive)
        assert torch.equal(matched.face[row][positive], face[positive])
    monkeypatch.setattr(assignment, "LARGEST_TABLE", 1)
    assert all(map(torch.equal, matched, assign_simota(*arguments)))


@pytest.mark.parametrize("name", ["atss", "simota"])
def test_every_face_is_learnt_by_some_prior(name):
    targets = made_up(11)
    targets.boxes[0, 0] = torch.tensor([0.505, 0.505, 0.525, 0.53])  # between all positions
    targets.faces[0] = torch.tensor([True, False, False, False, False])
    seen = replace(LossConfig(), assignment=name)
    losses = multibox(raw(3), PRIORS, targets, loss=seen, levels=LEVELS)
    assert losses.box > 0
    predictions = raw(3)
    found = {
        "atss": lambda: assign_atss(PRIORS, LEVELS, targets),
        "simota": lambda: assign_simota(
            PRIORS, LEVELS, targets, predictions.boxes, predictions.logits, VARIANCES
        ),
    }[name]()
    assert found.positive[0].any()
    assert (found.face[0][found.positive[0]] == 0).all()


@pytest.mark.parametrize(
    ("key", "value"),
    [("focal_alpha", 1.0), ("focal_gamma", -1.0), ("wing_width", 0.0), ("hard_weight", 0.0)],
)
def test_faults_name_key_and_value(key, value):
    with pytest.raises(errors.UsageError, match=rf"train\.loss\.{key} = "):
        LossConfig(**{key: value})


def test_a_misspelt_loss_names_the_nearest():
    with pytest.raises(errors.UsageError, match="did you mean 'ciou'"):
        LossConfig(box="cious")
