"""Full disks, failing disks, and files that another program holds, through real syncs."""

import errno
import os
import shutil
import signal
import subprocess
import sys

import pytest
from stand_ins.folders import contents
from stand_ins.one_note import STEPS

from experiments.workspace.workspace import Workspace
from featherface.errors import UnavailableError
from vault_sync.commands.sync import sync
from vault_sync.engine import file_write

pytestmark = pytest.mark.usefixtures("quick_plots", "both_ways")

PERFORMANCE = "05-Results/Performance-Analysis.md"


def check_old_or_new(workspace, before, after):
    """Each file is whole: as it was, or as it should become; and nothing else is there."""
    for path, data in contents(workspace.vault).items():
        assert data in (before.get(path), after.get(path)), path


def attempt(workspace):
    """Sync, and return what the student is told."""
    try:
        return " ".join(sync(workspace).reasons)
    except UnavailableError as error:
        return error.message


CODES = (errno.ENOSPC, errno.EIO, errno.EACCES)
METHODS = ("create", "exchange", "publish", "read", "sync", "remove")
FAILURES = [
    *(("descriptors", method, code) for method in METHODS for code in CODES),
    *(("windows", method, errno.EIO) for method in ("exchange", "publish", "remove")),
    ("windows", "exchange", errno.EACCES),
]


@pytest.mark.slow
@pytest.mark.parametrize(("both_ways", "method", "code"), FAILURES, indirect=["both_ways"])
def test_a_disk_that_fails_once_leaves_whole_files(changed, monkeypatch, both_ways, code, method):
    workspace, before, after = changed
    real = getattr(both_ways, method)
    calls = []

    def fail(self, *args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise OSError(code, os.strerror(code))
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(both_ways, method, fail)
        told = attempt(workspace)
    assert len(calls) > 1
    in_place = method in ("sync", "remove") and code == errno.EACCES  # and nothing else is amiss
    assert (os.strerror(code) in told) != in_place
    check_old_or_new(workspace, before, after)
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after
    assert sync(workspace).written == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("both_ways", "step"),
    [
        *(("descriptors", step) for step in ("read", "journalled", "temporary", "compared")),
        *((way, step) for way in ("descriptors", "windows") for step in ("swapped", "done")),
    ],
    indirect=["both_ways"],
)
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
        patched.setattr(
            file_write, "step", lambda name: full.append(name) if name == step else None
        )
        patched.setattr("vault_sync.engine.journal.os.fsync", fsync)
        with pytest.raises(UnavailableError):
            sync(workspace)
    check_old_or_new(workspace, before, after)
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after


@pytest.mark.external
@pytest.mark.parametrize("both_ways", ["descriptors"], indirect=True)
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
from experiments.workspace.workspace import Workspace
from vault_sync.engine import file_write
from vault_sync.engine.disk import folder
from vault_sync.commands.sync import sync

seen = []
def kill(name):
    seen.append(name)
    if name == sys.argv[2] and seen.count(name) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

file_write.step = kill
folder.between = lambda: kill("between")
sync(Workspace.open(Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize(
    ("both_ways", "step"),
    [*(("descriptors", step) for step in STEPS), ("windows", "between"), ("windows", "exchanged")],
    indirect=["both_ways"],
)
def test_a_sync_killed_at_any_step_is_completed_by_the_next(changed, this_way, step):
    workspace, before, after = changed
    command = [sys.executable, "-c", this_way() + KILLED, workspace.root, step, "2"]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    left = contents(workspace.vault)
    hidden = {path for path in left if path.rsplit("/", 1)[-1].startswith(".")}
    assert len(hidden) <= 2
    for path in set(left) - hidden:
        assert left[path] in (before.get(path), after.get(path))
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after
    assert sync(workspace).written == []
