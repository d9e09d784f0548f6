"""Each innovation of a variant can be turned off alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from featherface.errors import UsageError
from featherface.networks.detector import build
from featherface.profiling.counting import macs, parameters
from featherface.variants.config import DetectorConfig
from featherface.variants.table import VARIANTS, variant

SWITCHES = [(name, key) for name, entry in VARIANTS.items() for key in entry.switches]


def off(name, key):
    return variant(name, **{key: VARIANTS[name].switches[key]})


@pytest.mark.parametrize(("name", "key"), SWITCHES)
def test_a_switch_changes_one_field_and_the_answer(name, key):
    on, without = asdict(variant(name)), asdict(off(name, key))
    assert [field for field in on if on[field] != without[field]] == [key]
    torch.manual_seed(1)
    images = torch.randn(1, 3, 96, 96) * 60
    first, second = (answer(config, images) for config in (variant(name), off(name, key)))
    assert first.shape == second.shape
    assert not torch.equal(first, second)


def answer(config, images):
    """What a network says whose every parameter has left where it started."""
    model = build(config, 0).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.01)
        return torch.cat(model(images), -1)


@pytest.mark.parametrize(("name", "key"), SWITCHES)
def test_what_stays_has_the_same_weights_by_the_same_names(name, key):
    on, without = (build(config).state_dict() for config in (variant(name), off(name, key)))
    prefixes = {first.split(".")[0] for first in on}
    assert prefixes >= {first.split(".")[0] for first in without}
    assert all(on[first].shape == without[first].shape for first in on.keys() & without.keys())


@pytest.mark.parametrize(("name", "key"), SWITCHES)
def test_a_network_without_one_innovation_learns(name, key):
    model = build(off(name, key), 0).train()
    sum(one.square().sum() for one in model(torch.randn(2, 3, 96, 96))).backward()
    assert all(value.grad is not None and value.grad.any() for value in model.parameters())


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("attention_passes", 3, "model.attention=cbam-shared"),
        ("feature_recycling", True, "model.neck=bifpn-light"),
        ("context_paths", 2, "model.context=ssh"),
        ("task_fusion", True, "model.head=smart"),
        ("box_refinement", True, "model.head=smart"),
        ("adaptive_priors", True, "model.head=smart"),
    ],
)
def test_an_innovation_names_what_it_builds_upon(key, value, hint):
    with pytest.raises(UsageError, match=f"model.{key}") as caught:
        DetectorConfig(**{key: value})
    assert hint in caught.value.hint


GUIDE = Path(__file__).resolve().parents[3] / "docs" / "networks.md"


@pytest.mark.parametrize("name", VARIANTS)
def test_the_guide_tells_what_each_network_is(name):
    model = build(variant(name))
    counts = f"{parameters(model):,} | {macs(model) / 1e9:.3f}"
    row = f"| `{name}` | {counts} | {VARIANTS[name].summary} |"
    assert row in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "key"), SWITCHES)
def test_the_guide_tells_how_each_innovation_is_turned_off(name, key):
    value = VARIANTS[name].switches[key]
    shown = str(value).lower() if isinstance(value, bool) else value
    row = f"| `{name}` | `model.{key}` | `{shown}` |"
    assert row in GUIDE.read_text(encoding="utf-8")
