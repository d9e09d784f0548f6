"""What this program has open or mapped it neither replaces, renames nor removes.

Windows refuses that. Here /proc tells what is open, at each such call of a whole small workspace's
life; the vault is written as on Windows, where folders have no descriptors.
"""

import multiprocessing
import os
import sqlite3
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

from experiments.plotting import run_plots
from experiments.recipe.resolve import resolve
from experiments.records.index import Index
from experiments.records.run import Run
from experiments.running import runner
from featherface.errors import InterruptedRunError
from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import load_weights, read_state, save_weights
from vault_sync.engine.disk import folders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's /proc what is open")

TINY = {
    "model.variant": "v3-nano",
    "data.synthetic.image_size": 64,
    "data.synthetic.train_images": 4,
    "data.synthetic.val_images": 2,
    "data.synthetic.largest_face": 32,
    "train.image_size": 64,
    "train.batch_size": 2,
    "train.evaluate_every": 1,
    "train.device": "cpu",
}
TAUGHT = {
    "distill.teacher": "smoke@1",
    "distill.temporal_weight": 1.0,
    "train.views": 2,
    "train.workers": 1,
}


class Ourselves:
    """Notes each replaced, renamed or removed path that this process or a worker of it holds."""

    def __init__(self, monkeypatch):
        self.found, self.calls = [], 0
        for name in ("replace", "rename", "unlink", "remove", "rmdir"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name, real):
        both = name in ("replace", "rename")

        def call(*arguments, **more):
            ends = zip(arguments[: 1 + both], ("src_dir_fd", "dst_dir_fd"), strict=False)
            for path, key in ends:
                self._look(name, path, more.get(key if both else "dir_fd"))
            return real(*arguments, **more)

        return call

    def _look(self, name, path, folder):
        self.calls += 1
        place = Path(os.fsdecode(path))
        if folder is not None:
            place = Path(f"/proc/self/fd/{folder}").readlink() / place
        if not place.is_symlink() and (held := holding(place.resolve())):
            self.found.append((name, str(place), held, "".join(traceback.format_stack(limit=8))))


def holding(place):
    """Return the files at or below PLACE that are open or mapped."""
    inside = f"{place}/"
    return [one for one in opened() if one.startswith(inside) or (one == str(place))]


def opened():
    """Yield the paths that this process and its workers have open or mapped."""
    children = [one.pid for one in multiprocessing.active_children()]
    for process in ["self", *children]:
        folder = Path("/proc") / str(process)
        for one in (folder / "fd").iterdir():
            if one.is_symlink():  # the one that lists the folder is gone again
                target = str(one.readlink())
                if not Path(target).is_dir():
                    yield target
        for line in (folder / "maps").read_text(encoding="utf-8").splitlines():
            *_, path = line.split(maxsplit=5)
            if path.startswith("/"):
                yield path


@pytest.fixture
def ourselves(monkeypatch):
    monkeypatch.setattr(folders, "_DESCRIPTORS", False)
    with monkeypatch.context() as patched:
        yield Ourselves(patched)


def test_what_is_open_or_mapped_is_seen(tmp_path, ourselves):
    path = tmp_path / "array.npy"
    np.save(path, np.arange(3))
    with path.open("rb"):
        path.replace(tmp_path / "other")
    mapped = np.load(tmp_path / "other", mmap_mode="r")
    (tmp_path / "other").replace(path)
    tmp_path.rename(tmp_path.with_name("moved"))
    del mapped
    tmp_path.with_name("moved").rename(tmp_path)
    assert [one[0] for one in ourselves.found] == ["replace", "replace", "rename"]


def test_weights_are_replaced_after_they_were_read(tmp_path, ourselves):
    """Safetensors maps a file: what was read from it must not keep it mapped."""
    path = tmp_path / "best.safetensors"
    network = build(variant("v3-nano"), seed=1)
    save_weights(path, network)
    state, _ = read_state(path)
    load_weights(network, path, "v3-nano")
    save_weights(path, network)
    assert state
    assert ourselves.found == []


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_an_index_that_is_made_anew_is_closed_before(
    tmp_path, ourselves, content, make_run, workspace
):
    run = make_run(workspace)
    path = tmp_path / "index.sqlite"
    if content is None:
        Index(path).summaries([run])
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 99")
        database.close()
    else:
        path.write_bytes(content)
    assert [one.run for one in Index(path).summaries([run])] == [run.id]
    assert Index(path).rebuild([run]) == 1
    assert ourselves.calls
    assert ourselves.found == []


@pytest.mark.slow
def test_a_workspace_holds_nothing_that_it_replaces(thesis, workspace, ourselves, monkeypatch):
    for name in ("loss_curves", "precision_recall"):
        monkeypatch.setattr(run_plots, name, lambda *_, **__: PIXEL)
    words = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    stages = ["--stage", "train", "--stage", "evaluate"]
    taught = [word for key, value in TAUGHT.items() for word in ("--set", f"{key}={value}")]

    def call(*arguments):
        answer = thesis(*arguments, workspace=workspace)
        assert answer.code == 0, answer.err

    call("run", "smoke", *words, *stages)
    stops = iter(range(1000))
    overrides = [f"{key}={value}" for key, value in (TINY | TAUGHT).items()]
    with pytest.raises(InterruptedRunError):
        runner.run(
            workspace,
            resolve("smoke", workspace, overrides),
            stages=("train", "evaluate"),
            mode="new",
            should_stop=lambda: next(stops) > 1,
        )
    call("run", "smoke", *words, *taught, *stages, "--resume")
    call("runs", "verify")
    call("runs", "reindex")
    call("compare", "smoke@1", "smoke@2", "--to", "vault", "--force")
    call("report", "sync")
    assert Run(workspace.runs / "smoke" / "002").sealed
    assert ourselves.calls > 100
    assert ourselves.found == []


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
