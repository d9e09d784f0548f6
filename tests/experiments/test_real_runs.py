"""Work done before this tool becomes a proper record: published weights and predictions."""

import json

import pytest

from experiments import checking, plots, runner
from experiments.milestones import Milestone
from experiments.resolving import resolve
from experiments.seal import verify
from experiments.store import Store

pytestmark = [pytest.mark.data, pytest.mark.slow]


def expected(reference_data):
    return json.loads((reference_data / "expected.json").read_text(encoding="utf-8"))


def evaluated(workspace, name, *overrides):
    return runner.run(workspace, resolve(name, workspace, overrides), stages=["evaluate"])


def test_published_weights_on_a_part_of_val(workspace, reference_data):
    # The quicker of the two networks: the other one goes the same way through the command line.
    name, file = "retinaface-mnet025", "retinaface_mnet025.pth"
    faces = reference_data / "widerface"
    run = evaluated(
        workspace,
        name,
        f"model.weights={(reference_data / 'weights' / file).as_posix()}",
        f"data.root={(faces / 'val34').as_posix()}",
        f"data.ground_truth={(faces / 'ground_truth').as_posix()}",
    )
    wanted = expected(reference_data)["val34"]["ap"][name]
    for subset, ap in wanted.items():
        metric = run.metric(f"widerface.{subset}.ap")
        assert metric.value == pytest.approx(ap, abs=0.002)
        assert (metric.dataset, metric.n, metric.complete) == ("widerface", 34, False)
    assert verify(run.folder) == []
    assert run.record.parents[0].path == file
    assert plots.caption(run).startswith("34 images, not a WIDER FACE result")
    claim = Milestone(name="x", predicate=f"{name} widerface.hard.ap > 0.5")
    outcome = checking.check_milestone(Store(workspace), claim)
    assert outcome.state == "not_measurable"
    assert "34 of 3,226 images" in outcome.reason()


def test_earlier_predictions_on_the_whole_of_val(workspace, reference_data):
    faces = reference_data / "widerface"
    run = evaluated(
        workspace,
        "v1",
        f"evaluate.predictions={(faces / 'predictions' / 'yolov7-lite.tar.gz').as_posix()}",
        f"data.ground_truth={(faces / 'ground_truth').as_posix()}",
    )
    wanted = expected(reference_data)["full_val"]["yolov7-lite"]
    for subset in ("easy", "medium", "hard"):
        metric = run.metric(f"widerface.{subset}.ap")
        assert metric.value == pytest.approx(wanted[subset], abs=1e-6)
        assert (metric.dataset, metric.n, metric.complete) == ("widerface", 3226, True)
    claim = Milestone(name="x", predicate="v1 widerface.hard.ap > 0.8")
    assert checking.check_milestone(Store(workspace), claim).state == "pass"
