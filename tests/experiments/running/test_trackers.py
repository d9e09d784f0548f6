"""Trackers are off by default, offline when on, and hold a run's attempts together."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.recipe.resolve import resolve
from experiments.running import runner, trackers
from experiments.workspace.settings import SETTINGS
from experiments.workspace.workspace import Workspace
from featherface.errors import UnavailableError

LEAN = [
    "claims.checking",
    "claims.predicates",
    "comparison.compare",
    "metrics",
    "recipe.model",
    "recipe.resolve",
    "records.annotations",
    "records.heartbeat",
    "records.index",
    "records.provenance",
    "records.record",
    "records.seal",
    "records.store",
    "records.writer",
    "running.trackers",
    "schema",
    "staleness.changes",
    "wording.numbers",
    "wording.phrases",
    "wording.tables",
    "workspace.milestones",
    "workspace.settings",
    "workspace.workspace",
    "yaml_io",
]


def test_settings_offer_every_tracker():
    assert set(SETTINGS["tracking.backend"].choices) == set(trackers.TRACKERS)


def test_nobody_is_told_by_default(workspace, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    tracker = trackers.start(workspace, "smoke@1", resolve("smoke"))
    tracker.log({"kind": "step", "loss": 1.0})
    tracker.finish("finished")


class FakeRun:
    def __init__(self, **options):
        self.options, self.logged, self.summary, self.code = options, [], {}, None

    def log(self, numbers, step):
        self.logged.append((step, numbers))

    def finish(self, exit_code):
        self.code = exit_code


def test_wandb_is_offline_and_groups_attempts(workspace, monkeypatch):
    made = []

    def init(**options):
        made.append(FakeRun(**options))
        return made[-1]

    fake = SimpleNamespace(init=init, Settings=lambda **options: options)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    path = workspace.root / "thesis.toml"
    path.write_text('[tracking]\nbackend = "wandb"\n', encoding="utf-8")
    opened = Workspace.open(workspace.root)
    for outcome in ("interrupted", "finished"):
        tracker = trackers.start(opened, "smoke@1", resolve("smoke"))
        tracker.log({"kind": "step", "event": 3, "step": 7, "loss": 1.5})
        tracker.finish(outcome)
    assert [run.options["mode"] for run in made] == ["offline", "offline"]
    assert {run.options["group"] for run in made} == {"smoke@1"}
    assert made[0].logged == [(7, {"step/loss": 1.5})]
    assert [run.code for run in made] == [1, 0]


def with_tracker(workspace, name):
    path = workspace.root / "thesis.toml"
    path.write_text(f'[tracking]\nbackend = "{name}"\n', encoding="utf-8")
    return Workspace.open(workspace.root)


def test_tensorboard_reads_all_attempts_as_one_run(workspace):
    opened = with_tracker(workspace, "tensorboard")
    for attempt, steps in enumerate(([1, 2, 3], [2, 3, 4])):  # killed after 3, resumed after 1
        tracker = trackers.start(opened, "smoke@1", resolve("smoke"))
        for step in steps:
            tracker.log(
                {"kind": "step", "event": step, "step": step, "loss": 10.0 * attempt + step}
            )
        tracker.finish("finished")
    found = EventAccumulator(str(opened.state / "tensorboard" / "smoke@1"))
    found.Reload()
    told = [(one.step, one.value) for one in found.Scalars("step/loss")]
    assert told == [(1, 1.0), (2, 12.0), (3, 13.0), (4, 14.0)]
    assert found.Tags()["tensors"] == ["recipe/text_summary"]


@pytest.mark.parametrize("name", trackers.INSTALL)
def test_a_tracker_that_is_not_installed_is_told_before_anything_is_written(
    workspace, monkeypatch, name
):
    monkeypatch.setitem(sys.modules, name, None)
    opened = with_tracker(workspace, name)
    with pytest.raises(UnavailableError, match=f"{name} is not installed") as caught:
        runner.run(opened, resolve("smoke"))
    assert caught.value.hint.startswith(trackers.INSTALL[name])
    assert not list(opened.runs.rglob("*"))


def test_lean_modules_load_nothing_heavy():
    names = ", ".join(f"experiments.{name}" for name in LEAN)
    heavy = [
        "torch",
        "numpy",
        "pandas",
        "matplotlib",
        "jinja2",
        "scipy",
        "onnxruntime",
        "wandb",
        "ruamel.yaml",
    ]
    code = f"import sys, {names}; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "[]"


def test_a_tracker_that_fails_is_told_of_once_and_left_alone():
    class Broken:
        calls = 0

        def log(self, event):
            self.calls += 1
            raise ConnectionError(f"no network for {event['kind']}")

        finish = log

    broken, told = Broken(), []
    tracker = trackers.TolerantTracker(broken, told.append)
    for _ in range(3):
        tracker.log({"kind": "step"})
    tracker.finish("finished")
    assert broken.calls == 1
    assert told == ["tracking stopped, the run goes on: ConnectionError: no network for step"]
