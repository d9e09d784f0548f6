"""Whole trainings against a loop that does the same with plain tensors, in double precision.

Weights have to agree to 1e-12 of the largest of a tensor: some hundred operations in double
precision are off by a hundredth of that, and any fault by at least 1e-6.
"""

import copy
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from stand_ins.plain_training import PlainTraining, epochs_of
from stand_ins.tiny_detector import TinyDetector

from featherface.losses.config import LossConfig
from featherface.training import loop
from featherface.training.config.train import TrainConfig
from featherface.training.loop import make_accelerator, train
from featherface.training.state import STATE

pytestmark = pytest.mark.usefixtures("_double")

CONFIG = TrainConfig(
    epochs=2,
    batch_size=2,
    image_size=64,
    lr=0.05,
    weight_decay=0.1,
    warmup=0.3,
    clip=1.0,
    ema=0.5,
    log_every=1,
    device="cpu",
    augmentations=(),
    workers=0,
)
TRAININGS = {
    "adamw": CONFIG,
    "sgd": replace(CONFIG, optimizer="sgd", schedule="cosine", momentum=0.8),
    "sgd without momentum": replace(CONFIG, optimizer="sgd", schedule="steps", momentum=0.0),
    "accumulated": replace(CONFIG, batch_size=1, accumulate=4),
    "without clipping": replace(CONFIG, clip=0.0, schedule="constant"),
    "other weights": replace(
        CONFIG,
        box_weight=0.5,
        landmark_weight=3.0,
        negatives=2,
        overlap=0.25,
        loss=LossConfig(box="diou"),
    ),
}


def close(values, wanted):
    assert values.keys() == wanted.keys()
    for name, value in wanted.items():
        bound = 1e-12 * max(1.0, float(value.abs().max()))
        torch.testing.assert_close(values[name], value, rtol=0, atol=bound, msg=name)


def go(split, folder, model, config, **options):
    """Train; return the result and the events of steps."""
    events = []
    result = train(model, split, config, folder=folder, on_event=events.append, **options)
    return result, [event for event in events if event["kind"] == "step"]


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_is_its_plain_loop(small_split, tmp_path, name):
    config, model = TRAININGS[name], TinyDetector(3)
    plain = PlainTraining(copy.deepcopy(model), config)
    wanted = plain.run(epochs_of(small_split, config, model))
    result, steps = go(small_split, tmp_path, model, config)
    close(model.state_dict(), plain.model.state_dict())
    close(load_file(result.last), plain.average.model.state_dict())
    assert len(steps) == len(wanted) == 8 // (config.batch_size * config.accumulate) * 2
    for step, expected in zip(steps, wanted, strict=True):
        assert {key: step[key] for key in expected} == pytest.approx(expected, rel=1e-10)
    clipped = [expected["gradient_norm"] > config.clip > 0 for expected in wanted]
    assert any(clipped) == (config.clip > 0)


ONE_STEP = replace(
    CONFIG,
    epochs=1,
    batch_size=8,
    optimizer="sgd",
    momentum=0.0,
    weight_decay=0.0,
    schedule="constant",
    warmup=0.0,
    ema=0.0,
)


def moved(split, folder, config):
    """Return how far one step of SGD moves all that is trained, and the event of the step."""
    model = TinyDetector(3)
    before = [value.detach().clone() for value in model.parameters()]
    _, (step,) = go(split, folder, model, config)
    ways = [new.detach() - old for new, old in zip(model.parameters(), before, strict=True)]
    return torch.cat([way.flatten() for way in ways]), step


def test_a_gradient_above_the_bound_is_shortened_to_it_and_any_other_is_left_alone(
    small_split, tmp_path
):
    free, step = moved(small_split, tmp_path / "free", replace(ONE_STEP, clip=0.0))
    norm = step["gradient_norm"]
    assert free.norm().item() == pytest.approx(ONE_STEP.lr * norm, rel=1e-12)
    for share in (0.01, 0.5, 0.999):
        bound = share * norm
        way, told = moved(small_split, tmp_path / str(share), replace(ONE_STEP, clip=bound))
        assert told["gradient_norm"] == norm  # as it was before
        # PyTorch divides by the norm and 1e-6 more.
        torch.testing.assert_close(way, free * bound / (norm + 1e-6), rtol=1e-12, atol=1e-15)
    way, _ = moved(small_split, tmp_path / "long", replace(ONE_STEP, clip=1.001 * norm))
    assert torch.equal(way, free)


def test_a_batch_that_is_accumulated_from_equal_ones_makes_the_step_of_one(small_split, tmp_path):
    """Its gradient is the mean, not the sum, and is clipped once."""
    split = small_split.limit(1)
    once = replace(ONE_STEP, batch_size=1, clip=0.5)
    way, step = moved(split, tmp_path / "once", once)
    for count in (2, 5):
        many = replace(once, accumulate=count)
        again, told = moved(split, tmp_path / str(count), many)
        torch.testing.assert_close(again, way, rtol=1e-10, atol=1e-15)
        assert told["gradient_norm"] == pytest.approx(step["gradient_norm"], rel=1e-12)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_scaled_loss_makes_the_steps_of_an_unscaled_one(
    small_split, tmp_path, monkeypatch, optimizer, accumulate
):
    """As in fp16: scaled by a power of two, which costs no bit, and unscaled before clipping."""
    config = replace(CONFIG, optimizer=optimizer, accumulate=accumulate)

    def scaling(*arguments):
        made = make_accelerator(*arguments)
        made.scaler, made.native_amp = torch.amp.GradScaler("cpu", init_scale=2.0**10), True
        made.state._mixed_precision = "fp16"
        return made

    plain, plain_steps = go(small_split, tmp_path / "plain", TinyDetector(3), config)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "make_accelerator", scaling)
        scaled, steps = go(small_split, tmp_path / "scaled", TinyDetector(3), config)
    for scaled_step, plain_step in zip(steps, plain_steps, strict=True):
        assert scaled_step["gradient_norm"] == plain_step["gradient_norm"] > config.clip
    wanted = load_file(plain.last)
    assert all(torch.equal(value, wanted[name]) for name, value in load_file(scaled.last).items())
    assert torch.load(tmp_path / "scaled" / STATE)["parts"]["scaler"]["scale"] == 2.0**10
