"""Metrics beside AP, errors counted and galleries gathered, of runs that judge predictions."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from experiments.accuracy import Circumstances, measure
from experiments.claims import remedies
from experiments.earlier_conditions import from_text
from experiments.inspection import detection_review
from experiments.inspection.error_counts import count_errors
from experiments.inspection.error_gallery import draw_crops, gather
from experiments.metrics import KINDS
from experiments.recipe.resolve import resolve
from experiments.records.store import Store
from experiments.running import runner
from experiments.workspace.workspace import Workspace
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import ClaimFalseError, DataError, NotFoundError, UsageError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.predictions import write_prediction


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A drawn set, and detections that find all but the largest face of each picture."""
    root = tmp_path_factory.mktemp("drawn")
    draw(root / "set", SyntheticConfig(image_size=96, train_images=2, val_images=3))
    split = open_split(root / "set", "val")
    for image in split.images:
        boxes = np.rint(np.hstack([image.boxes[:, :2], image.boxes[:, 2:] - image.boxes[:, :2]]))
        order = np.argsort(-boxes[:, 3])
        table = [(*boxes[row], 0.9 - 0.01 * place) for place, row in enumerate(order[1:])]
        table.append((0.0, 0.0, 4.0, 4.0, 0.6))  # a false alarm
        write_prediction(root / "seen", image.path, np.array(table, dtype=float))
    return root


@pytest.fixture(scope="module")
def judged(tmp_path_factory, drawn):
    """A workspace with a sealed run that judged those detections."""
    workspace = Workspace.create(tmp_path_factory.mktemp("judged") / "thesis")
    changes = {"data.root": drawn / "set", "evaluate.predictions": drawn / "seen"}
    changes["data.ground_truth"] = drawn / "set"
    overrides = [f"{key}={path.as_posix()}" for key, path in changes.items()]
    runner.run(workspace, resolve("v2", workspace, overrides), stages=("evaluate",))
    return workspace


@pytest.fixture
def case(judged):
    store = Store(judged)
    return detection_review.of_run(judged, store, store.find("v2"))


def test_a_run_measures_more_than_ap(judged):
    run = Store(judged).find("v2")
    values = {metric.name: metric.value for metric in run.metrics}
    assert {f"widerface.{name}.recall" for name in ("easy", "medium", "hard")} <= set(values)
    assert values["widerface.precision"] == pytest.approx(
        np.mean([values[f"widerface.{name}.precision"] for name in ("easy", "medium", "hard")])
    )
    assert values["widerface.localisation"] > 0.9
    assert all(name in KINDS for name in values)
    assert {metric.protocol for metric in run.metrics} == {"original"}


def test_a_score_other_than_the_usual_is_part_of_what_depends_on_it(case):
    about = Circumstances(dataset="d", split="val", complete=True, fingerprint="f", run="r@1")
    for earlier, name in ((False, "vga"), (True, "vga")):
        settings = EvaluateConfig(protocol="vga", decision=0.3)
        found = measure(case.result, settings, dataclasses.replace(about, earlier=earlier))
        protocols = {metric.name: metric.protocol for metric in found}
        assert protocols["widerface.hard.ap"] == name
        assert protocols["widerface.hard.recall"] == f"{name} (decision=0.3)"
        assert protocols["widerface.calibration_error"] == name


def test_errors_are_those_that_the_run_recorded(judged, case):
    found = count_errors(case, (case.evaluate.decision, 0.95))
    run = Store(judged).find("v2")
    for row in found["points"][:3]:
        for key in ("recall", "precision"):
            assert row[key] == run.metric(f"widerface.{row['subset']}.{key}").value
    assert [row["score"] for row in found["points"]] == [0.5] * 4 + [0.95] * 4
    assert found["points"][-1]["recall"] == 0.0
    assert math.isnan(found["points"][-1]["precision"])
    assert [row["group"] for row in found["breakdown"]["blur"]] != ["unknown"]
    with pytest.raises(UsageError, match="did you mean 'hard'"):
        count_errors(case, (0.5,), "hrd")


def test_a_gallery_holds_the_worst_with_what_is_around(case):
    found = gather(case, score=0.5, misses=2, false_alarms=9)
    assert found["missed"] == 3
    heights = [one["height"] for one in found["misses"]]
    assert len(heights) == 2
    assert heights == sorted(heights, reverse=True)
    assert [one["score"] for one in found["false_alarms"]] == [0.6] * 3
    files = case.look_up()
    crops = list(draw_crops(found["misses"], files, 64))
    assert [one.size for one in crops] == [(64, 64)] * 2
    with pytest.raises(DataError, match="is not there: its mistakes can't be shown"):
        list(draw_crops(found["misses"], {}, 64))


def test_any_detector_is_looked_at_without_a_run(drawn, case):
    found = detection_review.of_files(
        drawn / "seen", drawn / "set", drawn / "set" / "WIDER_val" / "images"
    )
    assert gather(found, score=0.5)["misses"] == gather(case, score=0.5)["misses"]
    assert found.look_up()


def test_what_was_changed_since_is_refused(judged, drawn, tmp_path):
    store = Store(judged)
    run = store.find("v2")
    file = next((drawn / "seen").rglob("*.txt"))
    before = file.read_bytes()
    try:
        file.write_bytes(before.replace(b"0.6", b"0.7"))
        with pytest.raises(ClaimFalseError, match="were changed since"):
            detection_review.of_run(judged, store, run)
    finally:
        file.write_bytes(before)
    away = drawn / "seen-away"
    (drawn / "seen").rename(away)
    try:
        with pytest.raises(NotFoundError, match="are gone"):
            detection_review.of_run(judged, store, run)
    finally:
        away.rename(drawn / "seen")


def test_a_run_that_was_not_evaluated_is_told(workspace, make_run):
    run = make_run(workspace, metrics={"params.total": 1000})
    with pytest.raises(UsageError, match="was not evaluated"):
        detection_review.of_run(workspace, Store(workspace), run)
    unfinished = make_run(workspace, status="interrupted")
    with pytest.raises(UsageError, match="only a finished run"):
        detection_review.of_run(workspace, Store(workspace), unfinished)


@pytest.mark.parametrize(
    ("taken", "wanted", "changes"),
    [
        (
            "multiscale+flip (score_threshold=0.1)",
            "original",
            {"protocol=original", "flip=false", "score_threshold=0.02"},
        ),
        ("original", "multiscale+flip", {"protocol=multiscale", "flip=true"}),
        ("original+voting", "original+flip", {"flip=true", "voting=false"}),
        ("original", "original (decision=0.3)", {"decision=0.3"}),
    ],
)
def test_what_to_type_for_another_protocol(workspace, make_run, taken, wanted, changes):
    run = make_run(workspace, protocol=taken)
    code, values = remedies.for_protocol(Store(workspace), run, run.primary, from_text(wanted))
    assert code == "step"
    assert set(re.findall(r"evaluate\.(\S+)", values["command"])) == changes


def test_a_protocol_that_there_is_not_has_no_command(workspace, make_run):
    run = make_run(workspace)
    for wanted in ("not stated", "original+zoom"):
        assert remedies.for_protocol(Store(workspace), run, run.primary, from_text(wanted)) is None
