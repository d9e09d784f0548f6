"""What was measured on which device, in which precision, as the command line tells it."""

from __future__ import annotations

from thesis_cli.views.metrics import conditions_line


def test_a_benchmark_says_device_and_precision(thesis, valid):
    small = ("benchmark", "v3-nano", "--size", "32", "--runs", "1", "--device", "cpu")
    assert valid(thesis(*small, "--json"))["precision"] == "fp32"
    half = valid(thesis(*small, "--precision", "bf16", "--json"))
    assert (half["device"], half["precision"]) == ("cpu", "bf16")
    assert f"cpu ({half['hardware']}), bf16" in thesis(*small, "--precision", "bf16").out
    answer = thesis(*small, "--precision", "tf32")
    assert answer.code == 2
    assert "precision tf32: cpu computes in fp32" in answer.err


def test_an_evaluation_says_device_and_precision(thesis, valid, weights, small_set):
    given = (
        *("eval", "widerface", "--variant", "v2", "--weights", weights, "--device", "cpu"),
        *("--images", small_set / "WIDER_val" / "images", "--ground-truth", small_set),
    )
    full = valid(thesis(*given, "--json"))
    assert full["protocol"] == "original"
    assert (full["conditions"]["device"], full["conditions"]["precision"]) == ("cpu", "fp32")
    half = valid(thesis(*given, "--precision", "bf16", "--json"))
    assert half["protocol"] == "original (precision=bf16)"
    reduced = {"precision": "bf16"}
    assert half["conditions"] == full["conditions"] | reduced | {"settings": reduced}


def test_the_card_stands_beside_what_it_decides():
    metric = {
        "name": "memory.peak_mb",
        "value": 61.0,
        "unit": "MB",
        "dataset": "",
        "split": "",
        "protocol": "640×640, batch 1",
        "n": 0,
        "complete": True,
        "evidence": "measured",
    }
    card = {"device": "cuda", "hardware": "NVIDIA GeForce RTX 3060", "precision": "tf32"}
    assert conditions_line(metric) == "640×640, batch 1, measured"
    told = conditions_line(metric | {"conditions": card})
    assert told == "640×640, batch 1, NVIDIA GeForce RTX 3060, TF32, measured"
