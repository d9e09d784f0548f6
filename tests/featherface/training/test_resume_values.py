"""A training that is stopped anywhere ends with the bits of an undisturbed one.

One case for each thing that is random, remembered or averaged. Compared are the weights, the
averaged ones among them, and the whole state: optimizer, averages, adapters, place. Whatever is
drawn between the two parts, and whichever network goes on, must make no difference.
"""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from stand_ins.tiny_detector import TinyDetector

from featherface import errors
from featherface.networks.detector import build
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.terms import Teacher
from featherface.training.loop import train
from featherface.training.state import STATE
from featherface.variants.table import variant

CONFIG = TrainConfig(
    epochs=3, batch_size=2, image_size=64, lr=0.02, device="cpu", log_every=1, workers=0
)
PAST = DistillConfig(temporal_weight=1.0, confidence=0.3)
CASES = {
    "plain": CONFIG,
    "dropblock": CONFIG,
    "momentum": replace(CONFIG, optimizer="sgd", schedule="cosine"),
    "average": replace(CONFIG, ema=0.9),
    "accumulated": replace(CONFIG, batch_size=1, accumulate=2),
    "multi-scale": replace(CONFIG, multi_scale=(1.0, 1.5, 2.0)),
    "progressive": replace(CONFIG, image_size=128, progressive=(64, 96, 128)),
    "curriculum": replace(CONFIG, curriculum=1.0),
    "views": replace(CONFIG, views=2),
    "mosaic": replace(CONFIG, augmentations=("mosaic", "mirror")),
    "mixup and cutmix": replace(CONFIG, augmentations=("zoom-crop", "mixup", "cutmix")),
    "compose": replace(CONFIG, augmentations=("crop", "distort", "pad", "compose")),
    "erase and auto": replace(CONFIG, augmentations=("erase", "auto", "mirror")),
    "frozen backbone": replace(CONFIG, frozen_backbone=0.4),
    "temporal": replace(CONFIG, views=1),
    "teacher's answers": replace(CONFIG, views=2),
    "itself": CONFIG,
    "shares and adapters": CONFIG,
    "phases": CONFIG,
    "everything": replace(
        CONFIG,
        ema=0.9,
        multi_scale=(1.0, 1.5),
        curriculum=0.7,
        augmentations=("crop", "distort", "pad", "mosaic", "mixup", "erase", "mirror"),
        views=2,
    ),
}
MAPS = {"feature_weight": 1.0, "attention_weight": 1.0, "cross_scale_weight": 1.0}
LESSONS = {
    "temporal": PAST,
    "teacher's answers": DistillConfig(teacher="t", attention_weight=1.0),
    "itself": DistillConfig(self_weight=1.0, self_decay=0.9),
    "shares and adapters": DistillConfig(teacher="t", teachers=("u",), learn_shares=True, **MAPS),
    "phases": DistillConfig(
        teacher="t",
        phases=(Phase(until=0.4, alpha=0.9, **MAPS), Phase(until=1, self_weight=1.0)),
    ),
    "everything": replace(
        PAST, teacher="t", self_weight=0.5, self_decay=0.9, phases=(Phase(until=1, alpha=0.3),)
    ),
}
DROPPING = {"dropblock", "everything"}


def go(name, split, folder, model, config=None, **options):
    """Train MODEL as case NAME says."""
    lesson, teacher = LESSONS.get(name), None
    if lesson is not None:
        first, *others = [TinyDetector(seed) for seed in (11, 12)][
            : lesson.taught + len(lesson.teachers)
        ] or [None]
        teacher = Teacher(first, "t@1", lesson, tuple(others))
    config = config or CASES[name]
    return train(model, split, config, folder=folder, teacher=teacher, **options)


def network(name, seed):
    return TinyDetector(seed, dropblock=0.3 if name in DROPPING else 0.0)


def stopping_after(steps):
    calls = iter(range(1, 999))
    return lambda: next(calls) >= steps


def disturb():
    """Draw from every source of random numbers there is."""
    torch.rand(7)
    np.random.default_rng()
    np.random.rand(7)  # noqa: NPY002 - the global source is among them
    random.random()


def flat(value, path=""):
    """Return the leaves of nested dictionaries and lists by their path."""
    if isinstance(value, dict):
        return {
            k: v for key, child in value.items() for k, v in flat(child, f"{path}/{key}").items()
        }
    if isinstance(value, list | tuple):
        return flat(dict(enumerate(value)), path)
    return {path: value}


def kept(folder, result):
    """Return all that a training left, tensor by tensor and number by number."""
    state = torch.load(folder / STATE, weights_only=True)
    return flat({"weights": load_file(result.last), "parts": state["parts"], "at": state["place"]})


def same(values, wanted):
    assert values.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(values[name], value), name
        else:
            assert values[name] == value, name


@pytest.mark.parametrize("name", CASES)
def test_a_training_stopped_anywhere_ends_with_the_bits_of_an_undisturbed_one(
    small_split, tmp_path, name
):
    """Stopped in the first epoch, and again in each later one: at its end and in its middle."""
    split = small_split.limit(4)
    folders = tmp_path / "whole", tmp_path / "stopped"
    events = []
    whole = go(name, split, folders[0], network(name, 3), on_event=events.append)
    wanted = kept(folders[0], whole)
    steps, resume = events[-1]["step"], False
    assert steps >= 4
    for stop in (1, 1, 2):
        disturb()
        with pytest.raises(errors.InterruptedRunError):
            go(
                name,
                split,
                folders[1],
                network(name, 3 + 5 * resume),
                should_stop=stopping_after(stop),
                resume=resume,
            )
        resume = True
    disturb()
    again = go(name, split, folders[1], network(name, 9), resume=True)
    same(kept(folders[1], again), wanted)


@pytest.mark.parametrize("name", ["plain", "everything"])
def test_what_is_resumed_learns_from_what_it_had(small_split, tmp_path, name):
    """The comparison can fail: another seed, or a start anew, ends elsewhere."""
    split = small_split.limit(4)
    whole = go(name, split, tmp_path / "a", network(name, 3))
    for number, (config, seed) in enumerate(
        ((replace(CASES[name], seed=1), 3), (CASES[name], 4)), 1
    ):
        other = go(name, split, tmp_path / str(number), network(name, seed), config)
        assert not all(
            torch.equal(first, second)
            for first, second in zip(
                load_file(whole.last).values(), load_file(other.last).values(), strict=True
            )
        )


def test_a_real_network_goes_on_with_all_that_is_random(small_split, tmp_path):
    """The smallest variant with DropBlock, as a recipe has it."""
    split, name = small_split.limit(4), "everything"
    made = [build(variant("v3-nano", dropblock=0.3), seed=seed) for seed in (3, 3, 8)]
    config = replace(CASES[name], epochs=2)
    first, second, third = (
        {"name": "none", "split": split, "model": model, "config": config} for model in made
    )
    whole = go(**first, folder=tmp_path / "whole")
    with pytest.raises(errors.InterruptedRunError):
        go(**second, folder=tmp_path / "cut", should_stop=stopping_after(1))
    disturb()
    again = go(**third, folder=tmp_path / "cut", resume=True)
    same(kept(tmp_path / "cut", again), kept(tmp_path / "whole", whole))


@pytest.mark.slow
def test_a_training_of_several_workers_goes_on_with_none(small_split, tmp_path):
    """Two, then none: what a batch holds follows from its place alone."""
    config, folder = CASES["everything"], tmp_path / "cut"
    split, two = small_split.limit(4), replace(CASES["everything"], workers=2)
    whole = go("everything", split, tmp_path / "whole", network("everything", 3), config)
    stop = stopping_after(3)
    with pytest.raises(errors.InterruptedRunError):
        go("everything", split, folder, network("everything", 3), two, should_stop=stop)
    again = go("everything", split, folder, network("everything", 9), config, resume=True)
    same(kept(folder, again), kept(tmp_path / "whole", whole))
