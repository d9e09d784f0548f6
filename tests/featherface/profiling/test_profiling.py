from __future__ import annotations

import pytest
import torch
from torch import nn

from featherface.devices import select
from featherface.errors import UnavailableError, UsageError
from featherface.networks.detector import build
from featherface.profiling import layers as layers_module
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.counting import (
    COUNTED,
    layer_macs,
    macs,
    paper_counted,
    parameters,
    weights_megabytes,
)
from featherface.profiling.layers import layer_costs
from featherface.profiling.memory import peak_memory
from featherface.profiling.timing import latency
from featherface.variants.table import VARIANTS, variant

SMALL = BenchmarkConfig(image_size=64, runs=4, warmup=1, device="cpu")


def test_the_papers_count_is_explained():
    model = build(variant("v1-official"))
    assert parameters(model) == 592_371
    assert paper_counted(model) == VARIANTS["v1-official"].paper_counted == 488_661


def test_macs_of_a_convolution():
    assert macs(nn.Conv2d(3, 5, 3, stride=2, padding=1), 64) == 32 * 32 * 5 * 3 * 9


@pytest.mark.parametrize(("name", "giga"), [("v1-official", 1.24), ("retinaface-mnet025", 0.98)])
def test_macs_are_the_measured_ones(name, giga):
    assert macs(build(variant(name)), 640) / 1e9 == pytest.approx(giga, abs=0.005)


@pytest.mark.parametrize("name", VARIANTS)
def test_macs_of_large_pictures_follow_from_those_of_small_ones(name):
    model = build(variant(name)).eval()
    counts = []
    for module in model.modules():
        if isinstance(module, COUNTED):
            module.register_forward_hook(
                lambda layer, _inputs, output: counts.append(layer_macs(layer, output))
            )
    expected = macs(model, (320, 224))
    counts.clear()
    with torch.inference_mode():
        model(torch.zeros(1, 3, 320, 224))
    assert sum(counts) == expected


def test_counting_leaves_the_network_alone():
    model = build(variant("v2"), 0).train()
    macs(model, (64, 96))
    assert model.training
    assert next(model.parameters()).device.type == "cpu"
    assert not any(module._forward_hooks for module in model.modules())


def test_latency_reports_every_run():
    seen = []
    model = build(variant("v2"), 0).train()
    result = latency(model, SMALL, seen.append)
    assert len(result.runs) == len(seen) == 4
    assert min(result.runs) <= result.median <= result.p90 <= max(result.runs)
    assert (result.device, model.training) == ("cpu", True)


def test_threads_are_put_back():
    before = torch.get_num_threads()
    config = BenchmarkConfig(image_size=64, runs=1, warmup=0, threads=1, device="cpu")
    assert latency(build(variant("v2"), 0), config).threads == 1
    assert torch.get_num_threads() == before


def test_peak_memory_grows_with_the_picture():
    model = build(variant("v2"), 0)
    large = BenchmarkConfig(image_size=256, device="cpu")
    assert weights_megabytes(model) < peak_memory(model, SMALL) < peak_memory(model, large)


def test_memory_of_a_known_chain():
    model = nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), nn.ReLU(), nn.MaxPool2d(32))
    pixels = 64 * 64
    wanted = (3 * pixels + 2 * 8 * pixels + 24) * 4 / 1e6
    assert peak_memory(model, SMALL) == pytest.approx(wanted, rel=0.01)


@pytest.fixture(scope="module")
def layers():
    """What each layer of v2 costs, by its name; the network that was measured."""
    model = build(variant("v2"), 0).train()
    return {one.name: one for one in layer_costs(model, SMALL)}, model


def test_every_layer_that_works_is_measured_once(layers):
    costs, model = layers
    convolutions = {name for name, one in model.named_modules() if isinstance(one, nn.Conv2d)}
    assert convolutions <= set(costs)
    assert costs["heads.stem"].calls == 3
    assert costs["backbone.stage1.0.0"].calls == 1
    assert "backbone.stage1.0" not in costs
    assert sum(one.share for one in costs.values()) == pytest.approx(1)


def test_layers_tell_their_memory(layers):
    costs, model = layers
    first = costs["backbone.stage1.0.0"]
    assert first.kind == "Conv2d"
    assert first.output_megabytes == first.peak_megabytes == 8 * 32 * 32 * 4 / 1e6
    whole = max(one.peak_megabytes for one in costs.values())
    picture = 3 * 64 * 64 * 4 / 1e6
    assert whole + weights_megabytes(model) + picture == pytest.approx(
        peak_memory(model, SMALL), rel=0.01
    )


def test_measuring_layers_leaves_the_network_alone(layers):
    _, model = layers
    assert model.training
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in model.modules())


def test_time_belongs_to_the_module_that_spends_it(monkeypatch):
    spent = 0.0
    monkeypatch.setattr(layers_module, "_now", lambda _device: spent)

    class Inner(nn.Conv2d):
        def forward(self, images):
            nonlocal spent
            spent += 0.001
            return super().forward(images)

    class Slow(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner(3, 4, 1)

        def forward(self, images):
            nonlocal spent
            spent += 0.020
            return self.inner(images)

    outer, inner = layer_costs(Slow(), SMALL)
    assert (outer.name, inner.name) == ("", "inner")
    assert outer.milliseconds == pytest.approx(20)
    assert inner.milliseconds == pytest.approx(1)
    assert outer.share == pytest.approx(20 / 21)


def test_size_counts_weights_and_statistics():
    assert weights_megabytes(nn.BatchNorm2d(10)) == pytest.approx(40 * 4 / 1e6)
    assert weights_megabytes(nn.Linear(3, 4), 2) == pytest.approx(16 * 2 / 1e6)


@pytest.mark.parametrize(
    ("key", "value"),
    [("image_size", 100), ("image_size", 0), ("runs", 0), ("warmup", -1), ("device", "gpu")],
)
def test_an_illegal_value_names_the_key(key, value):
    with pytest.raises(UsageError, match=rf"benchmark\.{key}"):
        BenchmarkConfig(**{key: value})


def test_devices_are_chosen_by_name(monkeypatch):
    assert select.choose("cpu").type == "cpu"
    with pytest.raises(UsageError, match="no device 'gpu'"):
        select.choose("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UnavailableError, match="no cuda device"):
        select.choose("cuda")
