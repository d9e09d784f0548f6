"""Batch size, precision and layout left to the machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import UnavailableError, UsageError
from featherface.networks.detector import build
from featherface.profiling import memory
from featherface.profiling.capacity import largest
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import MEASURED, TrainConfig
from featherface.training.distillation.terms import Teacher
from featherface.training.loading.batches import TrainingPictures, collate
from featherface.training.loop import train
from featherface.training.optimization.curriculum import largest_side
from featherface.training.optimization.memory_format import lay_out
from featherface.training.tuning import automatic
from featherface.training.tuning.automatic import find_room, settle
from featherface.training.tuning.step_benchmark import StepBenchmark
from featherface.training.tuning.timing import Timing, fastest
from featherface.variants.table import variant

CPU = torch.device("cpu")
SMALL = TrainConfig(image_size=64, device="cpu", batch_size=2)
OPEN = replace(SMALL, **dict.fromkeys(MEASURED, "auto"))


@pytest.mark.parametrize("most", [0, 1, 5, 8, 9])
def test_the_largest_size_that_fits_is_found(most):
    asked = []

    def fits(size):
        asked.append(size)
        if size > 7:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        if size > 5:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return size <= most

    assert largest(range(1, 10), fits) == ({0: None, 1: 1}.get(most, 5))
    assert len(asked) <= 4


def test_other_errors_are_not_taken_for_full_memory():
    def fits(size):
        raise RuntimeError(f"no kernel for {size}")

    with pytest.raises(RuntimeError, match="no kernel for"):
        largest((1, 2), fits)


@pytest.fixture(scope="module")
def choice():
    """What a machine with bf16 chose, everything open; the network, before and after."""
    model = build(variant("v3-nano"), 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
        return settle(model, OPEN, pictures=20), before, model


def test_everything_open_is_settled(choice):
    chosen, _, _ = choice
    assert chosen.measured == MEASURED
    assert chosen.config.unsettled == ()
    assert chosen.config.batch_size in automatic.SIZES
    assert chosen.config.batch_size <= 20
    assert {(one.amp, one.channels_last) for one in chosen.timings} == {
        (amp, last) for amp in ("no", "bf16") for last in (True, False)
    }
    same = replace(chosen.config, **dict.fromkeys(MEASURED, "auto"))
    assert same == OPEN


def test_measuring_leaves_the_network_alone(choice):
    _, before, model = choice
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(one.grad is None for one in model.parameters())
    assert model.backbone.stem[0][0].weight.is_contiguous(memory_format=torch.channels_last)


def test_what_was_chosen_is_said(choice):
    chosen, _, _ = choice
    first, *rest = chosen.sentences()
    assert first.startswith(f"measured on cpu: train.batch_size = {chosen.config.batch_size}")
    assert len(rest) == 5
    assert "ms per picture" in rest[0]
    assert "MB per picture" in rest[-1]


def test_what_the_recipe_says_is_kept():
    config = replace(SMALL, channels_last="auto")
    seen = []
    chosen = settle(build(variant("v2"), 0), config, on_progress=seen.append)
    assert (chosen.config.batch_size, chosen.config.amp) == (2, "no")
    assert chosen.room is None
    assert (seen[-1].done, seen[-1].total) == (6, 6)
    assert settle(build(variant("v2"), 0), SMALL).config == SMALL


def timing(amp, last, milliseconds, loss=10.0):
    return Timing(amp=amp, channels_last=last, milliseconds=milliseconds, runs=(), loss=loss)


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ([("no", False, 96.0)], ("no", True)),
        ([("no", False, 94.0)], ("no", False)),
        ([("bf16", True, 91.0)], ("no", True)),
        ([("bf16", True, 50.0), ("fp16", True, 46.0)], ("bf16", True)),
        ([("bf16", True, 50.0, 12.0)], ("no", True)),
        ([("bf16", True, 50.0, float("nan"))], ("no", True)),
    ],
)
def test_another_setting_must_be_clearly_faster_and_agree(others, wanted):
    best = fastest([timing("no", True, 100.0), *(timing(*one) for one in others)])
    assert (best.amp, best.channels_last) == wanted


def test_the_batch_grows_with_the_memory(monkeypatch):
    giving_back = replace(SMALL, keep_memory=False)
    benchmark = StepBenchmark(build(variant("v2"), 0), giving_back, CPU)
    monkeypatch.setattr(benchmark, "step", lambda pictures: 0.0)
    monkeypatch.setattr(benchmark, "footprint", lambda pictures: (1 + pictures) * 10**6)
    rooms = []
    for megabytes in (11, 26, 1000):
        monkeypatch.setattr(automatic, "free_bytes", lambda _, free=megabytes: free * 10**6)
        rooms.append(find_room(benchmark, automatic.SIZES))
    sizes = [one.batch_size for one in rooms]
    assert sizes == [6, 16, 256]
    assert (rooms[0].bytes_fixed, rooms[0].bytes_per_picture) == (10**6, 10**6)
    monkeypatch.setattr(automatic, "free_bytes", lambda _: 3 * 10**6)
    assert find_room(benchmark, automatic.SIZES).batch_size == 1
    monkeypatch.setattr(automatic, "free_bytes", lambda _: 10**6)
    with pytest.raises(UnavailableError, match="not even one picture of 64 pixels"):
        find_room(benchmark, automatic.SIZES)


@pytest.mark.parametrize(("keeps", "wanted"), [(True, 12), (False, 16)])
def test_a_training_that_keeps_memory_gets_a_batch_with_room_for_gaps(monkeypatch, keeps, wanted):
    benchmark = StepBenchmark(build(variant("v2"), 0), SMALL, CPU)
    monkeypatch.setattr(benchmark, "step", lambda pictures: 0.0)
    monkeypatch.setattr(benchmark, "footprint", lambda pictures: (1 + pictures) * 10**6)
    monkeypatch.setattr(automatic, "free_bytes", lambda _: 26 * 10**6)
    monkeypatch.setattr(automatic, "keeps_memory", lambda _: keeps)
    assert find_room(benchmark, automatic.SIZES).batch_size == wanted


@pytest.mark.parametrize("name", ["v1", "v2-vit"])
def test_a_step_needs_memory_for_each_picture(name):
    benchmark = StepBenchmark(build(variant(name), 0), SMALL, CPU)
    benchmark.footprint(2)  # the first step also fills what networks keep from then on
    two, four, eight = (benchmark.footprint(count) for count in (2, 4, 8))
    assert eight - four == pytest.approx(2 * (four - two), rel=0.1)


def test_the_largest_pictures_and_the_fullest_lesson_must_fit():
    config = replace(SMALL, multi_scale=(0.5, 1.5))
    assert largest_side(config) == 96
    assert largest_side(SMALL) == 64
    phases = (Phase(until=0.5), Phase(until=1, feature_weight=1.0))
    sizes = []
    for side in (64, 96):
        teacher = Teacher(build(variant("v3-nano"), 1), "v1@1", DistillConfig(phases=phases))
        benchmark = StepBenchmark(build(variant("v3-nano"), 0), config, CPU, teacher, side=side)
        assert benchmark.objective.distillation.phase.feature_weight == 1
        sizes.append(benchmark.footprint(4))
    assert 1.5 * sizes[0] < sizes[1]


def test_crowds_need_memory():
    few, many = (
        StepBenchmark(build(variant("v2"), 0), SMALL, CPU, faces=count).footprint(4)
        for count in (2, 2000)
    )
    assert many > 1.2 * few


def test_the_limit_of_a_job_counts(tmp_path, monkeypatch):
    free = memory.free_bytes(CPU)
    assert free > 0
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert memory.free_bytes(CPU) > 1000
    (tmp_path / "memory.max").write_text("5000\n", encoding="ascii")
    (tmp_path / "memory.current").write_text("4000\n", encoding="ascii")
    assert memory.free_bytes(CPU) == 1000


def test_processes_that_train_together_may_not_choose(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match=r"train\.batch_size = auto"):
        settle(build(variant("v2"), 0), OPEN)


@pytest.mark.parametrize("key", MEASURED)
def test_training_refuses_what_nothing_has_measured(tmp_path, key):
    draw(tmp_path / "set", SyntheticConfig(image_size=64, train_images=1, val_images=1))
    split = open_split(tmp_path / "set", "train")
    with pytest.raises(UsageError, match=f"{key} = auto: nothing has measured it"):
        train(build(variant("v2"), 0), split, replace(SMALL, **{key: "auto"}), folder=tmp_path)


def test_the_layout_changes_no_value(tmp_path):
    draw(tmp_path / "set", SyntheticConfig(image_size=64, train_images=2, val_images=1))
    split = open_split(tmp_path / "set", "train")
    losses = {}
    for last in (True, False):
        model = build(variant("v2"), 0)
        config = replace(SMALL, epochs=1, log_every=1, channels_last=last)
        events = []
        train(model, split, config, folder=tmp_path / str(last), on_event=events.append)
        losses[last] = events[0]["loss"]
        weight = model.backbone.stage1[0][0].weight
        assert weight.is_contiguous(memory_format=torch.channels_last) is last
    assert losses[True] == pytest.approx(losses[False], rel=1e-4)


def test_pictures_lie_in_memory_as_the_network_does(tmp_path):
    draw(tmp_path / "set", SyntheticConfig(image_size=64, train_images=3, val_images=1))
    split = open_split(tmp_path / "set", "train")
    laid = {}
    for last in (True, False):
        config = replace(SMALL, channels_last=last)
        pictures = TrainingPictures(split, config, (104.0, 117.0, 123.0))
        laid[last] = collate([pictures[0, index] for index in range(3)]).images
    assert laid[True].is_contiguous(memory_format=torch.channels_last)
    assert laid[False].is_contiguous()
    assert torch.equal(laid[True], laid[False])


@pytest.mark.parametrize("last", [True, False])
def test_gradients_reach_batch_norms_in_the_order_of_their_maps(last):
    model = lay_out(build(variant("v2"), 0), replace(SMALL, channels_last=last)).train()
    orders = []
    norms = [one for one in model.modules() if isinstance(one, nn.BatchNorm2d)]

    def watch(module, inputs, output):
        output.register_hook(
            lambda gradient: orders.append(
                gradient.is_contiguous(memory_format=torch.channels_last)
            )
        )

    for norm in norms:
        norm.register_forward_hook(watch)
    output = model(torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last))
    output.boxes.sum().backward()
    assert len(orders) >= len(norms)
    assert all(orders) is last


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_batch_too_large_for_the_device_is_survived():
    model = build(variant("v2"), 0)
    chosen = settle(model, replace(OPEN, device="cuda", image_size=640))
    assert chosen.room.method == "tried"
    assert chosen.config.batch_size in automatic.SIZES
