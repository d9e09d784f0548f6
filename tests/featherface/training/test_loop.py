import contextlib
import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from featherface import errors
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.devices import kept_memory
from featherface.networks.detector import build
from featherface.training import state
from featherface.training.config.train import TrainConfig
from featherface.training.loading.batches import EpochBatches, TrainingPictures
from featherface.training.loop import train
from featherface.training.optimization.moving_average import MovingAverage
from featherface.training.session import BAD_BATCH, TrainingSession
from featherface.training.state import STATE, resume_point
from featherface.variants.table import variant

SCRIPT = Path(__file__).with_name("training_script.py")
CONFIG = TrainConfig(epochs=2, batch_size=2, image_size=64, log_every=1, device="cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=64, train_images=6, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return root


@pytest.fixture(scope="module")
def split(data):
    return open_split(data, "train")


def model(seed=3, name="v2"):
    return build(variant(name), seed=seed)


def same(first, second):
    one, two = load_file(first), load_file(second)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def stopping_after(steps):
    calls = iter(range(1000))
    return lambda: next(calls) >= steps - 1


def test_training_lowers_the_loss_and_leaves_weights_that_load(split, tmp_path):
    events = []
    config = replace(CONFIG, epochs=5, lr=3e-3)
    trained = model()
    result = train(trained, split, config, folder=tmp_path, on_event=events.append)
    epochs = [event for event in events if event["kind"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2, 3, 4, 5]
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert [event["event"] for event in events] == list(range(len(events)))
    assert {"box", "face", "landmark", "learning_rate", "gradient_norm", "seconds"} <= set(
        epochs[0]
    )
    assert epochs[0]["images"] == 6
    json.dumps(events)
    fresh = model(seed=9)
    fresh.load_state_dict(load_file(result.weights))
    assert all(
        torch.equal(a, b) for a, b in zip(fresh.parameters(), trained.parameters(), strict=True)
    )


def test_the_same_seed_trains_the_same_weights_and_another_one_does_not(split, tmp_path):
    results = [
        train(model(), split, replace(CONFIG, seed=seed), folder=tmp_path / str(number))
        for number, seed in enumerate((1, 1, 2))
    ]
    assert same(results[0].last, results[1].last)
    assert not same(results[0].last, results[2].last)


def test_a_training_that_keeps_memory_goes_on_without_to_the_same_weights(split, tmp_path):
    giving_back = replace(CONFIG, keep_memory=False)
    whole = train(model(), split, giving_back, folder=tmp_path / "whole")
    folder = tmp_path / "stopped"
    with pytest.raises(errors.InterruptedRunError):
        train(model(), split, CONFIG, folder=folder, should_stop=stopping_after(1))
    assert same(whole.last, train(model(), split, giving_back, folder=folder, resume=True).last)


@pytest.mark.parametrize("keep", [True, False])
def test_memory_is_kept_while_steps_are_made_and_not_where_it_is_evaluated(
    split, tmp_path, monkeypatch, keep
):
    states, kept = [], []

    @contextlib.contextmanager
    def watched(device, *, wanted):
        states.append((device.type, wanted))
        kept.append(True)
        yield wanted
        kept.clear()

    def evaluate(network, epoch):
        assert not kept
        return {"ap": 0.5}

    monkeypatch.setattr(kept_memory, "kept_memory", watched)
    config = replace(CONFIG, keep_memory=keep, epochs=1)
    result = train(model(), split, config, folder=tmp_path, evaluate=evaluate)
    assert result.best == 0.5
    assert states == [("cpu", keep)]


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_stopping_keeps_what_resuming_needs(split, tmp_path, steps):
    config = replace(CONFIG, ema=0.9)
    whole_events, events = [], []
    whole = train(model(), split, config, folder=tmp_path / "whole", on_event=whole_events.append)
    folder = tmp_path / "stopped"
    with pytest.raises(errors.InterruptedRunError):
        train(
            model(),
            split,
            config,
            folder=folder,
            on_event=events.append,
            should_stop=stopping_after(steps),
        )
    place = resume_point(folder)
    assert place is not None
    assert place.step == steps
    assert place.events == len(events)
    resumed = train(
        model(seed=8), split, config, folder=folder, on_event=events.append, resume=True
    )
    assert same(whole.last, resumed.last)
    for one, two in zip(whole_events, events, strict=True):
        unequal = {"seconds", "images", "loading"}
        assert {k: one[k] for k in one.keys() - unequal} == {
            k: two[k] for k in two.keys() - unequal
        }


def test_an_average_moves_as_each_tensor_would_alone():
    """Faster at first; counts are taken over, and the state is a network's."""
    followed, chance = model(), torch.Generator().manual_seed(0)
    average = MovingAverage(followed, 0.99)
    average.load_state_dict({name: value.clone() for name, value in followed.state_dict().items()})
    expected = {name: value.clone() for name, value in followed.state_dict().items()}
    for step in (1, 5, 2000):
        with torch.no_grad():
            for value in followed.parameters():
                value.add_(torch.randn(value.shape, generator=chance))
            for value in followed.buffers():
                value.add_(1)
        average.update(step)
        share = 1 - min(0.99, (1 + step) / (10 + step))
        for name, value in followed.state_dict().items():
            if value.is_floating_point():
                expected[name].lerp_(value, share)
            else:
                expected[name].copy_(value)
        assert average.state_dict().keys() == expected.keys()
        assert all(torch.equal(one, expected[name]) for name, one in average.state_dict().items())


def test_weights_are_evaluated_in_full_precision(split, tmp_path):
    """A training in bfloat16 judges what will be measured: the network outside of autocast."""
    kinds = {True: set(), False: set()}
    trained = model()
    for part in trained.modules():
        if isinstance(part, torch.nn.Conv2d):
            part.register_forward_hook(
                lambda _part, _given, made: kinds[trained.training].add(made.dtype)
            )

    def evaluate(evaluated, _epoch):
        with torch.no_grad():
            evaluated(torch.zeros(1, 3, 64, 64))
        return {"ap": 0.0}

    config = replace(CONFIG, epochs=1, amp="bf16")
    train(trained, split.limit(2), config, folder=tmp_path, evaluate=evaluate)
    assert kinds == {True: {torch.bfloat16}, False: {torch.float32}}


def test_accumulated_batches_make_one_step(split, tmp_path):
    events = []
    config = replace(CONFIG, batch_size=1, accumulate=3)
    train(model(), split, config, folder=tmp_path, on_event=events.append)
    assert [event["step"] for event in events if event["kind"] == "step"] == [1, 2, 3, 4]


def test_resuming_a_finished_training_changes_nothing(split, tmp_path):
    first = train(model(), split, CONFIG, folder=tmp_path)
    before = first.last.read_bytes()
    events = []
    again = train(model(), split, CONFIG, folder=tmp_path, on_event=events.append, resume=True)
    assert events == []
    assert again.last.read_bytes() == before


def test_a_loss_that_is_no_number_stops_and_keeps_the_batch(split, tmp_path):
    broken = model()
    with torch.no_grad():
        next(broken.heads.parameters()).fill_(float("nan"))
    start = {name: value.detach().clone() for name, value in broken.named_parameters()}
    with pytest.raises(errors.TrainingError, match="loss is nan in epoch 1, batch 1") as caught:
        train(broken, split, CONFIG, folder=tmp_path)
    assert str(tmp_path / BAD_BATCH) in caught.value.message
    kept = torch.load(tmp_path / BAD_BATCH, weights_only=True)
    assert kept["images"].shape == (2, 3, 64, 64)
    assert len(kept["paths"]) == 2
    for name, value in start.items():  # those that gave it: no step was made
        torch.testing.assert_close(kept["model"][name], value, equal_nan=True, rtol=0, atol=0)
    assert not (tmp_path / STATE).exists()


def test_gradients_that_overflow_are_not_told(split, tmp_path, monkeypatch):
    monkeypatch.setattr(TrainingSession, "clip", lambda self: torch.tensor(torch.inf))
    told = []
    train(model(), split, CONFIG, folder=tmp_path, on_event=told.append)
    assert {event["kind"] for event in told} == {"step", "epoch"}
    assert all("loss" in event and "gradient_norm" not in event for event in told)


def test_a_full_disk_keeps_the_previous_checkpoint(split, tmp_path, monkeypatch):
    with pytest.raises(errors.InterruptedRunError):
        train(model(), split, CONFIG, folder=tmp_path, should_stop=stopping_after(1))
    before = (tmp_path / STATE).read_bytes()

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state.torch, "save", full)
    with pytest.raises(errors.UnavailableError, match="No space left"):
        train(model(), split, CONFIG, folder=tmp_path, resume=True)
    assert (tmp_path / STATE).read_bytes() == before


def test_resuming_with_another_recipe_is_refused(split, tmp_path):
    with pytest.raises(errors.InterruptedRunError):
        train(model(), split, CONFIG, folder=tmp_path, should_stop=stopping_after(1))
    with pytest.raises(errors.UsageError, match=r"train\.lr = 0\.5"):
        train(model(), split, replace(CONFIG, lr=0.5), folder=tmp_path, resume=True)


def test_a_damaged_checkpoint_is_told(split, tmp_path):
    (tmp_path / STATE).write_bytes(b"nonsense")
    with pytest.raises(errors.UnavailableError, match="can't be read"):
        train(model(), split, CONFIG, folder=tmp_path, resume=True)


def test_a_split_without_faces_has_nothing_to_teach(split, tmp_path):
    annotations = replace(
        split.annotations,
        images=tuple(i.keep(np.zeros(len(i.boxes), dtype=bool)) for i in split.images),
    )
    with pytest.raises(errors.DataError, match="no face in the train split"):
        train(model(), replace(split, annotations=annotations), CONFIG, folder=tmp_path)


def test_one_picture_is_enough(split, tmp_path):
    result = train(model(), split.limit(1), CONFIG, folder=tmp_path)
    assert result.epochs == 2


def test_a_truncated_picture_is_named(data, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(data, root)
    victim = next((root / "WIDER_train").rglob("*.jpg"))
    victim.write_bytes(victim.read_bytes()[:900])
    with pytest.raises(errors.DataError, match=victim.name):
        train(model(), open_split(root, "train"), CONFIG, folder=tmp_path / "run")


def test_a_device_that_is_not_there_is_told(split, tmp_path):
    missing = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(errors.UnavailableError, match=missing):
        train(model(), split, replace(CONFIG, device=missing), folder=tmp_path)


def test_two_precisions_train_in_one_process(split, tmp_path):
    one = replace(CONFIG, epochs=1)
    train(model(), split.limit(2), one, folder=tmp_path / "a")
    train(model(), split.limit(2), replace(one, amp="bf16"), folder=tmp_path / "b")
    with pytest.raises(errors.UsageError, match="fp16"):
        train(model(), split.limit(2), replace(one, amp="fp16"), folder=tmp_path / "c")


@pytest.mark.slow
def test_a_frozen_backbone_stays_until_its_share_of_the_epochs_is_over(split, tmp_path):
    trained, backbones = model(), []
    before = {name: value.clone() for name, value in trained.backbone.state_dict().items()}

    def changed(_network, _epoch):
        now = trained.backbone.state_dict()
        backbones.append(sum(not torch.equal(now[name], one) for name, one in before.items()))
        return {}

    config = replace(CONFIG, epochs=3, evaluate_every=1, frozen_backbone=0.66)
    train(trained, split, config, folder=tmp_path / "whole", evaluate=changed)
    assert backbones[:2] == [0, 0]
    assert backbones[2] == len(before)
    # Stopped while it is frozen and once more when it no longer is: the same weights in the end.
    for steps in (2, 5):
        with pytest.raises(errors.InterruptedRunError):
            train(
                model(),
                split,
                config,
                folder=tmp_path / "cut",
                should_stop=stopping_after(steps),
                resume=True,
            )
    train(model(), split, config, folder=tmp_path / "cut", resume=True)
    assert same(tmp_path / "whole" / "last.safetensors", tmp_path / "cut" / "last.safetensors")


def test_processes_share_the_batch_of_one_process():
    alone = EpochBatches(23, 4, 5, epoch=2)
    shared = [EpochBatches(23, 2, 5, epoch=2, rank=rank, processes=2) for rank in range(2)]
    for whole, *parts in zip(alone, *shared, strict=True):
        assert whole == [key for part in parts for key in part]
    assert list(EpochBatches(23, 4, 5, epoch=3)) != list(alone)
    assert list(EpochBatches(23, 4, 5, epoch=2, start=2)) == list(alone)[2:]


def test_a_picture_is_augmented_anew_each_epoch_and_the_same_each_time(split):
    pictures = TrainingPictures(split, CONFIG, (104.0, 117.0, 123.0))
    first, second, again = pictures[(0, 1)], pictures[(1, 1)], pictures[(0, 1)]
    assert torch.equal(first.image, again.image)
    assert not torch.equal(first.image, second.image)
    assert first.image.shape == (3, 64, 64)
    assert first.boxes.min() >= 0
    assert first.boxes.max() <= 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("epochs", 0), ("lr", 0.0), ("image_size", 100), ("warmup", 1.0), ("overlap", 0), ("ema", 1)],
)
def test_configuration_faults_name_key_and_value(key, value):
    with pytest.raises(errors.UsageError, match=rf"train\.{key} = "):
        TrainConfig(**{key: value})


def test_a_misspelt_choice_names_the_nearest():
    with pytest.raises(errors.UsageError, match="did you mean 'adamw'"):
        TrainConfig(optimizer="adamv")
    with pytest.raises(errors.UsageError, match="did you mean 'mirror'"):
        TrainConfig(augmentations=("miror",))


def wait_until(process, steps):
    """Return once the script has told that it made STEPS steps, or ended."""
    any(int(line) >= steps for line in process.stdout)


@pytest.mark.slow
def test_a_training_killed_at_random_steps_ends_as_if_undisturbed(data, tmp_path):
    command = [sys.executable, str(SCRIPT)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    subprocess.run([*command, str(whole), str(data), "new"], check=True, capture_output=True)
    chance = random.Random(4)
    mode = "new"
    for target in sorted(chance.sample(range(1, 12), 2)):
        with subprocess.Popen(
            [*command, str(killed), str(data), mode], stdout=subprocess.PIPE, text=True
        ) as process:
            wait_until(process, target)
            process.kill()
        mode = "resume"
    subprocess.run([*command, str(killed), str(data), mode], check=True, capture_output=True)
    assert same(whole / "last.safetensors", killed / "last.safetensors")
    logs = [(folder / "events.jsonl").read_text(encoding="utf-8") for folder in (whole, killed)]
    assert logs[0] == logs[1]
    assert logs[0].count('"kind": "epoch"') == 4
