"""Every file that a run writes, held by another program: for a moment, and for ever.

The list of files is checked against what a run really writes, so that a new one can't be
forgotten. Waiting takes no time here (see `hours`).
"""

import builtins
import errno
import io
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from experiments.plotting import run_plots
from experiments.recipe.resolve import resolve
from experiments.records.record import Git
from experiments.records.seal import verify
from experiments.records.source_patch import SourceState
from experiments.records.store import Store
from experiments.running import execution, runner
from experiments.workspace.workspace import Workspace
from featherface.errors import HeldError
from featherface.weights.checkpoints import read_state

pytestmark = pytest.mark.usefixtures("probed_once")
TINY = [
    "model.variant=v3-nano",
    "data.synthetic.image_size=64",
    "data.synthetic.train_images=4",
    "data.synthetic.val_images=2",
    "data.synthetic.largest_face=32",
    "train.image_size=64",
    "train.batch_size=4",
    "train.device=cpu",
    "train.workers=0",
]
FOR_EVER = 10**9


class Others:
    """The other programs of a Windows machine: they hold files, and what they hold is refused.

    Patches what the standard library calls; `seen` lists every (operation, file) inside ROOT.
    """

    def __init__(self, monkeypatch, root):
        self.root, self.refuse, self.spare, self.seen = str(root), {}, {}, []
        for name in ("replace", "rename"):
            monkeypatch.setattr(os, name, self._renaming(name, getattr(os, name)))
        for name in ("unlink", "remove", "rmdir", "mkdir"):
            monkeypatch.setattr(os, name, self._alone(name, getattr(os, name)))
        opening = self._opening(io.open)
        monkeypatch.setattr(io, "open", opening)
        monkeypatch.setattr(builtins, "open", opening)

    def hold(self, operation, name, attempts=FOR_EVER, after=0):
        """Refuse ATTEMPTS of OPERATION on the file NAME, once AFTER have been let through."""
        self.refuse[operation, name], self.spare[operation, name] = attempts, after

    def release(self):
        self.refuse.clear()

    def _meet(self, operation, path):
        if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(self.root):
            return
        place = Path(os.fspath(path))
        if place.name.endswith(".tmp"):
            return
        key = operation, self.kind(place)
        self.seen.append(key)
        left = self.refuse.get(key, 0)
        if left and self.seen.count(key) > self.spare[key]:
            self.refuse[key] = left - 1
            raise PermissionError(errno.EACCES, "used by another process", str(path))

    def kind(self, place):
        """Name a file inside the run's folder, else by its own name."""
        parts = place.relative_to(self.root).parts
        inside = "/".join(parts[3:]) if parts[0] == "runs" and len(parts) > 3 else place.name
        return re.sub(r"\d+--.*", "PICTURE" + place.suffix, inside) if "--" in inside else inside

    def _renaming(self, name, real):
        def call(source, target, **more):
            self._meet(name, target)
            return real(source, target, **more)

        return call

    def _alone(self, name, real):
        def call(path, *rest, **more):
            self._meet("unlink" if name == "remove" else name, path)
            return real(path, *rest, **more)

        return call

    def _opening(self, real):
        def call(file, mode="r", *rest, **more):
            self._meet("append" if set(mode) & set("wax+") else "read", file)
            return real(file, mode, *rest, **more)

        return call


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A workspace whose pictures are drawn, to be copied."""
    workspace = Workspace.create(tmp_path_factory.mktemp("drawn") / "thesis")
    with pytest.MonkeyPatch.context() as patch:
        disguise(patch)
        run = go(workspace)
    assert verify(run.folder) == []
    return workspace, run


def disguise(patch):
    """Draw no plots, which take most of the time, and have a change to keep."""
    source = SourceState(git=Git(commit="0" * 40), patch="a change")
    patch.setattr(execution, "code_state", lambda *_: source)
    for name in ("loss_curves", "precision_recall"):
        patch.setattr(run_plots, name, lambda *_, **__: b"a picture")


def go(workspace, **options):
    resolved = resolve("smoke", workspace, TINY)
    return runner.run(workspace, resolved, stages=("train", "evaluate"), **options)


@pytest.fixture
def workspace(drawn, tmp_path, monkeypatch):
    """A workspace without a run, its pictures drawn."""
    disguise(monkeypatch)
    root = shutil.copytree(drawn[0].root, tmp_path / "thesis")
    shutil.rmtree(root / "runs" / "smoke")
    (root / ".thesis" / "ledger.jsonl").unlink()
    return Workspace.open(root)


@pytest.fixture
def others(workspace, monkeypatch):
    with monkeypatch.context() as patch:
        yield Others(patch, workspace.root)


WRITTEN = {
    ("replace", "recipe.yaml"),
    ("replace", "environment.txt"),
    ("replace", "source.patch"),
    ("replace", "code.json"),
    ("replace", "record.json"),
    ("replace", "data.json"),
    ("append", "metrics.jsonl"),
    ("replace", "checkpoints/last.safetensors"),
    ("replace", "checkpoints/best.safetensors"),
    ("replace", "results.json"),
    ("replace", "predictions/predictions.json"),
    ("replace", "predictions/PICTURE.landmarks"),
    ("replace", "predictions/PICTURE.txt"),
    ("replace", "matches.npz"),
    ("replace", "plots/loss_curves.png"),
    ("replace", "plots/precision_recall.png"),
    ("replace", "SEAL.json"),
}
"""What a run can't be sealed without."""
SPARED = {
    ("replace", "heartbeat.json"),
    ("replace", "probes.json"),
    ("unlink", "heartbeat.json"),
    ("append", "log.txt"),
    ("append", "ledger.jsonl"),
    ("replace", "metrics.csv"),
    ("replace", "checkpoints/state.pt"),
    ("unlink", "checkpoints/state.pt"),
}
"""What a run goes on without."""
READ = {
    name for operation, name in WRITTEN | SPARED if operation != "unlink" and "json" in name
} - {
    *("heartbeat.json", "probes.json", "SEAL.json", "predictions/predictions.json"),
    "ledger.jsonl",
}
"""What is read again, besides being sealed: results read as empty would be lost."""


@pytest.mark.slow
def test_the_files_here_are_those_that_a_run_writes(workspace, others):
    go(workspace)
    inside = workspace.runs / "smoke" / "001"
    names = {path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file()}
    assert {others.kind(inside / name) for name in names} <= {name for _, name in WRITTEN | SPARED}
    met = {one for one in others.seen if one[0] in ("replace", "append", "unlink", "rename")}
    assert met == WRITTEN | SPARED
    assert {("read", name) for name in READ} <= set(others.seen)


def same(run, reference):
    """Check that RUN is sealed and came to what the undisturbed one came to."""
    assert (run.id, run.status, verify(run.folder)) == ("smoke@1", "sealed", [])
    assert [(one.name, one.value) for one in run.metrics] == [
        (one.name, one.value) for one in reference.metrics
    ]
    for name in ("best", "last"):
        found, wanted = weights(run, name), weights(reference, name)
        assert list(found) == list(wanted)
        assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    assert events(run) == events(reference)


def weights(run, name):
    return read_state(run.folder / "checkpoints" / f"{name}.safetensors")[0]


def events(run):
    clocked = ("seconds", "loading")
    return [{key: one[key] for key in one if key not in clocked} for one in run.events()]


def test_held_for_a_moment_each_file_is_waited_for(workspace, others, drawn, hours):
    for operation, name in WRITTEN | SPARED | {("read", name) for name in READ}:
        others.hold(operation, name, attempts=4)
    said = []
    run = go(workspace, on_message=said.append)
    same(run, drawn[1])
    assert set(others.refuse.values()) == {0}
    assert hours.now > 0
    assert run.record.warnings == drawn[1].record.warnings
    assert not [line for line in said if "in use" in line]


@pytest.mark.parametrize(("operation", "name"), sorted(SPARED))
def test_held_for_ever_the_run_is_sealed_without_it(workspace, others, drawn, operation, name):
    others.hold(operation, name)
    said = []
    run = go(workspace, on_message=said.append)
    same(run, drawn[1])
    told = [line for line in said if "in use by OneDrive.exe" in line]
    assert told or name == "heartbeat.json"
    assert len(told) == len(set(told))


AGAIN = {
    "record.json",
    "data.json",
    "metrics.jsonl",
    "results.json",
    "checkpoints/last.safetensors",
}
"""What is written or read more than once: the last time is another story than the first."""
CASES = sorted(
    {(*one, "first") for one in WRITTEN}
    | {(*one, "last") for one in WRITTEN if one[1] in AGAIN}
    | {("read", name, "last" if name in AGAIN else "first") for name in READ}
)


@pytest.fixture(scope="module")
def counts(drawn, tmp_path_factory):
    """How often an undisturbed run does each operation."""
    root = shutil.copytree(drawn[0].root, tmp_path_factory.mktemp("counted") / "thesis")
    shutil.rmtree(root / "runs" / "smoke")
    (root / ".thesis" / "ledger.jsonl").unlink()
    with pytest.MonkeyPatch.context() as patch:
        disguise(patch)
        seen = Others(patch, root).seen
        go(Workspace.open(root))
    return Counter(seen)


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "name", "at"), CASES)
def test_held_for_ever_the_run_is_refused_and_gone_on_with(
    workspace, others, drawn, counts, operation, name, at
):
    assert at == "first" or counts[operation, name] > 1
    others.hold(operation, name, after=0 if at == "first" else counts[operation, name] - 1)
    fault = attempt(workspace)
    if fault is not None:
        assert Path(name).suffix in fault.message
        assert "in use by OneDrive.exe" in fault.message
        assert fault.hint.endswith("then: thesis run smoke --resume")
        assert "space" not in fault.hint
        assert not any(run.sealed for run in Store(workspace).runs())
        others.release()
        assert attempt(workspace) is None
    run = Store(workspace).find("smoke")
    same(run, drawn[1])
    assert len(run.record.attempts) <= 2
    assert fault is not None or "record.json" in name


def attempt(workspace):
    try:
        go(workspace)
    except HeldError as error:
        return error
    return None
