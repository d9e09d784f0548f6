from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from featherface.networks.detector import Detector
from featherface.validation import checks, loop
from featherface.validation.case import VariantCase
from featherface.validation.loop import examine, validate
from featherface.validation.names import CHECKS, COUNTS, QUICK
from featherface.variants.table import VARIANTS, variant


def test_every_check_is_there_and_every_variant_has_a_count():
    assert list(checks.ALL) == list(CHECKS)
    assert set(COUNTS) == set(VARIANTS)
    assert set(QUICK) < set(CHECKS)


@pytest.mark.parametrize(
    "name", [pytest.param("v1-official", marks=pytest.mark.slow), "v2-ultra", "v3-nano"]
)
def test_a_sound_network_passes_quickly(name):
    found = list(validate([name], [check for check in QUICK if check != "memory"], quick=True))
    assert [(one.check, one.status, one.detail) for one in found if one.status != "pass"] == []
    assert all(one.detail for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("check", ["memory", "export"])
def test_memory_and_export(check):
    found = examine(VariantCase("v3-nano", variant("v3-nano"), quick=True), check)
    assert found.status == "pass", found.detail
    assert "MB" in found.detail


@pytest.fixture
def broken(monkeypatch):
    """Let the networks be built with a fault."""

    def breaking(spoil):
        def network(case):
            model = Detector(case.config).eval()
            spoil(model)
            return model

        monkeypatch.setattr(VariantCase, "network", network)

    return breaking


def outcome(check, name="v3-nano"):
    return examine(VariantCase(name, variant(name), quick=True), check)


def test_a_wrong_count_is_told_with_the_right_one():
    config = replace(variant("v1"), channels=56)
    found = examine(VariantCase("v1", config, quick=True), "counts")
    assert found.status == "fail"
    assert "488,664" in found.detail


def test_a_dead_parameter_is_named(broken):
    def spoil(model):
        model.backbone.register_parameter("idle", torch.nn.Parameter(torch.ones(3)))

    broken(spoil)
    found = outcome("gradients")
    assert (found.status, found.detail) == ("fail", "no gradient reaches backbone.idle")


def test_a_gradient_of_zero_is_dead(broken):
    broken(lambda model: torch.nn.init.zeros_(model.context[0].near[-2].weight))
    found = outcome("gradients")
    assert found.status == "fail"
    assert "parameters never get a gradient: neck.unit3.0.weight" in found.detail


def test_answers_that_are_not_numbers_are_told_with_the_shape(broken):
    broken(lambda model: torch.nn.init.constant_(model.heads.tasks["boxes"].bias, float("nan")))
    found = outcome("forward")
    assert (found.status, found.detail) == ("fail", "1×64×96: an answer is not finite")


def test_chance_in_the_answer_is_found(broken):
    broken(lambda model: model.backbone.register_forward_hook(lambda *given: jitter(given[-1])))
    assert outcome("determinism").status == "fail"


def jitter(maps):
    return [one + torch.rand(1) for one in maps]


def test_whatever_a_check_raises_is_its_failure(monkeypatch):
    monkeypatch.setitem(loop.ALL, "counts", lambda _: 1 // 0)
    found = outcome("counts")
    assert found.status == "fail"
    assert found.detail.startswith("ZeroDivisionError")
