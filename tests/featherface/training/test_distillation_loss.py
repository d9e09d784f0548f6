"""What students learn from whom, epoch by epoch, through the training's public door."""

import pytest
import torch
from safetensors.torch import load_file

from featherface import errors
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.networks.detector import build
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.alignment import (
    NEIGHBOURS,
    attention,
    attention_distance,
    relative_error,
    resized,
)
from featherface.training.distillation.terms import Teacher
from featherface.training.loop import train
from featherface.training.state import STATE
from featherface.variants.table import variant

CONFIG = TrainConfig(epochs=2, batch_size=2, image_size=64, log_every=1, device="cpu")
NAMED = {"teacher": "v1"}
MAPS = {"feature_weight": 1.0, "attention_weight": 1.0, "cross_scale_weight": 1.0}
LESSONS = {
    "everything": DistillConfig(
        **NAMED,
        teachers=("x",),
        learn_shares=True,
        phases=(
            Phase(until=0.5, name="align", alpha=0.9, temperature=6, **MAPS),
            Phase(until=1, name="surpass", alpha=0.3, temperature=1, self_weight=1),
        ),
    ),
    "itself": DistillConfig(self_weight=1.0, self_decay=0.9),
}


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=64, train_images=4, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return open_split(root, "train")


def model(seed=3, name="v2"):
    return build(variant(name), seed=seed)


def seeing(seed):
    """Return a network whose norms have seen pictures, as a trained one's have."""
    made = model(seed, "v3-nano")
    for part in made.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None
    with torch.no_grad():
        made.train()(60 * torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(seed)))
    return made


def teacher(config):
    first = seeing(1) if config.taught else None
    return Teacher(first, "v1@1", config, tuple(seeing(2) for _ in config.teachers))


def student():
    """Return a student with the teacher's priors."""
    return model(3, "v3-nano")


def go(split, folder, lesson, config=CONFIG, **options):
    """Train by LESSON; return the result and the events."""
    events = []
    made = student()
    result = train(
        made,
        split,
        config,
        folder=folder,
        teacher=teacher(lesson),
        on_event=events.append,
        **options,
    )
    return result, events


@pytest.fixture(scope="module")
def undisturbed(split, tmp_path_factory):
    """Train by each lesson once, when asked for."""
    done = {}

    def get(lesson):
        if lesson not in done:
            folder = tmp_path_factory.mktemp(lesson)
            done[lesson] = (folder, *go(split, folder, LESSONS[lesson]))
        return done[lesson]

    return get


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_trained_beside_the_student_stays_out_of_its_weights(undisturbed, lesson):
    folder, whole, _ = undisturbed(lesson)
    assert load_file(whole.last).keys() == student().state_dict().keys()
    parts = torch.load(folder / STATE, weights_only=True)["parts"]
    config = LESSONS[lesson]
    assert ("companions" in parts) == config.learn_shares
    assert ("own" in parts) == config.uses("self_weight")


def test_phases_change_what_is_taught(undisturbed):
    _, _, events = undisturbed("everything")
    first, last = [event for event in events if event["kind"] == "epoch"]
    assert (first["temperature"], first["alpha"]) == (6, 0.9)
    assert (last["temperature"], last["alpha"]) == (1, 0.3)
    assert "teacher_feature" in first
    assert "self_soft" not in first
    assert "teacher_feature" not in last
    assert last["self_soft"] >= 0
    assert all(0 < event["taught"] < event["loss"] for event in (first, last))


def test_a_student_that_is_its_teacher_misses_nothing():
    maps = torch.randn(2, 6, 8, 8)
    assert relative_error(maps, maps) == 0
    assert attention_distance(attention(maps), attention(3 * maps)) == pytest.approx(0, abs=1e-6)
    assert relative_error(torch.zeros_like(maps), 100 * maps) == pytest.approx(1)


def test_attention_knows_where_and_not_which_channel():
    maps = torch.zeros(1, 4, 5, 5)
    maps[0, 2, 1, 3] = -7
    rows = attention(maps)
    assert rows.shape == (1, 25)
    assert rows[0].argmax() == 1 * 5 + 3
    assert rows.norm() == pytest.approx(1)
    assert attention_distance(rows, attention(maps[:, [2, 0, 1, 3]])) == 0


@pytest.mark.parametrize(("own", "shown"), NEIGHBOURS)
def test_maps_of_the_next_stride_fit(own, shown):
    maps = [torch.rand(1, 2, 16 >> level, 32 >> level) for level in range(3)]
    fitted = resized(maps[shown], maps[own])
    assert fitted.shape == maps[own].shape
    assert fitted.mean() == pytest.approx(maps[shown].mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"teachers": ("v1",)}, r"distill\.teachers"),
        ({**NAMED, "teachers": ("x",), "teacher_shares": (1,)}, r"distill\.teacher_shares.*\(2\)"),
        ({**NAMED, "teachers": ("x",), "teacher_shares": (0, 0)}, r"distill\.teacher_shares"),
        ({**NAMED, "learn_shares": True}, r"distill\.learn_shares"),
        ({**NAMED, "feature_weight": -1}, r"distill\.feature_weight"),
        ({"self_weight": 1, "self_decay": 1}, r"distill\.self_decay"),
        ({"temporal_weight": 1, "temporal_decay": 1}, r"distill\.temporal_decay"),
        ({**NAMED, "phases": (Phase(until=0.5),)}, r"distill\.phases"),
        ({**NAMED, "phases": (Phase(until=1, alpha=2),)}, r"distill\.alpha"),
        ({**NAMED, "phases": (Phase(until=0.5), Phase(until=0.5))}, r"distill\.phases"),
    ],
)
def test_lessons_that_make_no_sense_name_the_key(options, key):
    with pytest.raises(errors.UsageError, match=key):
        DistillConfig(**options)
