"""A metric is read from the version that measured it, never from another training's weights."""

import dataclasses

import pytest

from experiments.claims import checking
from experiments.claims.candidate_runs import candidates, find_measured, weights_digest
from experiments.records.record import Parent, Stage
from experiments.records.run import Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.workspace.milestones import Milestone
from featherface.errors import NotFoundError

AP = "widerface.hard.ap"
SIZE = "params.total"


@pytest.fixture
def version(workspace, make_run):
    """Write a version of v2: one that trained (WEIGHTS are its bytes), or took a run's weights."""

    def make(metrics, *, weights=b"", taken=None, predictions=False, recipe=None):
        run = make_run(workspace, "v2", metrics=metrics, recipe=recipe, variant="v2")
        record, stages = run.record, dict(run.record.stages)
        (run.folder / "checkpoints").mkdir()
        if weights:
            (run.folder / "checkpoints" / "best.safetensors").write_bytes(weights)
        else:
            stages["train"] = Stage(status="skipped")
        if taken is not None:
            (run.folder / "checkpoints" / "taken.safetensors").write_bytes(b"with other metadata")
            parent = Parent(role="weights", run=taken.id, seal=taken.seal)
            record = dataclasses.replace(record, parents=(parent,))
        if predictions:
            record = dataclasses.replace(record, parents=(Parent(role="predictions", path="x"),))
        dataclasses.replace(record, stages=stages).write(run.folder)
        seal(run.folder)
        return Run(run.folder)

    return make


def found(workspace, selector, metric):
    return find_measured(Store(workspace), selector, metric).id


def test_a_version_that_only_evaluated_leaves_the_rest_to_the_one_whose_weights_it_took(
    workspace, version
):
    first = version({SIZE: 256_000, AP: 0.5}, weights=b"one")
    version({AP: 0.6}, taken=first)
    assert found(workspace, "v2", AP) == "v2@2"
    assert found(workspace, "v2", SIZE) == "v2@1"
    assert found(workspace, "v2@2", SIZE) == "v2@2"
    store = Store(workspace)
    assert weights_digest(store, store.find("v2@2")) == weights_digest(store, store.find("v2@1"))


def test_another_training_is_never_mixed_in(workspace, version):
    version({SIZE: 256_000, AP: 0.5, "export.onnx.parity": 1e-6}, weights=b"one")
    version({"widerface.mean_ap": 0.6}, weights=b"two")
    assert found(workspace, "v2", SIZE) == "v2@1"
    assert found(workspace, "v2", AP) == "v2@2"
    assert found(workspace, "v2", "export.onnx.parity") == "v2@2"


def test_another_network_is_never_mixed_in(workspace, version):
    version({SIZE: 256_000}, weights=b"one")
    version({AP: 0.6}, weights=b"two", recipe={"model.channels": 64})
    assert found(workspace, "v2", SIZE) == "v2@2"


def test_predictions_from_elsewhere_have_no_parameters(workspace, version):
    version({SIZE: 256_000}, weights=b"one")
    version({AP: 0.99}, predictions=True)
    assert find_measured(Store(workspace), "v2@2", SIZE).metric(SIZE) is None
    assert found(workspace, "v2", SIZE) == "v2@1"
    assert find_measured(Store(workspace), "v2", AP).metric(AP) is None


def test_the_latest_measurement_of_the_same_weights_goes_first(workspace, version):
    first = version({"widerface.mean_ap": 0.6}, weights=b"one")
    version({SIZE: 1}, taken=first)
    version({SIZE: 2}, taken=first)
    names = [run.id for run in candidates(Store(workspace), "v2@best", SIZE)]
    assert names == ["v2@3", "v2@2", "v2@1"]
    assert found(workspace, "v2@best", SIZE) == "v2@3"


def test_no_run_is_told(workspace):
    with pytest.raises(NotFoundError, match="no run 'v2'"):
        found(workspace, "v2", AP)


def test_a_milestone_names_the_version_that_answers(workspace, version):
    first = version({SIZE: 256_000, "widerface.mean_ap": 0.5}, weights=b"one")
    version({"widerface.mean_ap": 0.6}, taken=first)
    claim = Milestone(name="small", predicate="v2@best params.total < 285_000")
    outcome = checking.check_milestone(Store(workspace), claim)
    (one,) = outcome.observations
    assert (outcome.state, one.run.id, one.selected_run.id) == ("pass", "v2@1", "v2@2")
