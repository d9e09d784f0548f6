"""What the machine chooses on devices that are not here, from measurements that are given."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch.backends import cudnn

from featherface.devices.kernels import kernels
from featherface.errors import UnavailableError
from featherface.networks.detector import build
from featherface.training.config.train import MEASURED, TrainConfig
from featherface.training.tuning import automatic, timing
from featherface.training.tuning.automatic import needs_other_room, settle
from featherface.training.tuning.timing import probe, settings
from featherface.variants.table import variant

CUDA, CPU, MPS = (torch.device(name) for name in ("cuda", "cpu", "mps"))
GIB = 2**30
CONFIG = TrainConfig(image_size=64)
OPEN = replace(CONFIG, **dict.fromkeys(MEASURED, "auto"))


class Pretended:
    """A trial on a GPU whose steps take the milliseconds, and the memory, that a table says."""

    milliseconds_of: ClassVar[dict[tuple[str, bool, bool], float]] = {}
    bytes_of: ClassVar[dict[str, int]] = {}
    loss_of: ClassVar[dict[str, float]] = {}
    steps: ClassVar[list[tuple[str, bool, bool, int]]] = []
    limit = 0
    used = 0

    def __init__(self, model, config, device, teacher=None, *, faces=8, side=None):
        del model, teacher, faces
        self.device, self.side = device, side or config.image_size
        self.setting = config.amp, config.channels_last, config.deterministic

    def step(self, pictures):
        cls = type(self)
        cls.steps.append((*self.setting, pictures))
        fast = 1.0 if self.setting[2] else 1.5  # work space of cuDNN's fastest kernels
        cls.used = int(pictures * self.bytes_of[self.setting[0]] * fast)
        if self.used > self.limit:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling")
        return self.loss_of.get(self.setting[0], 10.0)

    def milliseconds(self, pictures):
        self.step(pictures)
        return pictures * self.milliseconds_of[self.setting]


@pytest.fixture
def gpu(monkeypatch):
    """A card with 6 GiB whose measurements are those of the returned class."""
    card = type("Card", (Pretended,), {"steps": [], "limit": 6 * GIB})
    card.bytes_of = {"no": GIB // 8, "fp16": GIB // 16, "bf16": GIB // 16}
    monkeypatch.setattr(automatic, "choose", lambda _: CUDA)
    monkeypatch.setattr(automatic, "free_bytes", lambda _: card.limit)
    for module in (automatic, timing):
        monkeypatch.setattr(module, "StepBenchmark", card)
    for name, value in {
        "is_bf16_supported": lambda **_: False,
        "reset_peak_memory_stats": lambda _: None,
        "memory_allocated": lambda _: 0,
        "max_memory_allocated": lambda _: card.used,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return card


def times(full, half):
    """Return the table of milliseconds per picture: channels last or first, repeatable or not."""
    cases = [(True, True), (True, False), (False, True), (False, False)]
    return {
        (amp, *case): value
        for amp, row in {"no": full, "fp16": half}.items()
        for case, value in zip(cases, row, strict=True)
    }


def chosen(config):
    return config.amp, config.channels_last, config.deterministic, config.batch_size


@pytest.mark.parametrize(
    ("full", "half", "wanted"),
    [
        ((10, 10, 10, 10), (10, 10, 10, 10), ("no", True, True, 32)),
        ((10, 9.6, 9.6, 9.6), (9.1, 9.1, 9.1, 9.1), ("no", True, True, 32)),  # not clearly faster
        ((10, 9, 10, 10), (12, 12, 12, 12), ("no", True, False, 24)),  # cuDNN's search pays
        ((10, 10, 8, 8), (12, 12, 12, 12), ("no", False, True, 32)),  # a card without tensor cores
        ((10, 10, 10, 10), (5, 5, 5, 5), ("fp16", True, True, 64)),  # with them, and more room
        ((10, 10, 10, 10), (5, 3, 5, 5), ("fp16", True, False, 48)),
    ],
)
def test_a_gpu_is_measured_in_every_setting_at_the_batch_that_fits(gpu, full, half, wanted):
    gpu.milliseconds_of = times(full, half)
    choice = settle(build(variant("v3-nano"), 0), OPEN)
    assert chosen(choice.config) == wanted
    assert choice.measured == MEASURED
    assert {one.deterministic for one in choice.timings} == {True, False}
    never_chosen = ("fp16", False, False)
    timed = [pictures for *setting, pictures in gpu.steps if tuple(setting) == never_chosen]
    assert timed == [32] * 4  # what fits in 0.8 of 6 GiB at 1/8 GiB a picture


def test_a_setting_without_room_for_the_batch_is_left_out(gpu):
    gpu.milliseconds_of = times((10, 1, 10, 1), (10, 1, 10, 1))
    gpu.bytes_of = {"no": int(GIB * 0.15), "fp16": int(GIB * 0.15)}
    choice = settle(build(variant("v3-nano"), 0), replace(OPEN, batch_size=32, amp="no"))
    assert [one.deterministic for one in choice.timings] == [True, True]
    assert chosen(choice.config) == ("no", True, True, 32)


def test_half_precision_that_learns_something_else_is_not_chosen(gpu):
    gpu.milliseconds_of = times((10, 10, 10, 10), (5, 5, 5, 5))
    gpu.loss_of = {"fp16": 20.0}
    assert settle(build(variant("v3-nano"), 0), OPEN).config.amp == "no"


def test_a_batch_of_the_recipe_that_fits_in_no_setting_is_named(gpu):
    with pytest.raises(UnavailableError, match="a batch of 256 pictures of 64 pixels"):
        settle(build(variant("v3-nano"), 0), replace(OPEN, batch_size=256))


def test_full_memory_in_the_words_of_a_library_ends_the_search(gpu):
    choice = settle(build(variant("v3-nano"), 0), replace(CONFIG, batch_size="auto"))
    assert choice.config.batch_size == 32
    assert choice.room.tried["48"] is False
    assert choice.timings == ()


@pytest.mark.parametrize(
    ("device", "count"), [(CUDA, 12), (CPU, 2 * 2), (MPS, 2)], ids=["cuda", "cpu", "mps"]
)
def test_what_a_device_can_do_is_tried(monkeypatch, device, count):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    tried = settings(OPEN, device)
    assert len(tried) == len({chosen(one) for one in tried}) == count
    assert chosen(tried[0])[:3] == ("no", True, True)
    assert {one.deterministic for one in tried} == ({True, False} if device == CUDA else {True})
    assert settings(CONFIG, device) == [CONFIG]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, ["no"]),
        ({"avx512_f": True, "avx512_bf16": True, "amx_bf16": False}, ["no", "bf16"]),
        ({"avx512_bf16": False, "amx_bf16": True}, ["no", "bf16"]),
        ({"l2_cache_size": 1048576}, ["no"]),
    ],
)
def test_bf16_is_tried_only_on_processors_that_compute_in_it(monkeypatch, told, wanted):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert timing.precisions(OPEN, CPU) == wanted


def test_bf16_is_tried_where_pytorch_does_not_tell(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert timing.precisions(OPEN, CPU) == ["no", "bf16"]


def test_only_a_cpu_is_timed_with_few_pictures():
    assert [probe(device, 24) for device in (CPU, CUDA, MPS)] == [2, 24, 24]
    assert probe(CPU, 1) == 1


def test_who_needs_another_room():
    other = replace(CONFIG, deterministic=False)
    assert needs_other_room(other, CONFIG, CUDA)
    assert not needs_other_room(other, CONFIG, CPU)
    assert needs_other_room(replace(CONFIG, amp="bf16"), CONFIG, CPU)
    assert not needs_other_room(CONFIG, CONFIG, CUDA)


@pytest.mark.parametrize("repeatable", [True, False])
def test_kernels_are_chosen_for_a_while(repeatable):
    before = cudnn.deterministic, cudnn.benchmark
    with kernels(repeatable=repeatable):
        assert (cudnn.deterministic, cudnn.benchmark) == (repeatable, not repeatable)
    assert (cudnn.deterministic, cudnn.benchmark) == before
