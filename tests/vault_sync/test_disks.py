"""Full disks, failing disks, and files that another program holds, through real syncs."""

import errno
import os
import shutil
import signal
import subprocess
import sys

import pytest

from experiments.workspace import Workspace
from featherface import files
from featherface.errors import UnavailableError
from vault_sync.engine import folders, passage
from vault_sync.engine.folders import Folder
from vault_sync.sync import sync

pytestmark = pytest.mark.usefixtures("quick_plots")

PERFORMANCE = "05-Results/Performance-Analysis.md"
BUSY = "The process cannot access the file because it is being used by another process"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_old_or_new(workspace, before, after):
    """Each file is whole: as it was, or as it should become; and nothing else is there."""
    for path, data in contents(workspace.vault).items():
        assert data in (before.get(path), after.get(path)), path


@pytest.fixture
def changed(thesis, make_run, tmp_path):
    """A vault with work to do: the workspace, its vault before, and the vault as it shall be."""
    workspace = thesis()
    before = contents(workspace.vault)
    make_run(workspace, "v3", variant="v2")
    other = Workspace.open(shutil.copytree(workspace.root, tmp_path / "other" / "en"))
    sync(other)
    drawn = workspace.state / "cache" / "figures"
    shutil.copytree(other.state / "cache" / "figures", drawn, dirs_exist_ok=True)
    return workspace, before, contents(other.vault)


def attempt(workspace):
    """Sync, and return what the student is told."""
    try:
        return " ".join(sync(workspace).reasons)
    except UnavailableError as error:
        return error.message


class Windows:
    """The os module, as it answers on Windows while a program has TARGET open."""

    name = "nt"

    def __init__(self, target, refusals):
        self.target = target
        self.refusals = refusals

    def __getattr__(self, name):
        return getattr(os, name)

    def replace(self, source, target):
        if str(target).endswith(self.target) and self.refusals > 0:
            self.refusals -= 1
            raise PermissionError(errno.EACCES, BUSY, str(source), 32, str(target))
        os.replace(source, target)  # noqa: PTH105 - what it stands for


@pytest.fixture
def windows(monkeypatch):
    """Hold the performance chapter open, for a number of attempts."""

    def hold(refusals):
        monkeypatch.setattr(folders, "_DESCRIPTORS", False)
        monkeypatch.setattr(files, "os", Windows("Performance-Analysis.md", refusals))

    yield hold
    monkeypatch.undo()


def test_a_note_that_is_in_use_for_a_moment_is_written(changed, windows):
    workspace, _, after = changed
    windows(3)
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after


def test_a_note_that_stays_in_use_is_named_and_the_others_go_on(changed, windows, monkeypatch):
    workspace, before, after = changed
    windows(10**6)
    report = sync(workspace)
    assert report.refused == [PERFORMANCE]
    assert "in use by OneDrive" in report.reasons[0]
    assert contents(workspace.vault) == {**after, PERFORMANCE: before[PERFORMANCE]}
    monkeypatch.undo()
    assert sync(workspace).written == [PERFORMANCE]
    assert contents(workspace.vault) == after


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("method", ["create", "exchange", "publish", "read", "sync", "remove"])
def test_a_disk_that_fails_once_leaves_whole_files(changed, monkeypatch, code, method):
    workspace, before, after = changed
    real = getattr(Folder, method)
    calls = []

    def fail(self, *args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise OSError(code, os.strerror(code))
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Folder, method, fail)
        told = attempt(workspace)
    assert len(calls) > 1
    assert os.strerror(code) in told
    check_old_or_new(workspace, before, after)
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after
    assert sync(workspace).written == []


@pytest.mark.slow
@pytest.mark.parametrize("step", ["read", "journalled", "temporary", "compared", "swapped", "done"])
def test_a_memory_that_can_not_be_written_leaves_whole_files(changed, monkeypatch, step):
    """The workspace's disk is full, not the vault's: the journal itself can't grow."""
    workspace, before, after = changed
    real = os.fsync
    full = []

    def fsync(descriptor):
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(passage, "step", lambda name: full.append(name) if name == step else None)
        patched.setattr("vault_sync.engine.journal.os.fsync", fsync)
        with pytest.raises(UnavailableError):
            sync(workspace)
    check_old_or_new(workspace, before, after)
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after


@pytest.mark.external
@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk, as Linux does it")
def test_a_vault_on_a_disk_that_is_really_full(changed):
    workspace, before, after = changed
    size = sum(len(data) for data in before.values()) + 4096 * 2 * len(before)
    disk = workspace.root / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this user can't mount a small disk")
    try:
        vault = disk / "vault"
        shutil.copytree(workspace.vault, vault)
        shutil.rmtree(workspace.vault)
        config = workspace.root / "thesis.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace('vault = "vault"', 'vault = "disk/vault"'), encoding="utf-8")
        small = Workspace.open(workspace.root)
        filler = disk / "filler"
        free = shutil.disk_usage(disk).free
        filler.write_bytes(b"x" * free)
        with pytest.raises(UnavailableError, match="No space left"):
            sync(small)
        found = contents(vault)
        assert all(data in (before.get(path), after.get(path)) for path, data in found.items())
        assert found == before
        filler.unlink()
        config.write_text(text.replace('vault = "vault"', 'vault = "disk/vault"'), encoding="utf-8")
        sync(small)
        assert contents(vault) == after
    finally:
        subprocess.run(["umount", str(disk)], check=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from experiments.workspace import Workspace
from vault_sync.engine import passage
from vault_sync.sync import sync

seen = []
def kill(name):
    seen.append(name)
    if name == sys.argv[2] and seen.count(name) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

passage.step = kill
sync(Workspace.open(Path(sys.argv[1])))
"""
STEPS = ("locked", "read", "journalled", "temporary", "compared", "exchanged", "swapped", "synced",
         "done")  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("step", STEPS)
def test_a_sync_killed_at_any_step_is_completed_by_the_next(changed, step):
    workspace, before, after = changed
    command = [sys.executable, "-c", KILLED, workspace.root, step, "2"]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    left = contents(workspace.vault)
    hidden = {path for path in left if path.rsplit("/", 1)[-1].startswith(".")}
    assert len(hidden) <= 1
    for path in set(left) - hidden:
        assert left[path] in (before.get(path), after.get(path))
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after
    assert sync(workspace).written == []
