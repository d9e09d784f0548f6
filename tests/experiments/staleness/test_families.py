"""Which families of numbers a metric follows from."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from experiments.staleness.families import families


def run(*, trained):
    stages = {"train": SimpleNamespace(status="done")} if trained else {}
    return SimpleNamespace(record=SimpleNamespace(stages=stages))


@pytest.mark.parametrize(
    ("metric", "trained", "own"),
    [
        ("widerface.easy.ap", True, ("training", "accuracy")),
        ("widerface.easy.ap", False, ("accuracy",)),
        ("params.total", True, ("network",)),
        ("latency.cpu.median_ms", True, ("speed",)),
        ("train.loss", True, ("training",)),
        ("export.onnx.parity", True, ("training", "export")),
        ("export.onnx-int8.ap_loss.hard", True, ("training", "accuracy", "export")),
        ("export.onnx-int8.ap_loss.hard", False, ("accuracy", "export")),
    ],
)
def test_a_metric_follows_from_its_family_and_those_before_it(metric, trained, own):
    assert families(run(trained=trained), metric) == own
