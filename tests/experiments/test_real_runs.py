"""Work done before this tool becomes a proper record: published weights and predictions."""

import dataclasses
import json

import pytest
from stand_ins.published import FILES, expected_ap

from experiments.claims import checking
from experiments.comparison.compare import compare, published_for
from experiments.plotting import run_plots
from experiments.recipe.resolve import resolve
from experiments.records.seal import verify
from experiments.records.store import Store
from experiments.running import runner
from experiments.workspace.milestones import Milestone
from featherface.data.formats.conversion import convert, open_any
from featherface.data.widerface import open_split

pytestmark = [pytest.mark.data, pytest.mark.slow]


def expected(reference_data):
    return json.loads((reference_data / "expected.json").read_text(encoding="utf-8"))


def evaluated(workspace, name, *overrides):
    return runner.run(workspace, resolve(name, workspace, overrides), stages=["evaluate"])


def test_published_weights_on_a_part_of_val(workspace, reference_data):
    # The quicker of the two networks: the other one goes the same way through the command line.
    name = "retinaface-mnet025"
    file = FILES[name]
    faces = reference_data / "widerface"
    run = evaluated(
        workspace,
        name,
        f"model.weights={(reference_data / 'weights' / file).as_posix()}",
        f"data.root={(faces / 'val34').as_posix()}",
        f"data.ground_truth={(faces / 'ground_truth').as_posix()}",
    )
    wanted = expected_ap(reference_data, name)
    for subset, ap in wanted.items():
        metric = run.metric(f"widerface.{subset}.ap")
        assert metric.value == pytest.approx(ap, abs=0.002)
        assert (metric.dataset, metric.n, metric.complete) == ("widerface", 34, False)
    assert verify(run.folder) == []
    assert run.record.parents[0].path == file
    assert run_plots.caption(run).startswith("34 images, not a WIDER FACE result")
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
    assert checking.check_milestone(Store(workspace), claim).state == "not_measurable"
    accepting = dataclasses.replace(claim, evidence=("measured", "imported"))
    assert checking.check_milestone(Store(workspace), accepting).state == "pass"


def test_two_published_networks_on_a_part_of_val(workspace, reference_data):
    faces = reference_data / "widerface"
    runs = []
    for name in ("v1-official", "eca-cbam"):
        predictions = reference_data / "reference" / name / "val34_predictions.tar.gz"
        run = evaluated(
            workspace,
            name,
            f"evaluate.predictions={predictions.as_posix()}",
            f"data.ground_truth={(faces / 'ground_truth').as_posix()}",
        )
        wanted = expected(reference_data)["val34"]["ap"][name]
        for subset, ap in wanted.items():
            assert run.metric(f"widerface.{subset}.ap").value == pytest.approx(ap, abs=0.002)
        runs.append(run)
    found = compare(runs, references=published_for(runs, workspace.cited), resamples=200)
    easy = found.row("widerface.easy.ap")
    assert easy.deltas[1].established
    assert easy.intervals[0].high - easy.intervals[0].low > 0.15  # 34 images say little
    assert easy.references == ()  # whose network it was, given predictions don't show
    told = [note.text() for note in found.notes]
    assert told[0].startswith("34 images, not a WIDER FACE result")
    assert any("How sure 34 images are: half a 95% interval is up to 1" in one for one in told)


def test_the_annotation_survives_the_way_through_coco(reference_data, tmp_path):
    there = open_split(reference_data / "widerface" / "val34", "val")
    convert(there, "coco", tmp_path / "coco", "link")
    back = open_any(tmp_path / "coco", "val")
    convert(back, "widerface", tmp_path / "again", "none")
    again = tmp_path / "again" / "wider_face_split" / "wider_face_val_bbx_gt.txt"
    lines = [
        [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
        for path in (again, there.annotation_file)
    ]
    assert lines[0] == lines[1]
