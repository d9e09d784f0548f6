"""A stage that fails after the training costs nothing: the message says how to go on."""

from __future__ import annotations

import re

import pytest

from experiments.metrics import Metric
from experiments.records.store import Store
from experiments.running.stage_context import StageResult
from experiments.running.stages import TABLE
from featherface.errors import UnavailableError
from featherface.filesystem.atomic import write_atomic

LATE = ("evaluate", "benchmark", "export")


@pytest.fixture
def calls(monkeypatch):
    """Every stage feigned; what was called, in order."""
    called = []

    def make(name):
        def stage(work):
            called.append(name)
            write_atomic(work.folder / "checkpoints" / f"{name}.bin", name)
            return StageResult(metrics=[Metric(name=f"{name}.value", value=1.0, source=work.run)])

        return stage

    for name in TABLE:
        monkeypatch.setitem(TABLE, name, make(name))
    return called


def broken(work):
    raise UnavailableError("smoke.onnx differs from the network by 0.01", "see: thesis doctor")


def commands(answer):
    """The commands that the message says to type."""
    (line,) = [one for one in answer.err.splitlines() if one.startswith("  next: ")]
    return re.findall(r"(thesis run .*?) (?:repeats|seals)", line)


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("choice", [0, 1])
def test_the_next_command_ends_in_a_sealed_run(
    thesis, valid, workspace, calls, monkeypatch, late, choice
):
    working = TABLE[late]
    monkeypatch.setitem(TABLE, late, broken)
    failed = thesis("run", "smoke", "--no-sync", "--set", "seed=3", workspace=workspace)
    assert failed.code == 4
    assert f"error: smoke@1: {late} failed: smoke.onnx differs from the network" in failed.err
    assert "see: thesis doctor" in failed.err
    (run,) = Store(workspace).runs("smoke")
    assert run.status == "failed"
    assert len(run.metrics) == 3
    known = commands(failed)
    assert known == [
        "thesis run smoke --set seed=3 --resume",
        f"thesis run smoke --set seed=3 --resume --skip {late}",
    ]
    if not choice:
        monkeypatch.setitem(TABLE, late, working)
    calls.clear()
    words = known[choice].split()[1:]
    done = valid(thesis(*words, "--no-sync", "--json", workspace=workspace))
    assert [(one["run"], one["status"]) for one in done["runs"]] == [("smoke@1", "sealed")]
    assert calls == ([late] if not choice else [])
    assert len(done["runs"][0]["metrics"]) == (4 if not choice else 3)
    assert thesis("runs", "verify", "--json", workspace=workspace).code == 0


@pytest.mark.parametrize("word", ["--stage", "--skip"])
def test_without_resume_no_new_version_is_trained(thesis, workspace, calls, monkeypatch, word):
    working = TABLE["export"]
    monkeypatch.setitem(TABLE, "export", broken)
    assert thesis("run", "smoke", "--no-sync", workspace=workspace).code == 4
    if word == "--stage":
        monkeypatch.setitem(TABLE, "export", working)
    calls.clear()
    answer = thesis("run", "smoke", word, "export", "--no-sync", workspace=workspace)
    assert answer.code == 0, answer.err
    (run,) = Store(workspace).runs("smoke")
    assert run.status == "sealed"
    assert "train" not in calls


def test_a_training_can_not_be_skipped(thesis, workspace, calls):
    answer = thesis("run", "smoke", "--skip", "train", workspace=workspace)
    assert answer.code == 2
    assert not calls


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("evaluate.precision=tf32", "precision tf32: cpu computes in fp32"),
        ("benchmark.precision=fp16", "precision fp16 needs a GPU"),
        ("evaluate.precision=fp23", "did you mean 'fp32'"),
    ],
)
def test_a_precision_that_the_device_lacks_is_told_before_training(
    thesis, workspace, calls, key, message
):
    devices = ("--set", "train.device=cpu", "--set", "benchmark.device=cpu")
    answer = thesis("run", "smoke", *devices, "--set", key, "--no-sync", workspace=workspace)
    assert answer.code == 2
    assert message in answer.err
    assert not calls
    assert not Store(workspace).runs("smoke")
