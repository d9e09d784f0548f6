"""What changes from epoch to epoch, and that a training which goes on changes alike."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.torch import load_file

from featherface import errors
from featherface.data.annotation import ATTRIBUTES, ImageAnnotation
from featherface.data.config import SyntheticConfig
from featherface.data.difficulty import difficulty, easiest_first
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.networks.detector import build
from featherface.training.config.train import TrainConfig
from featherface.training.loading import dataloader_wait as waiting_module
from featherface.training.loading.batches import ordered
from featherface.training.loading.dataloader_wait import LoadingClock
from featherface.training.loading.workers import LoaderMachine, makes_beside
from featherface.training.loop import train
from featherface.training.optimization.curriculum import (
    holds_backbone,
    pictures_of,
    share_of,
    side_of,
    side_of_batch,
)
from featherface.variants.table import variant

CONFIG = TrainConfig(
    epochs=3,
    batch_size=2,
    image_size=128,
    device="cpu",
    log_every=1,
    progressive=(64, 96, 128),
    multi_scale=(0.75, 1.0, 1.25),
    curriculum=0.7,
    augmentations=("zoom-crop", "distort", "pad", "auto", "mirror"),
)


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=64, train_images=8, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return open_split(root, "train")


def test_sides_rise_over_equal_shares_and_batches_fill_the_same_memory():
    config = TrainConfig(epochs=9, batch_size=8, progressive=(320, 480, 640))
    assert [side_of(config, epoch) for epoch in range(9)] == [320] * 3 + [480] * 3 + [640] * 3
    assert [pictures_of(config, epoch) for epoch in (0, 3, 8)] == [32, 14, 8]
    assert {side_of(TrainConfig(epochs=2), epoch) for epoch in range(2)} == {640}


def test_batches_draw_their_scale_from_the_seed():
    config = TrainConfig(multi_scale=(0.5, 1.0, 1.33))
    sides = [side_of_batch(config, 1, number) for number in range(40)]
    assert set(sides) == {320, 640, 864}
    assert sides == [side_of_batch(config, 1, number) for number in range(40)]
    assert sides != [side_of_batch(replace(config, seed=1), 1, number) for number in range(40)]


def test_a_curriculum_begins_with_a_third_and_ends_with_all():
    config = TrainConfig(epochs=10, curriculum=0.5)
    shares = [share_of(config, epoch) for epoch in range(10)]
    assert shares[0] == pytest.approx(1 / 3)
    assert shares[:6] == sorted(shares[:6])
    assert shares[5:] == [1.0] * 5
    assert share_of(TrainConfig(), 0) == 1.0


def faces(side, **attributes):
    codes = np.array([[attributes.get(name, -1) for name in ATTRIBUTES]])
    boxes = np.array([[5, 5, 5 + side, 5 + side]], dtype=np.float32)
    return ImageAnnotation("a.jpg", boxes, np.full((1, 10), np.nan, np.float32), codes)


def test_the_backbone_is_held_for_its_share_of_the_epochs():
    config = TrainConfig(epochs=10, frozen_backbone=0.3)
    assert [epoch for epoch in range(10) if holds_backbone(config, epoch)] == [0, 1, 2]


def test_small_blurred_and_hidden_faces_are_harder():
    none = faces(64).keep(np.zeros(1, dtype=np.bool_))
    rising = [none, faces(64), faces(64, occlusion=1), faces(64, blur=2, occlusion=2), faces(8)]
    values = [difficulty(image) for image in rising]
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert easiest_first(tuple(reversed(rising))).tolist() == [4, 3, 2, 1, 0]


def test_an_easy_epoch_sees_easy_pictures_only(split):
    order = ordered(split, CONFIG)
    values = [difficulty(image) for image in split.images]
    easy = {index for batch in order for _, index, _ in batch}
    assert len(easy) == 3  # a third of eight
    left = [v for index, v in enumerate(values) if index not in easy]
    assert max(values[index] for index in easy) <= min(left)
    order.epoch = 2
    assert len({index for batch in order for _, index, _ in batch}) == 8


def test_a_paced_training_that_is_stopped_ends_as_an_undisturbed_one(split, tmp_path):
    def run(folder, resume=False, stop=lambda: False):
        model, events = build(variant("v3-nano"), seed=3), []
        train(
            model,
            split,
            CONFIG,
            folder=tmp_path / folder,
            on_event=events.append,
            resume=resume,
            should_stop=stop,
        )
        return events

    events = run("whole")
    assert [event["step"] for event in events if event["kind"] == "epoch"] == [1, 3, 7]
    assert all(0 <= event["loading"] <= 1 for event in events if event["kind"] == "epoch")
    calls = iter([False, True])
    with pytest.raises(errors.InterruptedRunError):
        run("stopped", stop=lambda: next(calls))
    run("stopped", resume=True)
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "stopped"))
    assert all((one[name] == two[name]).all() for name in one)


class Clock:
    """A clock that goes on where a test says so, in seconds; and a thread that works when asked."""

    def __init__(self, _threads=1):
        self.now = 100.0

    def perf_counter(self):
        return self.now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, work, *arguments):
        return SimpleNamespace(result=lambda: work(*arguments))


class Batches:
    """What a loader is to the clock that watches it."""

    def __init__(self, making, *, beside):
        self.making, self.beside = making, beside

    def __iter__(self):
        return self.making


@pytest.mark.parametrize("beside", [True, False])
def test_waiting_for_pictures_is_measured(monkeypatch, beside):
    clock = Clock()
    monkeypatch.setattr(waiting_module, "time", clock)
    monkeypatch.setattr(waiting_module, "ThreadPoolExecutor", Clock)

    def slow():
        for number in range(3):
            clock.now += 2
            yield number

    waiting = LoadingClock()
    for _ in waiting.watch(Batches(slow(), beside=beside)):
        clock.now += 1  # the step
    assert waiting.seconds == 3 * 2
    assert waiting.share == pytest.approx(2 / 3)
    assert waiting.workers == 0


@pytest.mark.parametrize("beside", [True, False])
def test_a_batch_is_made_beside_the_step_or_between_two(beside):
    made, started = [], threading.Event()

    def batches():
        for number in range(3):
            made.append(number)
            if number == 1:
                started.set()
            yield number

    for batch in LoadingClock().watch(Batches(batches(), beside=beside)):
        if batch == 0:
            assert started.wait(5 if beside else 0.05) == beside
    assert made == [0, 1, 2]


@pytest.mark.parametrize(
    ("device", "threads", "cores", "processes", "beside"),
    [
        ("cpu", 2, 2, 1, False),
        ("cpu", 1, 2, 1, True),
        ("cpu", 1, 1, 1, False),
        ("cpu", 4, 8, 2, False),
        ("cpu", 3, 8, 2, True),
        ("cuda", 2, 2, 1, True),
    ],
)
def test_a_batch_is_made_beside_where_a_core_is_left(device, threads, cores, processes, beside):
    machine = LoaderMachine(cores=cores, processes=processes)
    assert makes_beside(device, threads, machine) is beside


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("progressive", (320, 480)),
        ("progressive", (640, 320, 640)),
        ("progressive", (100, 640)),
        ("multi_scale", (0.0, 1.0)),
        ("zoom_scales", ()),
        ("curriculum", 1.5),
        ("augmentations", ("crop", "zoom-crop")),
    ],
)
def test_faults_name_key_and_value(key, value):
    with pytest.raises(errors.UsageError, match=rf"train\.{key} = "):
        TrainConfig(**{key: value})
