"""Probes see what the code computes, for the settings given, and nothing else."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest
import torch

from featherface.data.augmentation import mixing, transforms
from featherface.data.config import SyntheticConfig
from featherface.evaluation import curves, ground_truth, matches, matching, overlaps, protocol
from featherface.evaluation.config import EvaluateConfig
from featherface.export import onnx_file, writing
from featherface.geometry import suppression
from featherface.inference import decoding, detect, tta
from featherface.losses import multibox, parts
from featherface.losses.config import LossConfig
from featherface.networks.heads import linear
from featherface.probes import table
from featherface.probes import training as probes_of_training
from featherface.probes.numbers import fill_weights, noise, summary
from featherface.probes.settings import ProbeSettings
from featherface.probes.table import EXACT, PROBES, agree, forget_networks, measure, probes_for
from featherface.profiling import timing
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation import distillation_loss, terms
from featherface.training.loading import batches
from featherface.training.optimization import moving_average, optimizers, schedules
from featherface.training.session import TrainingSession
from featherface.variants.table import variant

PLAIN = ProbeSettings(model=variant("v3-nano"), synthetic=SyntheticConfig(image_size=64))
TAUGHT = ProbeSettings(
    model=variant("v3-nano"),
    train=TrainConfig(ema=0.999, landmark_weight=0.0, views=2),
    distill=DistillConfig(
        teacher="v1@1",
        feature_weight=0.5,
        attention_weight=0.5,
        cross_scale_weight=0.5,
        self_weight=0.5,
        temporal_weight=0.5,
        phases=(Phase(until=0.5, temperature=4.0), Phase(until=1.0)),
    ),
    evaluate=EvaluateConfig(flip=True, voting=True),
)
SEEN = ("network", "training", "accuracy", "speed", "export")


@pytest.fixture(scope="module")
def plain():
    return measure(PLAIN, probes_for(PLAIN, table.FAMILIES))


@pytest.fixture(scope="module")
def taught():
    return measure(TAUGHT, probes_for(TAUGHT, table.FAMILIES))


NETWORK_PROBES = ("outputs", "counts", "initial-weights", "gradients", "exported-outputs")
"""They hold nothing but networks, and take as long as all others."""


def changed(settings, before, known, without=()):
    """Return the families of the probes, but those WITHOUT, that give something else than BEFORE.

    KNOWN holds what the same code gave for other settings: a probe that reads the same of these is
    not computed again.
    """
    probes = probes_for(settings, table.FAMILIES)
    assert probes.keys() == before.keys()
    wanted = {name: probe for name, probe in probes.items() if name not in without}
    keys = {name: (name, settings.reduced(probe.reads).digest) for name, probe in wanted.items()}
    unknown = {name: probe for name, probe in wanted.items() if keys[name] not in known}
    known |= {keys[name]: values for name, values in measure(settings, unknown).items()}
    now = {name: known[keys[name]] for name in wanted}
    names = [name for name in now if not agree(before[name], now[name], PROBES[name].tolerance)]
    return {family for name in names for family in wanted[name].families}


def test_the_same_values_at_every_call_and_number_of_threads(plain):
    threads = torch.get_num_threads()
    forget_networks()
    try:
        torch.set_num_threads(2)
        torch.manual_seed(5)
        again = measure(PLAIN, probes_for(PLAIN, table.FAMILIES))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert again == plain


def test_values_depend_on_nothing_that_is_switched_on_around_them(taught):
    forget_networks()
    torch.set_default_dtype(torch.float64)
    torch.set_deterministic_debug_mode("error")
    try:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            again = measure(TAUGHT, probes_for(TAUGHT, table.FAMILIES))
        assert torch.get_default_dtype() == torch.float64
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_deterministic_debug_mode("default")
    assert again == taught


def test_a_probe_gives_the_same_alone_as_after_all_others(taught):
    for name in taught:
        forget_networks()
        assert measure(TAUGHT, {name: PROBES[name]}) == {name: taught[name]}


def test_a_shared_network_is_as_it_was_after_its_gradients(taught):
    forget_networks()
    measure(TAUGHT, {"gradients": PROBES["gradients"]})
    alone = {name: PROBES[name] for name in ("exported-outputs", "outputs")}
    assert measure(TAUGHT, alone) == {name: taught[name] for name in alone}


def test_random_numbers_and_modes_are_left_as_they_were():
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.no_grad():
        measure(TAUGHT, probes_for(TAUGHT, ["training", "accuracy"]))
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2][1])  # noqa: NPY002


def patched(monkeypatch, place, name, make):
    monkeypatch.setattr(place, name, make(getattr(place, name)))


def entry(monkeypatch, mapping, name, make):
    monkeypatch.setitem(mapping, name, make(mapping[name]))


CHANGES = {
    "an activation": (
        lambda m: patched(
            m,
            torch.nn.functional,
            "leaky_relu",
            lambda old: (
                lambda x, negative_slope=0.01, inplace=False: old(
                    x, negative_slope + 0.001, inplace
                )
            ),
        ),
        set(SEEN),
        set(SEEN),
    ),
    "the initialisation": (
        lambda m: patched(
            m, linear, "initialise", lambda old: lambda heads, share: old(heads, share / 2)
        ),
        {"training"},
        {"training"},
    ),
    "suppression by > instead of >=": (
        lambda m: patched(m, suppression, "_overlap", lambda old: lambda a, b: old(a, b) + 1e-12),
        {"accuracy"},
        {"accuracy"},
    ),
    "a threshold of 0.5 that is exceeded": (
        lambda m: m.setattr(overlaps, "IOU", 0.5 + 1e-12),
        {"accuracy"},
        {"accuracy"},
    ),
    "IoU without the pixel more": (
        lambda m: patched(
            m, overlaps, "_corners", lambda old: lambda boxes: old(boxes) - [[0], [0], [1], [1]]
        ),
        {"accuracy"},
        {"accuracy"},
    ),
    "AP in another way": (
        lambda m: patched(
            m,
            matches,
            "average_precision",
            lambda _: lambda p, r: (np.diff(r, axis=1, prepend=0.0) * p).sum(axis=1),
        ),
        {"accuracy"},
        {"accuracy"},
    ),
    "which faces count where lists are missing": (
        lambda m: m.setitem(ground_truth.HEIGHTS, "easy", 49),
        {"accuracy"},
        {"accuracy"},
    ),
    "scores that may equal the threshold": (
        lambda m: patched(
            m,
            decoding,
            "_likely",
            lambda old: lambda config, t, *rest: old(config, t - 1e-6, *rest),
        ),
        {"accuracy"},
        {"accuracy"},
    ),
    "mirrored views": (
        lambda m: m.setattr(tta, "MIRRORED_POINTS", list(range(10))),
        set(),
        {"accuracy"},
    ),
    "the mean of a vote": (
        lambda m: patched(
            m, tta, "vote", lambda old: lambda found, threshold: old(found, threshold * 0.9)
        ),
        set(),
        {"accuracy"},
    ),
    "the weight of hard negatives": (
        lambda m: patched(
            m, multibox, "hardest", lambda old: lambda values, counts: old(values, counts // 2)
        ),
        {"training"},
        {"training"},
    ),
    "a loss of boxes": (
        lambda m: entry(m, parts.BOXES, "smooth-l1", lambda old: lambda *a: 1.01 * old(*a)),
        {"training"},
        {"training"},
    ),
    "a loss of landmarks, which only one has a weight for": (
        lambda m: entry(m, parts.LANDMARKS, "smooth-l1", lambda old: lambda *a: 1.01 * old(*a)),
        {"training"},
        set(),
    ),
    "a loss that nobody asks for": (
        lambda m: entry(m, parts.BOXES, "ciou", lambda old: lambda *a: 2 * old(*a)),
        set(),
        set(),
    ),
    "an augmentation": (
        lambda m: entry(m, transforms.AUGMENTATIONS, "mirror", lambda _: transforms.pad),
        {"training"},
        {"training"},
    ),
    "an augmentation that nobody asks for": (
        lambda m: entry(m, transforms.AUGMENTATIONS, "mosaic", lambda _: mixing.mixup),
        set(),
        set(),
    ),
    "another augmentation in the table": (
        lambda m: m.setitem(transforms.AUGMENTATIONS, "new", mixing.mixup),
        set(),
        set(),
    ),
    "the mean that is taken off": (
        lambda m: patched(m, detect, "network_input", lambda old: lambda *a: old(*a) + 0.25),
        {"accuracy"},
        {"accuracy"},
    ),
    "the order of colours": (
        lambda m: patched(
            m, batches, "lay_out_picture", lambda old: lambda *a: old(*a).flip(0).contiguous()
        ),
        {"training"},
        {"training"},
    ),
    "the schedule": (
        lambda m: entry(
            m, schedules.SCHEDULES, "onecycle", lambda old: lambda c, s, n: old(c, s + 1, n)
        ),
        {"training"},
        {"training"},
    ),
    "a schedule that nobody asks for": (
        lambda m: entry(m, schedules.SCHEDULES, "cosine", lambda _: lambda *_: 1.0),
        set(),
        set(),
    ),
    "which parameters decay": (
        lambda m: patched(
            m,
            probes_of_training,
            "parameter_groups",
            lambda old: lambda *a: [{**group, "weight_decay": 0.0} for group in old(*a)],
        ),
        {"training"},
        {"training"},
    ),
    "the optimizer's arguments": (
        lambda m: entry(
            m,
            optimizers.OPTIMIZERS,
            "adamw",
            lambda old: old._replace(arguments=lambda c: {**old.arguments(c), "amsgrad": True}),
        ),
        {"training"},
        {"training"},
    ),
    "no clipping": (
        lambda m: m.setattr(TrainingSession, "clip", lambda _: torch.zeros(())),
        {"training"},
        {"training"},
    ),
    "the moving average, which only one keeps": (
        lambda m: patched(
            m,
            moving_average.MovingAverage,
            "update",
            lambda old: lambda self, step: old(self, step + 1),
        ),
        set(),
        {"training"},
    ),
    "which weights are the best": (
        lambda m: patched(
            m,
            TrainingSession,
            "judge",
            lambda old: lambda self: [old(self), setattr(self.place, "waited", 0)][0],
        ),
        {"training"},
        {"training"},
    ),
    "T instead of T squared": (
        lambda m: patched(
            m,
            terms,
            "_soft_loss",
            lambda old: (
                lambda s, t, sure, temperature, n: old(s, t, sure, temperature, n) / temperature
            ),
        ),
        set(),
        {"training"},
    ),
    "the share of the teacher": (
        lambda m: patched(
            m,
            distillation_loss.DistillationLoss,
            "_teachers_loss",
            lambda old: lambda self, *a: (old(self, *a)[0] * 1.01, old(self, *a)[1]),
        ),
        set(),
        {"training"},
    ),
    "the mean of times": (
        lambda m: m.setattr(timing.statistics, "median", lambda runs: sum(runs) / len(runs)),
        {"speed"},
        {"speed"},
    ),
    "a network that is timed while it trains": (
        lambda m: patched(
            m,
            timing,
            "_in_turns",
            lambda old: (
                lambda workloads, *a: (
                    [each.work.func.train() for each in workloads],
                    old(workloads, *a),
                )[1]
            ),
        ),
        {"speed"},
        {"speed"},
    ),
    "what is exported": (
        lambda m: m.setattr(
            onnx_file._Deployed, "forward", lambda self, images: tuple(self.model(images))
        ),
        {"export"},
        {"export"},
    ),
    "the pictures of the comparison": (
        lambda m: patched(m, writing, "_pictures", lambda old: lambda *a: 2 * old(*a)),
        {"export"},
        {"export"},
    ),
    "which detections of a picture count": (
        lambda m: patched(
            m,
            matching.Pairing,
            "counted",
            lambda old: lambda self, subset: np.ones_like(old(self, subset)),
        ),
        {"accuracy"},
        {"accuracy"},
    ),
    "how many thresholds a curve has": (
        lambda m: [m.setattr(place, "THRESHOLDS", 500) for place in (curves, protocol)],
        {"accuracy"},
        {"accuracy"},
    ),
}


OF_NETWORKS = ("an activation", "the initialisation", "what is exported")
"""Changes of what networks are built of or say; no other can show in NETWORK_PROBES."""


@pytest.fixture
def forgotten():
    forget_networks()
    yield
    forget_networks()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_shows_in_the_families_that_follow_from_it(
    name, monkeypatch, plain, taught, request
):
    change, of_plain, of_taught = CHANGES[name]
    without = NETWORK_PROBES
    if name in OF_NETWORKS:
        request.getfixturevalue("forgotten")
        without = ()
    change(monkeypatch)
    known = {}
    assert changed(PLAIN, plain, known, without) == of_plain
    assert changed(TAUGHT, taught, known, without) == of_taught


def test_what_a_probe_reads_is_all_that_it_is_given():
    train = TrainConfig(lr=0.5, clip=1.0, loss=LossConfig(box="ciou"))
    reduced = ProbeSettings(train=train).reduced(["train.lr", "train.loss"])
    assert reduced == ProbeSettings(train=TrainConfig(lr=0.5, loss=LossConfig(box="ciou")))
    seeds = [ProbeSettings(train=TrainConfig(seed=seed)) for seed in (0, 1)]
    for probe in PROBES.values():
        assert seeds[0].reduced(probe.reads) == seeds[1].reduced(probe.reads)


def test_settings_share_a_digest_of_what_is_equal_in_them():
    first, second = (ProbeSettings(train=TrainConfig(lr=0.5, clip=clip)) for clip in (1.0, 2.0))
    assert first.digest(["train.lr", "model"]) == second.digest(["train.lr", "model"])
    for reads in (["train.clip"], ["train"]):
        assert first.digest(reads) != second.digest(reads)


def test_who_teaches_is_no_setting():
    first, second = (
        ProbeSettings(distill=DistillConfig(teacher=name, teachers=(name,)))
        for name in ("v1@1", "v1@2")
    )
    assert first == second
    assert first != ProbeSettings(distill=DistillConfig(teacher="v1@1"))


def test_only_what_a_run_does_is_asked():
    of_all = probes_for(ProbeSettings(), table.FAMILIES)
    assert "distillation" not in of_all
    assert "synthetic-set" not in of_all
    judged = ProbeSettings(evaluate=EvaluateConfig(predictions="found"))
    assert set(probes_for(judged, ["accuracy"])) == {"matching", "landmark-error", "built-subsets"}
    assert "teacher-outputs" in probes_for(ProbeSettings(teacher=variant("v3-nano")), ["training"])


def test_results_agree_within_the_tolerance_and_no_further():
    assert agree([1.0, 1e6], [1.0 + 1.9e-9, 1e6 + 9e-4], EXACT)
    assert not agree([1.0], [1.0 + 2.1e-9], EXACT)
    assert not agree([1e6], [1e6 + 1.1e-3], EXACT)
    assert not agree([1.0], [1.0, 1.0], EXACT)
    assert agree([math.inf, math.nan], [math.inf, math.nan], EXACT)
    assert not agree([math.nan], [1.0], EXACT)


def test_weights_follow_from_their_names():
    first, second = (
        torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)),
        torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)),
    )
    for model in (first, second):
        fill_weights(model)
    assert torch.equal(first[0].weight, second[0].weight)
    wanted = noise("0.weight", 4, 3, 3, 3) * (4.5 / 27) ** 0.5
    assert first[0].weight.detach().numpy() == pytest.approx(wanted, rel=1e-6)


def test_fixed_numbers_are_those_of_the_generator_itself():
    bits = np.random.PCG64(0x3D3B5F75).random_raw(2)
    assert noise("x", 2).min() >= -1
    assert noise("x", 2).max() < 1
    assert len(bits) == 2
    assert noise("x", 2, 3).tolist() == noise("x", 6).reshape(2, 3).tolist()


def test_a_summary_sees_every_entry_and_its_place():
    values = noise("values", 50)
    for place in (0, 17, 49):
        other = values.copy()
        other[place] += 1e-6
        assert not agree(summary(values), summary(other), EXACT)
    assert not agree(summary(values), summary(values[::-1]), EXACT)
    assert summary([]) == [0.0]
    assert summary([float("nan"), 2.0])[2:] == [-1.0, 2.0]


def test_every_probe_has_a_use_and_a_legal_place():
    for name, probe in PROBES.items():
        assert probe.families, name
        assert set(probe.families) <= set(SEEN)
        ProbeSettings().reduced(probe.reads)
        assert 0 < probe.tolerance <= 1e-4
    assert {field.name for field in dataclasses.fields(ProbeSettings)} >= {
        key.partition(".")[0] for probe in PROBES.values() for key in probe.reads
    }
