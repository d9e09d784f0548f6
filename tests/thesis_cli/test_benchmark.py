"""`thesis benchmark`: what a network costs."""

from __future__ import annotations

import pytest

QUICK = ("--size", "64", "--runs", "2", "--device", "cpu")


def test_a_network_is_counted_timed_and_weighed(thesis, valid):
    data = valid(thesis("benchmark", "v2", *QUICK, "--batch", "2", "--threads", "1", "--json"))
    assert (data["name"], data["parameters"], data["batch_size"]) == ("v2", 256_006, 2)
    assert (data["device"], data["threads"], len(data["runs_ms"])) == ("cpu", 1, 2)
    assert data["peak_mb"] > data["size_fp32_mb"]
    assert data["layers"] is data["training"] is None


def test_layers_are_shown_slowest_first(thesis, valid):
    layers = valid(thesis("benchmark", "v2", *QUICK, "--layers", "--json"))["layers"]
    assert sum(each["share"] for each in layers) == pytest.approx(1)
    shown = thesis("benchmark", "v2", *QUICK, "--layers").out
    assert "heads.stem" in shown
    assert "256,006 parameters" in shown
    table = shown.split("─\n", 1)[1].splitlines()
    times = [float(line.split()[-4]) for line in table if line.endswith(tuple("0123456789"))]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(layers)


@pytest.mark.slow
def test_what_auto_would_choose_is_told(thesis, valid):
    answer = thesis("benchmark", "v3-nano", *QUICK, "--training", "--json")
    training = valid(answer)["training"]
    assert training["amp"] in ("no", "bf16")
    assert len(training["timings"]) == 4
    assert training["room"]["batch_size"] == training["batch_size"] >= 1


def test_weights_must_fit(thesis, weights):
    assert thesis("benchmark", "v2", *QUICK, "--weights", weights).code == 0
    answer = thesis("benchmark", "v1", *QUICK, "--weights", weights)
    assert answer.code != 0
    assert "v2" in answer.err


def test_a_size_that_no_network_takes_is_refused(thesis):
    answer = thesis("benchmark", "v2", "--size", "100")
    assert answer.code == 2
    assert "96" in answer.err


def test_the_workspaces_device_is_taken_unless_the_option_says_otherwise(
    thesis, workspace, monkeypatch, pretend_cards
):
    pretend_cards("NVIDIA GeForce GTX 1060 6GB", build="cu130")
    monkeypatch.setenv("THESIS_DEVICE", "cuda")
    call = ("benchmark", "v1", "--size", "64", "--runs", "1", "--json")
    answer = thesis(*call, workspace=workspace)
    assert answer.code == 4
    assert "holds no code for NVIDIA GeForce GTX 1060 6GB (sm_61)" in answer.err
    answer = thesis(*call, "--device", "auto", workspace=workspace)
    assert answer.data["device"] == "cpu"
    (warning,) = answer.json["warnings"]
    assert warning.startswith("computing on the CPU: PyTorch 2.13.0+cu130 holds no code for")
