"""Checkpoints that another program holds: a training goes on, and resumes from what is true."""

import errno
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import HeldError, InterruptedRunError
from featherface.filesystem.retry import patient
from featherface.networks.detector import build
from featherface.training.config.train import TrainConfig
from featherface.training.loop import train
from featherface.training.state import resume_point
from featherface.variants.table import variant

CONFIG = TrainConfig(
    epochs=3, evaluate_every=1, batch_size=2, image_size=64, log_every=1, device="cpu"
)
SCORES = {1: 0.9, 2: 0.5, 3: 0.4}


class KilledError(BaseException):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    draw(root, SyntheticConfig(image_size=64, train_images=2, val_images=1, largest_face=40))
    return open_split(root, "train")


class Training:
    """A small training whose first epoch is its best, and what holds its files in which epoch."""

    def __init__(self, split, folder, monkeypatch):
        self.split, self.folder, self.epoch = split, folder, 0
        self.held, self.said, self.kill = {}, [], None
        real = os.replace

        def replace(source, target):
            if self.epoch in self.held.get(Path(target).name, ()):
                raise PermissionError(errno.EACCES, "used by another process")
            real(source, target)

        monkeypatch.setattr(os, "replace", replace)

    def evaluate(self, _, epoch):
        self.epoch = epoch
        return {"ap": SCORES[epoch]}

    def event(self, event):
        if event["kind"] == "epoch" and event["epoch"] == self.kill:
            raise KilledError

    def __call__(self, **options):
        network = build(variant("v3-nano"), seed=3)
        with patient(say=self.said.append):
            return train(
                network,
                self.split,
                CONFIG,
                folder=self.folder,
                evaluate=self.evaluate,
                on_event=self.event,
                **options,
            )


@pytest.fixture
def training(split, tmp_path, monkeypatch):
    return Training(split, tmp_path / "held", monkeypatch)


@pytest.fixture(scope="module")
def undisturbed(split, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return Training(split, tmp_path_factory.mktemp("free"), patch)()


def check(result, undisturbed):
    assert (result.best, result.epochs) == (undisturbed.best, 3)
    for one, other in ((result.weights, undisturbed.weights), (result.last, undisturbed.last)):
        found, wanted = load_file(one), load_file(other)
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("epochs", [(1,), (1, 2), (2,)])
@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors", "state.pt"])
def test_a_held_checkpoint_is_written_with_a_later_one(training, undisturbed, name, epochs):
    training.held[name] = epochs
    check(training(), undisturbed)
    met = name != "best.safetensors" or 1 in epochs
    assert len([line for line in training.said if "the one before it stands" in line]) == met


@pytest.mark.parametrize(
    ("name", "epoch"), [("best.safetensors", None), ("last.safetensors", 2), ("state.pt", None)]
)
def test_a_kill_meanwhile_is_gone_on_from_what_is_true(training, undisturbed, name, epoch):
    """No state tells of best weights that are not in their file."""
    training.held[name], training.kill = (1, 2), 3
    with pytest.raises(KilledError):
        training()
    place = resume_point(training.folder)
    assert (place.epoch if place else None) == epoch
    training.held.clear()
    training.kill = None
    check(training(resume=True), undisturbed)


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors"])
def test_weights_held_to_the_end_are_refused_and_gone_on_with(training, undisturbed, name):
    training.held[name] = (1, 2, 3)
    with pytest.raises(HeldError, match=name):
        training()
    training.held.clear()
    check(training(resume=True), undisturbed)


def test_a_stop_while_a_checkpoint_is_waited_for_keeps_the_one_before(training, undisturbed, hours):
    training.held["state.pt"] = (2,)
    began = []

    def stop():
        return bool(began) and hours.now > began[0] + 5

    def event(event):
        if event["kind"] == "epoch" and event["epoch"] == 2:
            began.append(hours.now)

    training.event = event
    with patient(should_stop=stop), pytest.raises(InterruptedRunError, match=r"state\.pt"):
        training()
    assert hours.now < began[0] + 6
    assert resume_point(training.folder).epoch == 1
    training.held.clear()
    check(training(resume=True), undisturbed)
