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
from featherface.training.config.train import TrainConfig
from featherface.training.loop import train

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


def close(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        bound = 1e-12 * max(1.0, float(value.abs().max()))
        torch.testing.assert_close(found[name], value, rtol=0, atol=bound, msg=name)


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
