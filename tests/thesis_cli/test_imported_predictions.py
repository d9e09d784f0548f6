"""Predictions of another program: judged here, named after their maker, no network's result."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from experiments.metrics import Metric
from experiments.recipe.resolve import resolve
from experiments.records.record import Parent, Stage
from experiments.records.run import Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.running import inputs, runner
from experiments.workspace.workspace import Workspace
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import UsageError
from featherface.evaluation.predictions import write_prediction

HARD = "widerface.hard.ap"
MAKER = "YOLOv7-lite"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A workspace whose only `v2` judged the detections of another program."""
    root = tmp_path_factory.mktemp("foreign")
    draw(root / "set", SyntheticConfig(image_size=96, train_images=2, val_images=3))
    for image in open_split(root / "set", "val").images:
        boxes = np.rint(np.hstack([image.boxes[:, :2], image.boxes[:, 2:] - image.boxes[:, :2]]))
        table = [(*box, 0.9 - 0.01 * place) for place, box in enumerate(boxes)]
        write_prediction(root / "seen", image.path, np.array(table, dtype=float))
    workspace = Workspace.create(root / "thesis")
    workspace.vault.mkdir()
    evaluate(workspace, root, f"evaluate.predictions_by={MAKER}")
    return workspace


def evaluate(workspace, root, *changes, stages=("evaluate",)):
    keys = {"data.root": "set", "data.ground_truth": "set", "evaluate.predictions": "seen"}
    overrides = [f"{key}={(root / name).as_posix()}" for key, name in keys.items()]
    return runner.run(
        workspace, resolve("v2", workspace, [*overrides, *changes]), stages=stages, mode="new"
    )


@pytest.fixture
def here(judged, tmp_path):
    shutil.copytree(judged.root, tmp_path / "thesis")
    return Workspace.open(tmp_path / "thesis")


def test_they_are_sealed_as_imported_with_their_maker(judged):
    run = Store(judged).find("v2@1")
    assert {metric.evidence for metric in run.metrics} == {"imported"}
    assert {metric.maker for metric in run.metrics} == {MAKER}
    assert run.variant == ""


def test_without_a_name_the_folder_is_their_maker_and_that_is_told(here, judged):
    run = evaluate(here, judged.root.parent)
    assert {metric.maker for metric in run.metrics} == {"seen"}
    assert any("evaluate.predictions_by=NAME" in warning for warning in run.record.warnings)


@pytest.mark.parametrize("stage", ["benchmark", "export"])
def test_no_record_mixes_them_with_the_size_and_speed_of_its_network(here, judged, stage):
    with pytest.raises(UsageError, match="predictions that it did not make"):
        evaluate(here, judged.root.parent, stages=("evaluate", stage))


def test_they_satisfy_no_claim_unless_it_accepts_them_by_name(thesis, here):
    claim = f'predicate = "v2@1 {HARD} > 0.1"\ndataset = "synthetic"\n'
    with (here.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write(f"[milestones.own]\n{claim}")
        file.write(f'[milestones.any]\n{claim}evidence = ["measured", "imported"]\n')
    out = thesis("milestone", "check", "own", "any", "--json", workspace=here).out
    own, accepting = json.loads(out)["data"]
    assert own["state"] == "not_measurable"
    assert f"predictions that {MAKER} made" in own["reason"]
    assert accepting["state"] == "pass"
    assert MAKER in thesis("milestone", "check", "any", workspace=here).out


def test_their_maker_is_named_wherever_the_number_is(thesis, here, make_run):
    own = Store(here).find("v2@1").metrics
    mine = [dataclasses.replace(each, evidence="measured", maker="") for each in own]
    make_run(here, "v1", metrics=mine)
    note = here.vault / "Talk.md"
    note.write_text(f"<!--t:v2@1 {HARD} .1%--><!--/t-->\n", encoding="utf-8")
    words = {
        "runs list": ("runs", "list"),
        "runs show": ("runs", "show", "v2@1"),
        "compare": ("compare", "v1", "v2@1"),
        "compare md": ("compare", "v1", "v2@1", "--format", "md"),
        "check numbers": ("check", "numbers", "--fix", "--all"),
        "check quote": ("check", "quote", "v2@1", HARD),
    }
    silent = []
    for name, verb in words.items():
        answer = thesis(*verb, workspace=here)
        if MAKER not in answer.out + answer.err:
            silent.append(name)
    thesis("compare", "v1", "v2@1", "--to", "vault", workspace=here)
    thesis("report", "sync", workspace=here)
    for path in here.vault.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        tables = [table for table in text.split("\n\n") if "|" in table and "v2@1" in table]
        tables = [] if path.name == "Milestones.md" else tables  # no claim there looks at it
        silent += [f"{path.name}: {table}" for table in tables if MAKER not in table]
    assert silent == []


def test_an_earlier_record_of_given_predictions_reads_as_imported(workspace, make_run):
    run = make_run(workspace, "v2", metrics={HARD: 0.9, "params.total": 5})
    parents = (Parent(role="predictions", path="yolo.tar.gz", sha256="0" * 64),)
    stages = {**run.record.stages, "train": Stage(status="skipped")}
    dataclasses.replace(run.record, parents=parents, stages=stages).write(run.folder)
    seal(run.folder)
    metric = Run(run.folder).metric(HARD)
    assert (metric.evidence, metric.maker) == ("imported", "yolo.tar.gz")
    assert Run(run.folder).metric("params.total").evidence == "measured"


def test_only_the_predictions_of_the_same_intact_network_are_its_own(workspace, make_run):
    run = make_run(workspace, "v2", variant="v2", recipe={"name": "v2"})
    folder = run.folder / "predictions"
    folder.mkdir()
    (folder / "a.txt").write_text("a\n0\n", encoding="utf-8")
    seal(run.folder)
    store = Store(workspace)
    recipe = resolve("v2", workspace, ["data.root=synthetic"]).recipe
    assert inputs.predictions_parent(store, recipe, folder).run == "v2@1"
    other = resolve("v2", workspace, ["data.root=synthetic", "model.channels=64"]).recipe
    assert inputs.predictions_parent(store, other, folder).run == ""
    copied = shutil.copytree(folder, workspace.root / "copied")
    assert inputs.predictions_parent(store, recipe, copied).run == ""
    (folder / "a.txt").write_text("a\n1\n1 1 5 5 1\n", encoding="utf-8")
    assert inputs.predictions_parent(Store(workspace), recipe, folder).run == ""


def test_a_metric_without_a_maker_writes_the_same_bytes_as_before():
    assert "maker" not in Metric(name=HARD, value=0.5).to_json()
