from __future__ import annotations

from dataclasses import fields, replace

import pytest

from featherface.errors import UsageError
from featherface.networks.detector import build
from featherface.networks.tuning import KNOBS, count_parameters, legal_values, tune, turned
from featherface.profiling.counting import parameters
from featherface.variants.config import DetectorConfig
from featherface.variants.table import variant


def test_every_whole_number_of_a_network_has_a_knob():
    whole = {one.name for one in fields(DetectorConfig) if one.type == "int"}
    assert set(KNOBS) == whole - {"dropblock_size"}  # which only hides, and weighs nothing


@pytest.mark.parametrize("name", ["v1-official", "v2-plus", "v2-vit", "v3-nano"])
def test_counting_without_numbers_counts_the_same(name):
    assert count_parameters(variant(name)) == parameters(build(variant(name)))


def test_only_legal_values_are_tried():
    channels = legal_values(variant("v2"), "channels")
    assert channels[0] == 12  # ssh-grouped in four groups needs as many
    assert all(value % 4 == 0 for value in channels)
    assert all(value % 2 for value in legal_values(variant("v2"), "attention_kernel"))
    assert legal_values(variant("v1"), "attention_passes") == [1]


@pytest.mark.parametrize(
    ("name", "knob", "most", "target"),
    [
        ("v1-489k", "channels", 68, 489_000),
        ("v2", "attention_kernel", 31, 256_500),
        ("v2-ultra", "context_groups", 24, 240_000),
        ("v3-nano", "reduction", 24, 1),
    ],
)
def test_no_legal_value_is_nearer(monkeypatch, name, knob, most, target):
    monkeypatch.setitem(KNOBS, knob, most)
    config = variant(name)
    if name == "v3-nano":
        config = replace(config, context_attention="dynamic-channel")
    found = tune(config, knob, target)
    tried = legal_values(config, knob)
    distances = [abs(count_parameters(turned(config, knob, value)) - target) for value in tried]
    assert abs(found.best.distance) == min(distances)
    assert found.best in found.neighbours
    assert found.current.value == getattr(config, knob)


def test_the_thesis_s_own_count_is_found_again():
    found = tune(variant("v1-489k", channels=64), "channels", 489_000)
    assert (found.best.value, found.best.parameters) == (56, 489_015)


def test_of_values_that_count_alike_the_one_near_the_present_is_taken():
    found = tune(variant("v2"), "reduction", 1)
    assert found.best.value == 17  # hidden units: 32 // 17 = 1, as for every larger one


def test_a_knob_that_changes_nothing_names_others():
    with pytest.raises(UsageError, match="reduction changes no parameters") as caught:
        tune(variant("v1-489k"), "reduction", 400_000)
    assert "channels" in caught.value.hint


def test_an_unknown_knob_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'channels'"):
        tune(variant("v2"), "chanels", 1)
