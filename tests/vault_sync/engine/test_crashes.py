"""A crash at any step of a write, and what the next command makes of what it left."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from stand_ins.one_note import NEW, OLD, STEPS, strays

from vault_sync.engine import file_write
from vault_sync.engine.applying import Applier
from vault_sync.engine.disk import folder
from vault_sync.engine.plans import Write
from vault_sync.engine.recovery import recover
from vault_sync.engine.state import Bases, State

KILLED = """
import os, signal, sys
from pathlib import Path
from vault_sync.engine import file_write
from vault_sync.engine.disk import folder
from vault_sync.engine.applying import Applier
from vault_sync.engine.plans import Write
from vault_sync.engine.state import Bases, State

vault, state, step, before = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]

def kill(name):
    if name == step:
        os.kill(os.getpid(), signal.SIGKILL)

file_write.step = kill
folder.between = lambda: kill("between")
old = b"old " * 500
write = Write("sub/note.md", old, b"new " * 700, "n", {"b": b"new"})
if before == "other.md":
    write = Write("sub/other.md", None, b"new " * 700, "n", {"b": b"new"})
Applier(vault, state, Bases(state)).apply((write,), State())
"""


def check_recovery(vault, state, name):
    """Whatever a crash left, recovery makes it the old file or the new one, and says which."""
    path = vault / "sub" / name
    left = path.read_bytes() if path.exists() else None
    old = OLD if name == "note.md" else None
    assert left in (OLD, NEW, None)
    hidden = {stray.read_bytes() for stray in strays(vault)}
    assert left in (old, NEW) or OLD in hidden
    recovered = recover(state, vault, str(vault))
    assert strays(vault) == []
    now = path.read_bytes() if path.exists() else None
    assert now == (old if left is None else left)
    assert [one.written for one in recovered] in ([], [now == NEW])
    assert recover(state, vault, str(vault)) == []
    assert path.stat().st_nlink == 1 if path.exists() else True


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("every_way", ["descriptors"], indirect=True)
@pytest.mark.parametrize("name", ["note.md", "other.md"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_is_recovered(vault, state, every_way, this_way, step, name):
    kill(vault, state, step, name, this_way())
    check_recovery(vault, state, name)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("every_way", ["paths"], indirect=True)
@pytest.mark.parametrize("step", ["temporary", "between", "exchanged"])
def test_so_it_is_where_folders_are_known_by_paths(vault, state, every_way, this_way, step):
    kill(vault, state, step, "note.md", this_way())
    check_recovery(vault, state, "note.md")


def kill(vault, state, step, name, way):
    done = subprocess.run(
        [sys.executable, "-c", way + KILLED, vault, state, step, name], check=False
    )
    quiet = name == "other.md" and step in ("compared", "exchanged")  # nothing was there before
    assert done.returncode == (0 if quiet else -signal.SIGKILL)


class Crash(BaseException):
    """The end of the program, of which nothing in it hears."""


@pytest.mark.usefixtures("every_way")
@pytest.mark.parametrize("name", ["note.md", "other.md"])
@pytest.mark.parametrize("step", [*STEPS, "between"])
def test_a_crash_at_any_step_is_recovered(vault, state, monkeypatch, step, name):
    def crash(now):
        if now == step:
            raise Crash

    monkeypatch.setattr(file_write, "step", crash)
    monkeypatch.setattr(folder, "between", lambda: crash("between"))
    monkeypatch.setattr(file_write.FileWrite, "_settle", lambda *_: None)
    before = OLD if name == "note.md" else None
    write = Write(f"sub/{name}", before, NEW, "n", {"b": b"new"})
    with contextlib.suppress(Crash):
        Applier(vault, state, Bases(state)).apply((write,), State())
    check_recovery(vault, state, name)


@pytest.mark.usefixtures("every_way")
@pytest.mark.parametrize("name", ["note.md", "other.md"])
def test_a_crash_in_the_middle_of_the_temporary_file_leaves_nothing_of_it(
    vault, state, monkeypatch, name
):
    """What is half-written is no save of the student's, and is not kept as one."""
    real = folder.Folder.create

    def create(self, temporary, data, mode=None):
        real(self, temporary, data[: len(data) // 2], mode)
        raise Crash

    monkeypatch.setattr(folder.Folder, "create", create)
    monkeypatch.setattr(file_write.FileWrite, "_settle", lambda *_: None)
    before = OLD if name == "note.md" else None
    with contextlib.suppress(Crash):
        Applier(vault, state, Bases(state)).apply(
            (Write(f"sub/{name}", before, NEW, "n", {"b": b"new"}),), State()
        )
    assert len(strays(vault)) == 1
    check_recovery(vault, state, name)
    assert [path for path in (state / "conflicts").rglob("*") if path.is_file()] == []
