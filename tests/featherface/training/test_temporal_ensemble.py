"""A student that compares itself with what it said of the same picture in earlier epochs."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from featherface import errors
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.networks.detector import RawOutput, build
from featherface.training.config.distill import DistillConfig
from featherface.training.config.train import TrainConfig
from featherface.training.distillation import temporal_ensemble
from featherface.training.distillation.temporal_ensemble import OUTPUTS, TemporalEnsemble
from featherface.training.distillation.terms import Teacher
from featherface.training.loop import train
from featherface.variants.table import variant

CONFIG = TrainConfig(epochs=4, batch_size=2, image_size=64, log_every=1, device="cpu", views=2)
LESSON = DistillConfig(temporal_weight=1.0, confidence=0.3)


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    draw(root, SyntheticConfig(image_size=64, train_images=4, val_images=1, largest_face=40))
    return open_split(root, "train")


def go(split, folder, config=CONFIG, lesson=LESSON, **options):
    """Train; return the weights and the events of epochs."""
    events = []
    made, teacher = build(variant("v3-nano"), seed=3), Teacher(None, "", lesson)
    result = train(
        made, split, config, folder=folder, teacher=teacher, on_event=events.append, **options
    )
    return load_file(result.last), [event for event in events if event["kind"] == "epoch"]


@pytest.fixture(scope="module")
def whole(split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return (folder, *go(split, folder))


def test_a_student_is_compared_with_itself_from_the_second_look_on(whole):
    folder, _, epochs = whole
    assert [epoch["temporal_soft"] > 0 for epoch in epochs] == [False, False, True, True]
    assert 0 < epochs[2]["taught"] < epochs[2]["loss"]
    assert not (folder / OUTPUTS).exists()


class KilledError(Exception):
    """The process ends here."""


@pytest.mark.parametrize(("step", "killed"), [(5, False), (7, True)])
def test_a_stopped_or_killed_training_goes_on_exactly(
    split, tmp_path, whole, monkeypatch, step, killed
):
    monkeypatch.setattr(
        temporal_ensemble, "BATCH_ROWS", 1
    )  # all is on the disk, also what no state knows
    calls = iter(range(1, 99))

    def stop():
        if next(calls) < step:
            return False
        if killed:
            raise KilledError
        return True

    with pytest.raises((KilledError, errors.InterruptedRunError)):
        go(split, tmp_path, should_stop=stop)
    weights, _ = go(split, tmp_path, resume=True)
    assert all(torch.equal(weights[name], value) for name, value in whole[1].items())


def test_averages_that_are_gone_are_told(split, tmp_path):
    calls = iter(range(99))
    with pytest.raises(errors.InterruptedRunError):
        go(split, tmp_path, should_stop=lambda: next(calls) >= 2)
    (tmp_path / OUTPUTS).unlink()
    with pytest.raises(errors.UnavailableError, match="does not hold the outputs"):
        go(split, tmp_path, resume=True)


def test_without_views_there_is_nothing_to_compare_with(split, tmp_path):
    with pytest.raises(errors.UsageError, match=r"train\.views = 0"):
        go(split, tmp_path, replace(CONFIG, views=0))


def output(value, seed=0):
    rng = torch.Generator().manual_seed(seed)
    boxes, points = (torch.randn(2, 30, width, generator=rng) for width in (4, 10))
    logits = torch.stack((torch.zeros(2, 30), torch.full((2, 30), float(value))), -1)
    return RawOutput(boxes, logits, points)


def test_averages_move_by_their_decay(tmp_path):
    ensemble = TemporalEnsemble(tmp_path / "x.sqlite", 0.75, 0.5)
    names = [b"one", b"two"]
    first = ensemble.join(output(4), names)
    torch.testing.assert_close(first, output(4))
    ensemble.step = ensemble.since = 1
    ensemble.flush()
    again = ensemble.join(output(8, 1), names)
    assert again.logits[..., 1].unique().tolist() == [4]
    same = ensemble.join(output(0, 2), names)  # within an epoch what one is compared with stays
    assert torch.equal(same.boxes, again.boxes)
    ensemble.step = ensemble.since = 2
    ensemble.flush()
    third = ensemble.join(output(8), [b"two", b"new"])
    assert third.logits[0, :, 1].unique().tolist() == [0.75 * 4]
    wanted = 0.75 * output(4).boxes[1] + 0.25 * output(0, 2).boxes[1]
    assert third.boxes[0].numpy() == pytest.approx(wanted.numpy(), abs=2e-3)
    assert torch.equal(third.boxes[1], output(8).boxes[1])


def test_only_what_a_state_may_need_is_kept(tmp_path):
    ensemble = TemporalEnsemble(tmp_path / "x.sqlite", 0.5, 0.5)
    for step in range(3):
        ensemble.step = ensemble.since = step
        ensemble.join(output(step), [b"one", b"two"])
        ensemble.flush()
    with ensemble._open() as database:
        assert database.execute("SELECT COUNT(*) FROM outputs").fetchone() == (6,)
    ensemble.prune()
    with ensemble._open() as database:
        assert database.execute("SELECT DISTINCT step FROM outputs").fetchall() == [(2,)]
    ensemble.step = 3
    state = ensemble.state_dict()
    assert state == {"step": 3, "pictures": 2}
    again = TemporalEnsemble(ensemble.path, 0.5, 0.5)
    again.load_state_dict(state)
    again.since = 3
    average = again.join(output(9), [b"one", b"two"])
    assert average.logits[..., 1].unique().tolist() == [0.5 * (0.5 * 0 + 0.5 * 1) + 0.5 * 2]


def test_a_disk_that_fails_is_told(tmp_path):
    (tmp_path / "x").write_bytes(b"no folder")
    ensemble = TemporalEnsemble(tmp_path / "x" / "y.sqlite", 0.5, 0.5)
    with pytest.raises(errors.UnavailableError, match="can't use"):
        ensemble.flush()
