"""Training on a pretended accelerator: the CPU's losses, no mix of devices, and hardly a wait.

A step waits for the device once, when all its numbers are fetched together.
"""

from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from accelerate import Accelerator
from stand_ins.faces import made_up
from stand_ins.networks import every_network
from stand_ins.pretended import PLACE, pretended

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.evaluation.config import EvaluateConfig
from featherface.geometry.priors import levels, priors
from featherface.inference.detect import predict
from featherface.losses.assignment import Targets
from featherface.losses.config import CHOICES, LossConfig
from featherface.losses.matching import MATCHINGS, MatchingInputs
from featherface.losses.multibox import hardest, multibox
from featherface.networks.detector import RawOutput, build
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.terms import Teacher, distill
from featherface.training.loading.batches import empty_targets
from featherface.training.loop import train
from featherface.training.objective import Objective
from featherface.variants.table import variant

SMALL = variant("v3-nano")
PRIORS, LEVELS = priors(SMALL, 96, 96), levels(SMALL, 96)
CONFIG = TrainConfig(epochs=1, batch_size=2, image_size=64, log_every=1, device="cpu", ema=0.9)
MAPS = {"feature_weight": 1.0, "attention_weight": 1.0, "cross_scale_weight": 1.0}


class Cost(NamedTuple):
    """What a step may have host and device do with each other."""

    uploads: int = 2  # pictures, faces
    downloads: int = 1  # all numbers of the step
    stalls: int = 1  # for these


@pytest.fixture
def tally():
    with pretended() as counted:
        yield counted


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=64, train_images=6, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return open_split(root, "train")


def outputs(pictures, count, seed=0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return RawOutput(*(scale * torch.randn(pictures, count, n, generator=rng) for n in (4, 2, 10)))


def away(tensors):
    """Return TENSORS on the accelerator, leaves of a graph of their own."""
    moved = [one.detach().to(PLACE, non_blocking=True) for one in tensors]
    grown = [one.requires_grad_() if one.is_floating_point() else one for one in moved]
    return type(tensors)(*grown)


def near(values):
    return [float(one.detach()) for one in values]


def same(far, here, **bounds):
    torch.testing.assert_close(far.detach().cpu(), here.detach(), **bounds)


LOSSES = [(key, value) for key, values in CHOICES.items() for value in values]
TARGETS = {"faces": made_up(1), "nothing": empty_targets(2, 0)}


@pytest.mark.parametrize("which", TARGETS)
@pytest.mark.parametrize(("key", "value"), LOSSES)
def test_every_loss_is_the_cpus_and_waits_for_nothing(tally, key, value, which):
    targets, loss = TARGETS[which], LossConfig(**{key: value}, hard_weight=3.0, small_weight=2.0)
    here = RawOutput(*(one.requires_grad_() for one in outputs(len(targets.boxes), len(PRIORS))))
    there, faces, places = away(here), targets.to(PLACE), PRIORS.to(PLACE, non_blocking=True)
    expected = multibox(here, PRIORS, targets, loss=loss, levels=LEVELS)
    tally.clear()
    found = multibox(there, places, faces, loss=loss, levels=LEVELS)
    sum(found).backward()
    assert tally.numbers == (0, 0, 0), tally.places
    sum(expected).backward()
    assert near(found) == pytest.approx(near(expected), rel=2e-6, abs=1e-7)
    for one, two in zip(there, here, strict=True):
        same(one.grad, two.grad, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", MATCHINGS)
@pytest.mark.parametrize("seed", range(3))
def test_every_matching_is_the_cpus_and_waits_for_nothing(tally, name, seed):
    targets, shown = made_up(seed), outputs(3, len(PRIORS), seed)
    here = MatchingInputs(PRIORS, LEVELS, targets, 0.35, shown.boxes, shown.logits, (0.1, 0.2))
    there = here._replace(
        priors=PRIORS.to(PLACE, non_blocking=True),
        targets=targets.to(PLACE),
        boxes=shown.boxes.to(PLACE, non_blocking=True),
        logits=shown.logits.to(PLACE, non_blocking=True),
    )
    tally.clear()
    found = MATCHINGS[name](there)
    assert tally.numbers == (0, 0, 0), tally.places
    for one, two in zip(found, MATCHINGS[name](here), strict=True):
        same(one, two)


def test_numbers_that_nobody_selected_spoil_nothing(tally):
    """On the CPU they are never touched; elsewhere they are rows of a sum."""
    targets, shown = made_up(1), outputs(3, len(PRIORS))
    positive = MATCHINGS["overlap"](
        MatchingInputs(PRIORS, LEVELS, targets, 0.35, shown.boxes, shown.logits, (0.1, 0.2))
    ).positive
    for part in (shown.boxes, shown.landmarks):
        part[~positive] = torch.inf
    there = away(shown)
    for box in CHOICES["box"]:
        losses = multibox(
            there,
            PRIORS.to(PLACE),
            targets.to(PLACE),
            loss=LossConfig(box=box, landmark="wing"),
            levels=LEVELS,
        )
        (losses.box + losses.landmark).backward()
        assert all(one.grad.isfinite().all() for one in (there.boxes, there.landmarks))


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0])
def test_what_a_teacher_says_is_compared_as_on_the_cpu(tally, confidence):
    student, teacher = outputs(2, 300, 1), outputs(2, 300, 2)
    lesson = DistillConfig(confidence=confidence)
    there = away(student), away(teacher)
    tally.clear()
    found = distill(*there, lesson, 7)
    assert tally.numbers == (0, 0, 0), tally.places
    expected = near(distill(student, teacher, lesson, 7))
    assert near(found) == pytest.approx(expected, rel=2e-6, abs=1e-7)


def test_the_hardest_are_the_same(tally):
    values, counts = torch.rand(3, 50), torch.tensor([0, 7, 60])
    found = hardest(values.to(PLACE, non_blocking=True), counts.to(PLACE, non_blocking=True))
    assert tally.stalls == 0
    same(found, hardest(values, counts))


def test_targets_arrive_in_one_copy(tally):
    targets = made_up(3)
    there = targets.to(PLACE)
    assert tally.numbers == (1, 0, 0)
    assert isinstance(there, Targets)
    for one, two in zip(there, targets, strict=True):
        assert one.dtype == two.dtype
        same(one, two)


@pytest.mark.parametrize("name", every_network(("v3-nano", "v2")))
def test_every_network_learns_what_it_learns_on_the_cpu(tally, name):
    config, detector = TrainConfig(image_size=64, device="cpu"), variant(name)
    images = 60 * torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    losses, norms = [], []
    for place in (torch.device("cpu"), PLACE):
        network = build(detector, seed=3).train().to(place)
        objective = Objective(detector, config, place)
        shown, faces = images.to(place, non_blocking=True), made_up(1, 2).to(place)
        objective(network, shown, faces)  # brings the priors there
        tally.clear()
        loss, _ = objective(network, shown, faces)
        loss.backward()
        assert tally.numbers == (0, 0, 0), tally.places
        losses.append(loss.item())
        norms.append(sum(float(one.grad.square().sum()) for one in network.parameters()))
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)


def teacher(lesson):
    made = [build(SMALL, seed=seed) for seed in (1, 2)]
    first = made[0] if lesson.taught else None
    return Teacher(first, "v1@1", lesson, tuple(made[1:][: len(lesson.teachers)]))


def go(split, folder, lesson, config, **options):
    """Train; return the loss of each step."""
    events = []
    train(
        build(SMALL, seed=3),
        split,
        config,
        folder=folder,
        teacher=None if lesson is None else teacher(lesson),
        on_event=events.append,
        **options,
    )
    return [event["loss"] for event in events if event["kind"] == "step"]


def go_there(split, folder, lesson, config, tally, monkeypatch):
    """Train on the accelerator; return losses, and what each but an epoch's first step cost."""
    monkeypatch.setattr(Accelerator, "device", property(lambda _: PLACE))
    seen, costs = [], []

    def note(progress):
        if (progress.done - 1) % 3:
            before = seen[-1]
            costs.append(Cost(*(b - a for a, b in zip(before, tally.numbers, strict=True))))
        seen.append(tally.numbers)

    config = replace(config, device="auto")
    losses = go(split, folder, lesson, config, on_progress=note)
    return losses, costs


NAMED = {"teacher": "v1"}
LESSONS = {
    "none": (None, {}, Cost()),
    "sgd": (None, {"optimizer": "sgd", "clip": 0.0, "ema": 0.0}, Cost()),
    "larger pictures": (None, {"epochs": 2, "progressive": (64, 96), "image_size": 96}, Cost()),
    "frozen": (None, {"frozen_backbone": 1.0}, Cost()),
    "two batches a step": (None, {"batch_size": 1, "accumulate": 2}, Cost(4, 2, 2)),
    "teacher": (DistillConfig(**NAMED), {}, Cost()),
    "maps": (DistillConfig(**NAMED, **MAPS), {}, Cost()),
    "several teachers": (
        DistillConfig(**NAMED, teachers=("x",), teacher_shares=(2, 1)),
        {},
        Cost(),
    ),
    "learnt shares": (DistillConfig(**NAMED, teachers=("x",), learn_shares=True), {}, Cost()),
    "phases": (
        DistillConfig(
            **NAMED, phases=(Phase(until=0.5, alpha=0.9), Phase(until=1, self_weight=1.0))
        ),
        {"epochs": 2},
        Cost(),
    ),
    "itself": (DistillConfig(self_weight=1.0, self_decay=0.9), {}, Cost()),
    # Answers that are known are uploaded.
    "kept answers": (
        DistillConfig(**NAMED, confidence=0.4),
        {"views": 1, "epochs": 2},
        Cost(uploads=3),
    ),
    "kept answers and attention": (
        DistillConfig(**NAMED, attention_weight=1.0),
        {"views": 1, "epochs": 2},
        Cost(uploads=4),
    ),
    # What the student says goes to the disk and comes back, with what is known of it.
    "earlier outputs": (
        DistillConfig(temporal_weight=1.0, confidence=0.4),
        {"views": 1, "epochs": 2},
        Cost(uploads=4, downloads=2, stalls=2),
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("none", "teacher") else pytest.param(name, marks=pytest.mark.slow)
        for name in LESSONS
    ],
)
def test_every_lesson_is_the_cpus_and_waits_as_often_as_it_must(
    split, tmp_path, tally, monkeypatch, name
):
    lesson, changes, expected = LESSONS[name]
    config = replace(CONFIG, **changes)
    here = go(split, tmp_path / "here", lesson, config)
    there, costs = go_there(split, tmp_path / "there", lesson, config, tally, monkeypatch)
    assert there == pytest.approx(here, rel=1e-4)
    assert costs[-1] == expected, tally.places
    if not (config.views or config.progressive):
        assert set(costs) == {expected}, tally.places


@pytest.mark.slow
def test_a_side_that_is_new_brings_its_priors_once(split, tmp_path, tally, monkeypatch):
    config = replace(CONFIG, batch_size=1, multi_scale=(1.0, 1.5))
    here = go(split, tmp_path / "here", None, config)
    there, costs = go_there(split, tmp_path / "there", None, config, tally, monkeypatch)
    assert there == pytest.approx(here, rel=1e-4)
    assert {cost.stalls for cost in costs} == {1}
    assert sorted(cost.uploads for cost in costs)[:-1] == [2] * (len(costs) - 1)
    assert max(cost.uploads for cost in costs) in {2, 3}


@pytest.mark.slow
def test_answers_that_are_new_are_fetched_once_a_batch(split, tmp_path, tally, monkeypatch):
    lesson = DistillConfig(**NAMED, cache=True)
    _, costs = go_there(split, tmp_path, lesson, CONFIG, tally, monkeypatch)
    assert set(costs) == {Cost(uploads=4, downloads=2, stalls=2)}, tally.places


@pytest.mark.parametrize("pictures", [1, 3])
def test_pictures_are_judged_as_on_the_cpu_with_two_waits_a_batch(split, tally, pictures):
    """One to know how many detections there are, one for all of them; suppression is the host's."""
    network, costs, found = build(SMALL, seed=3), [], []
    chosen = EvaluateConfig(batch_size=pictures, score_threshold=0.005)
    for place in (torch.device("cpu"), PLACE):
        network.to(place)
        tally.clear()
        found.append(predict(network, SMALL, split.limit(pictures), chosen))
        costs.append(Cost(*tally.numbers))
    assert costs == [Cost(0, 0, 0), Cost(uploads=3, downloads=1, stalls=2)], tally.places
    assert found[0].keys() == found[1].keys()
    assert sum(len(one) for one in found[0].values()) > 0
    for name, rows in found[0].items():
        assert found[1][name] == pytest.approx(rows, rel=1e-5)


def test_a_planted_wait_is_noticed(split, tmp_path, tally, monkeypatch):
    called = Objective.__call__

    def waiting(self, *arguments):
        loss, parts = called(self, *arguments)
        parts["loss"].item()
        return loss, parts

    monkeypatch.setattr(Objective, "__call__", waiting)
    _, costs = go_there(split, tmp_path, None, CONFIG, tally, monkeypatch)
    assert set(costs) == {Cost(downloads=2, stalls=2)}


def test_a_planted_mix_of_devices_is_noticed(split, tmp_path, tally, monkeypatch):
    monkeypatch.setattr(Targets, "to", lambda self, device: self)
    with pytest.raises(RuntimeError, match="one device"):
        go_there(split, tmp_path, None, CONFIG, tally, monkeypatch)
