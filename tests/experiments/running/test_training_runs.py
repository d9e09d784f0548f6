"""Real runs on a tiny drawn set: trained, killed, resumed, distilled, evaluated again."""

import dataclasses
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from stand_ins.tiny_runs import TINY, tiny_run

from experiments.claims import remedies
from experiments.records.run import Run
from experiments.records.seal import read_seal, seal, sha256, verify
from experiments.records.store import Store
from experiments.staleness.changes import changes
from experiments.staleness.families import families
from experiments.staleness.probes import FILE
from experiments.workspace.workspace import Workspace
from featherface.errors import InterruptedRunError
from thesis_cli.main import cli

STAGES = ("train", "evaluate")
CHILD = """
import sys
from experiments.running import runner
from experiments.recipe.resolve import resolve
from experiments.workspace.workspace import Workspace

if __name__ == "__main__":
    workspace = Workspace.find()
    runner.run(workspace, resolve("smoke", workspace, sys.argv[1:]), stages=("train", "evaluate"))
"""


def go(workspace, *overrides, name="smoke", **options):
    options.setdefault("stages", STAGES)
    return tiny_run(workspace, *overrides, name=name, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with one finished run of the smoke recipe, which tests only add to."""
    workspace = Workspace.create(tmp_path_factory.mktemp("trained"))
    return workspace, go(workspace)


def losses(run):
    """Return the training events without what a clock decides."""
    events = [event for event in run.events() if event["kind"] in ("step", "epoch")]
    clocked = ("seconds", "loading")
    return [{key: one[key] for key in one if key not in clocked} for one in events]


def test_a_trained_run_holds_what_the_design_promises(trained):
    _, run = trained
    assert (run.status, verify(run.folder)) == ("sealed", [])
    names = {metric.name for metric in run.metrics}
    assert "widerface.hard.ap" in names
    ap = run.metric("widerface.hard.ap")
    assert (ap.dataset, ap.split, ap.protocol, ap.n) == ("synthetic", "val", "original", 2)
    assert (ap.complete, ap.source, len(ap.fingerprint)) == (True, "smoke@1", 64)
    assert set(run.data) == {"train", "val"}
    assert run.data["train"]["images"] == 4
    assert run.matches().ap("hard") == pytest.approx(ap.value)
    assert run.weights == run.folder / "checkpoints" / "best.safetensors"
    assert not (run.folder / "checkpoints" / "state.pt").exists()
    assert "loss_curves" in run.plots  # and the other where it found anything
    assert [event["epoch"] for event in run.events("epoch")] == [1, 2]
    assert run.record.hardware["torch"]


def tensors(run, name="last.safetensors"):
    """Return the weights' bytes without the metadata, which names the run."""
    content = (run.folder / "checkpoints" / name).read_bytes()
    return content[8 + int.from_bytes(content[:8], "little") :]


@pytest.mark.slow
def test_killed_at_any_moment_a_run_ends_with_the_same_weights(trained, tmp_path):
    _, undisturbed = trained
    workspace = Workspace.create(tmp_path / "killed")
    script = tmp_path / "child.py"
    script.write_text(CHILD, encoding="utf-8")
    arguments = [sys.executable, str(script), *TINY]
    surroundings = os.environ | {"THESIS_WORKSPACE": str(workspace.root)}
    folder = workspace.runs / "smoke" / "001"
    for lines in (1, 4):
        child = subprocess.Popen(arguments, env=surroundings)
        try:
            wait_for_events(folder / "metrics.jsonl", lines, child)
        finally:
            child.kill()
            child.wait()
        assert Run(folder).status == "interrupted"
    run = go(workspace, mode="resume")
    assert (run.id, run.status, len(run.record.attempts)) == ("smoke@1", "sealed", 3)
    assert tensors(run) == tensors(undisturbed)
    assert losses(run) == losses(undisturbed)
    assert [one.value for one in run.metrics] == [one.value for one in undisturbed.metrics]


def wait_for_events(path: Path, lines: int, child: subprocess.Popen) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and child.poll() is None:
        if path.is_file() and path.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    assert child.poll() is None, f"the child ended by itself with {child.returncode}"
    pytest.fail("the child has written nothing")


def test_a_student_is_distilled_from_the_run_that_its_record_names(trained):
    workspace, teacher = trained
    student = go(workspace, "distill.teacher=smoke@1", "name=student")
    parent = student.record.parents[0]
    assert (parent.role, parent.run, parent.seal) == ("teacher", "smoke@1", teacher.seal)
    assert "teacher_soft" in student.events("epoch")[0]
    assert student.results["details"]["train"]["teacher"] == "smoke@1"


@pytest.mark.slow
def test_weights_are_evaluated_again_alone(trained):
    workspace, run = trained
    again = go(workspace, stages=["evaluate"], mode="new")
    parent = again.record.parents[0]
    latest = [one for one in Store(workspace).runs("smoke") if one.version < again.version][-1]
    assert (parent.role, parent.run, parent.seal) == ("weights", latest.id, latest.seal)
    file = run.folder / "checkpoints" / "best.safetensors"
    given = go(workspace, f"model.weights={file.as_posix()}", stages=["evaluate"], mode="new")
    parent = given.record.parents[0]
    assert (parent.role, parent.path, parent.sha256) == ("weights", file.name, sha256(file))
    assert given.metric("widerface.hard.ap").value == run.metric("widerface.hard.ap").value
    assert given.weights.name == "taken.safetensors"


@pytest.mark.slow
def test_an_evaluation_alone_renews_a_run_of_before_probes_were_kept(tmp_path):
    workspace = Workspace.create(tmp_path / "thesis")
    (workspace.recipes / "older.yaml").write_text("extends: smoke\n", encoding="utf-8")
    run = go(workspace, name="older")
    kept = json.loads((run.folder / FILE).read_text(encoding="utf-8"))["families"]
    assert set(kept) == {"training", "accuracy"}
    assert FILE in read_seal(run.folder).files
    (run.folder / FILE).unlink()
    dataclasses.replace(run.record, code="0" * 64).write(run.folder)
    seal(run.folder)
    Store(workspace).ledger.path.unlink()  # which knows the other seal

    store = Store(workspace)
    [stale] = changes(store.find("older@1"), store)
    assert stale.kind == "untold"
    [(_, step)] = remedies.for_changes(store, [stale])
    words = ["--workspace", str(workspace.root), *shlex.split(step["command"])[1:], "--no-sync"]
    answer = CliRunner().invoke(cli, words)
    assert answer.exit_code == 0, answer.output
    renewed = store.find("older@2")
    kept = json.loads((renewed.folder / FILE).read_text(encoding="utf-8"))["families"]
    assert set(kept) == {"accuracy"}
    name = "widerface.hard.ap"
    assert changes(renewed, store, families(renewed, name)) == ()
    assert renewed.metric(name).value == run.metric(name).value


@pytest.mark.slow
def test_an_evaluation_that_goes_on_still_says_whose_weights_it_takes(trained):
    workspace, run = trained
    file = run.folder / "checkpoints" / "best.safetensors"
    given = f"model.weights={file.as_posix()}"
    seen = []

    def after_the_weights():
        seen.append(len(list(workspace.runs.rglob("taken.safetensors"))))
        return seen[-1] > seen[0]

    with pytest.raises(InterruptedRunError):
        go(workspace, given, stages=["evaluate"], mode="new", should_stop=after_the_weights)
    again = go(workspace, given, stages=["evaluate"], mode="resume")
    [parent] = again.record.parents
    assert (parent.role, parent.path, parent.sha256) == ("weights", file.name, sha256(file))


@pytest.mark.slow
def test_a_backbone_is_a_parent(trained):
    workspace, run = trained
    file = run.folder / "checkpoints" / "best.safetensors"
    made = go(workspace, f"model.backbone_weights={file.as_posix()}", mode="new", stages=["train"])
    [parent] = made.record.parents
    assert (parent.role, parent.path, parent.sha256) == ("backbone", file.name, sha256(file))


@pytest.mark.slow
def test_earlier_predictions_are_recorded_as_they_are(trained):
    workspace, run = trained
    folder = run.folder / "predictions"
    path = f"evaluate.predictions={folder.as_posix()}"
    again = go(workspace, path, stages=["evaluate"], mode="new")
    assert again.metric("widerface.hard.ap").value == run.metric("widerface.hard.ap").value
    assert [one.role for one in again.record.parents] == ["predictions"]
    assert again.metric("widerface.hard.ap").dataset == "synthetic"
    root = Path(run.data["val"]["annotation_file"]).parents[1]
    truth = f"data.ground_truth={root.as_posix()}"
    named = go(workspace, path, truth, stages=["evaluate"], mode="new")
    assert named.metric("widerface.hard.ap").dataset == "synthetic"
    assert json.loads((again.folder / "results.json").read_text(encoding="utf-8"))["metrics"]


@pytest.mark.slow
def test_a_part_of_the_validation_split_is_incomplete(trained):
    workspace, _ = trained
    run = go(workspace, "data.val_limit=1", stages=["evaluate"], mode="new")
    ap = next(metric for metric in run.metrics if metric.name.startswith("widerface"))
    assert (ap.n, ap.complete) == (1, False)
    assert run.record.warnings  # one of them counts what was left out
