"""Runs whose recipe leaves something to the machine."""

import json

import pytest

from experiments.metrics import Metric
from experiments.recipe.resolve import resolve
from experiments.records.seal import verify
from experiments.records.store import Store
from experiments.running import runner
from experiments.running.autotune import ORIGIN, PROFILE
from experiments.running.stage_context import StageResult
from experiments.running.stages import TABLE
from experiments.staleness.changes import changes
from experiments.staleness.families import families
from featherface.errors import TrainingError, UsageError
from featherface.training.tuning import automatic

TINY = (
    "data.synthetic.image_size=64",
    "data.synthetic.train_images=3",
    "data.synthetic.val_images=1",
    "data.synthetic.largest_face=32",
    "train.image_size=64",
    "train.device=cpu",
    "train.batch_size=auto",
)


@pytest.fixture
def trained_with(monkeypatch):
    """Training that only notes the batch size it is given; it fails while the list is empty."""
    sizes = []

    def fit(work):
        sizes.append(work.recipe.train.batch_size)
        if len(sizes) == 1:
            raise TrainingError("the power went")
        return StageResult(metrics=[Metric(name="train.value", value=1.0)])

    monkeypatch.setitem(TABLE, "train", fit)
    return sizes


def go(workspace, *overrides, **options):
    options.setdefault("stages", ["train"])
    return runner.run(workspace, resolve("smoke", workspace, [*TINY, *overrides]), **options)


def test_a_run_keeps_what_was_measured_when_it_goes_on(workspace, trained_with, monkeypatch):
    said = []
    with pytest.raises(TrainingError):
        go(workspace, on_message=said.append)
    assert "smoke@1: measuring train.batch_size" in said
    monkeypatch.setattr(automatic, "free_bytes", lambda _: 10**6)  # another choice by now
    run = go(workspace)
    assert (run.version, run.status) == (1, "sealed")
    assert trained_with == [3, 3]
    assert run.resolved().recipe.train.batch_size == 3
    assert run.resolved().origins["train.batch_size"] == ORIGIN
    profile = json.loads((run.folder / PROFILE).read_text(encoding="utf-8"))
    assert profile["chosen"] == {"batch_size": 3}
    assert profile["room"]["method"] == "estimated"
    assert verify(run.folder) == []


def test_what_was_measured_is_no_change_of_the_recipe(workspace, trained_with):
    trained_with.append(0)
    run = go(workspace)
    assert 'train.batch_size="auto"' in run.record.overrides
    found = changes(run, Store(workspace), families(run, "train.value"))
    assert [one.text("en") for one in found] == []


def test_a_run_goes_on_with_no_other_value_than_the_measured_one(workspace, trained_with):
    with pytest.raises(TrainingError):
        go(workspace)
    with pytest.raises(UsageError, match=r"train.batch_size is 3 in the interrupted run, not 2"):
        go(workspace, "train.batch_size=2", mode="resume")
    assert go(workspace, mode="resume").version == 1
    assert trained_with == [3, 3]


def test_other_recipes_measure_nothing(workspace, trained_with):
    trained_with.append(0)
    run = go(workspace, "train.batch_size=2")
    assert trained_with == [0, 2]
    assert not (run.folder / PROFILE).exists()


def test_stages_that_do_not_train_measure_nothing(workspace, monkeypatch):
    monkeypatch.setitem(TABLE, "evaluate", lambda _: StageResult())
    predictions = workspace.root / "predictions"
    predictions.mkdir()
    run = go(workspace, f"evaluate.predictions={predictions.as_posix()}", stages=["evaluate"])
    assert run.resolved().recipe.train.batch_size == "auto"
    assert not (run.folder / PROFILE).exists()


def test_how_pictures_are_loaded_makes_no_other_recipe(workspace, trained_with):
    with pytest.raises(TrainingError):
        go(workspace, "train.workers=0")
    run = go(workspace)
    assert (run.version, run.status) == (1, "sealed")
    assert run.resolved().recipe.train.workers == 0
    assert go(workspace, "train.workers=3").version == 2


@pytest.mark.parametrize("mode", ["auto", "resume"])
def test_a_run_goes_on_with_the_processes_it_is_told(workspace, monkeypatch, mode):
    loading = []

    def fit(work):
        loading.append(work.recipe.train.workers)
        if len(loading) == 1:
            raise TrainingError("memory ran out")
        return StageResult(metrics=[Metric(name="train.value", value=1.0)])

    monkeypatch.setitem(TABLE, "train", fit)
    with pytest.raises(TrainingError):
        go(workspace, "train.batch_size=2")
    run = go(workspace, "train.batch_size=2", "train.workers=0", mode=mode)
    assert (run.version, run.status, loading) == (1, "sealed", ["auto", 0])
    assert run.resolved().recipe.train.workers == "auto"
    assert verify(run.folder) == []
