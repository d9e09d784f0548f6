"""Notes that Obsidian, a scanner or a sync client holds while they are written, as on Windows."""

import errno
import json
import os

import pytest
from stand_ins.folders import contents

from featherface.errors import HeldError, UnavailableError
from featherface.filesystem import atomic
from vault_sync.commands import writing
from vault_sync.commands.sync import sync
from vault_sync.commands.undo import history, undo
from vault_sync.engine import file_write, vault_reader
from vault_sync.engine.applying import Applier
from vault_sync.engine.disk import windows
from vault_sync.engine.disk.paths import BRIEFLY, PathFolder
from vault_sync.engine.journal import read_steps
from vault_sync.engine.plans import Write
from vault_sync.engine.recovery import interrupted, recover
from vault_sync.engine.state import Bases, State

PERFORMANCE = "05-Results/Performance-Analysis.md"
BUSY = "The process cannot access the file because it is being used by another process"
pytestmark = [
    pytest.mark.usefixtures("quick_plots", "every_way"),
    pytest.mark.parametrize("every_way", ["windows", "paths"], indirect=True),
]


@pytest.fixture
def vault(tmp_path):
    folder = tmp_path / "vault"
    folder.mkdir()
    for name in ("a.md", "b.md", "c.md"):
        (folder / name).write_bytes(b"old")
    return folder


class Hold:
    """A file that a METHOD of folders is refused for, a number of TIMES."""

    def __init__(self, real, end, times):
        self.real, self.end, self.left = real, end, times
        self.attempts = []
        """How long the folder would wait at each attempt."""

    def refuse(self, folder, *names):
        if any(name.endswith(self.end) for name in names):
            self.attempts.append(folder.seconds)
            self.left -= 1
            if self.left >= 0:
                raise PermissionError(errno.EACCES, BUSY)
        return self.real(folder, *names)

    def release(self):
        self.left = 0


@pytest.fixture
def hold(monkeypatch):
    def hold(method, end, times=10**6):
        held = Hold(getattr(PathFolder, method), end, times)

        def refuse(folder, *names):
            return held.refuse(folder, *names)

        monkeypatch.setattr(PathFolder, method, refuse)
        return held

    return hold


def write(vault, state, *names):
    applier = Applier(vault, state, Bases(state))
    writes = tuple(Write(name, b"old", b"new", remember={}) for name in names)
    outcome = applier.apply(writes, State())
    applier.finish()
    return outcome


def last_step(state):
    (folder,) = (state / "journal").iterdir()
    return read_steps(folder)[-1]


def test_a_note_held_for_a_blink_is_written(vault, state, hold):
    hold("_move_out", "a.md", times=1)
    assert write(vault, state, "a.md", "b.md").written == ["a.md", "b.md"]
    assert contents(vault) == {"a.md": b"new", "b.md": b"new", "c.md": b"old"}


def test_a_note_held_for_longer_is_waited_for_once_the_others_are_written(
    vault, state, hold, hours
):
    attempts = hold("_move_out", "a.md", times=40).attempts
    outcome = write(vault, state, "a.md", "b.md", "c.md")
    assert outcome.written == ["b.md", "c.md", "a.md"]
    assert set(contents(vault).values()) == {b"new"}
    assert attempts[0] == BRIEFLY
    assert attempts[-1] > 2
    assert 2 < hours.now < 60
    assert last_step(state) == {"step": "end"}


def test_a_note_that_is_never_let_go_is_named_with_its_holder(vault, state, hold, hours):
    hold("_move_out", "a.md")
    outcome = write(vault, state, "a.md", "b.md")
    assert outcome.written == ["b.md"]
    (trouble,) = outcome.refused
    assert trouble.path == "a.md"
    assert "a.md: it is in use by OneDrive.exe (process 4242)" in trouble.reason
    assert contents(vault) == {"a.md": b"old", "b.md": b"new", "c.md": b"old"}
    assert 59 <= hours.now < 65
    assert interrupted(state, str(vault)) == []
    assert last_step(state) == {"step": "end"}


def test_what_is_held_afterwards_is_cleared_away_by_the_next_command(vault, state, hold):
    """The write is done; the old file is still open somewhere, and can't be removed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PathFolder, "remove", refuse_hidden(PathFolder.remove))
        assert write(vault, state, "a.md").written == ["a.md"]
        assert recover(state, vault, str(vault))[0].remains
    assert len(contents(vault)) > 3
    assert last_step(state)["left"] == [1]
    (vault / "a.md").write_bytes(b"student")
    assert [one.written for one in recover(state, vault, str(vault))] == [False]
    assert contents(vault) == {"a.md": b"student", "b.md": b"old", "c.md": b"old"}
    assert recover(state, vault, str(vault)) == []
    assert last_step(state) == {"step": "end", "recovered": True}


def refuse_hidden(real):
    def remove(self, name):
        if name.startswith("."):
            raise HeldError(f"can't remove {name}: it is in use")
        real(self, name)

    return remove


def test_a_name_that_can_not_be_given_back_stops_everything_and_is_given_back_later(
    vault, state, monkeypatch
):
    """The one state in which a note is missing: nothing may be planned from it."""
    with monkeypatch.context() as patched:
        patched.setattr(PathFolder, "_publish", refuse)
        if windows.kernel() is not None:
            windows.kernel().failures = [1177]
        with pytest.raises(UnavailableError, match=r"the next one gives .*a.md its content back"):
            write(vault, state, "a.md", "b.md")
        assert not (vault / "a.md").exists()
        assert b"old" in contents(vault).values()
        with pytest.raises(HeldError):
            recover(state, vault, str(vault))
    assert [one.written for one in recover(state, vault, str(vault))] == [False]
    assert contents(vault) == {"a.md": b"old", "b.md": b"old", "c.md": b"old"}


def refuse(*_):
    raise PermissionError(errno.EACCES, BUSY)


def test_a_save_that_came_out_and_a_held_note_lose_nothing(vault, state, hold, monkeypatch):
    """The student saves between comparison and exchange; giving it back is refused for a while."""
    seen = []

    def save(name):
        if name == "compared" and not seen:
            seen.append(name)
            (vault / "a.md").write_bytes(b"student")
        if name == "exchanged":
            hold("_move_out", "a.md", times=3)

    monkeypatch.setattr(file_write, "step", save)
    assert write(vault, state, "a.md").changed == ["a.md"]
    assert contents(vault) == {"a.md": b"student", "b.md": b"old", "c.md": b"old"}


def test_a_sync_names_the_held_note_and_writes_the_others(changed, hold):
    workspace, before, after = changed
    held = hold("_move_out", "Performance-Analysis.md")
    report = sync(workspace)
    assert report.refused == [PERFORMANCE]
    assert "in use by OneDrive.exe" in report.reasons[0]
    assert contents(workspace.vault) == {**after, PERFORMANCE: before[PERFORMANCE]}
    held.release()
    assert sync(workspace).written == [PERFORMANCE]
    assert contents(workspace.vault) == after


def test_what_was_written_with_a_stray_left_can_be_undone(changed, monkeypatch):
    workspace, before, _ = changed
    with monkeypatch.context() as patched:
        patched.setattr(PathFolder, "remove", refuse_hidden(PathFolder.remove))
        report = sync(workspace)
    assert report.problem is None
    assert undo(workspace).problem is None
    assert contents(workspace.vault) == before
    assert [one.what for one in history(workspace)][-1] == "report sync"
    memory = json.loads((workspace.state / "vault.json").read_text(encoding="utf-8"))
    assert "v3@1" not in json.dumps(memory["notes"])


def test_a_write_whose_folder_was_moved_is_found_again(vault, state, monkeypatch):
    """The student renames the folder just then, and the program ends before it can clear up."""
    (vault / "sub").mkdir()
    (vault / "a.md").rename(vault / "sub" / "a.md")

    def end(name):
        if name == "exchanged":
            (vault / "sub").rename(vault / "Été")
            raise KeyboardInterrupt

    monkeypatch.setattr(file_write, "step", end)
    monkeypatch.setattr(file_write.FileWrite, "_settle", lambda *_: False)
    with pytest.raises(KeyboardInterrupt):
        write(vault, state, "sub/a.md")
    assert [one.written for one in recover(state, vault, str(vault))] == [True]
    assert contents(vault) == {"Été/a.md": b"new", "b.md": b"old", "c.md": b"old"}


@pytest.fixture
def unreadable(monkeypatch):
    """Let nobody read one file, until the test lets go."""
    held = []
    real = vault_reader._content

    def read(path):
        if any(path.endswith(end) for end in held):
            raise PermissionError(errno.EACCES, BUSY)
        return real(path)

    monkeypatch.setattr(vault_reader, "_content", read)
    return held


def test_a_note_that_nobody_may_read_is_named_and_not_made_again(changed, unreadable):
    workspace, before, after = changed
    unreadable.append("Performance-Analysis.md")
    report = sync(workspace)
    assert report.refused == [PERFORMANCE]
    assert "can't read" in report.reasons[0]
    assert "in use by OneDrive.exe" in report.reasons[0]
    assert contents(workspace.vault)[PERFORMANCE] == before[PERFORMANCE]
    unreadable.clear()
    assert sync(workspace).problem is None
    assert contents(workspace.vault) == after


def test_a_cache_that_is_held_costs_a_drawing_and_no_sync(thesis, make_run, monkeypatch):
    workspace = thesis()
    make_run(workspace, "v3", variant="v2")

    def held(path, *_, **__):
        raise HeldError(f"can't write {path}: it is in use")

    real = atomic.replacing
    with monkeypatch.context() as patched:
        patched.setattr(
            atomic,
            "replacing",
            lambda path, **more: held(path) if "cache" in path.parts else real(path, **more),
        )
        report = sync(workspace)
    assert report.problem is None
    assert "05-Results/Runs/v3@1.md" in report.written
    assert sync(workspace).written == []


def test_a_folder_with_an_icon_of_its_own_is_no_read_only_vault(vault, monkeypatch):
    """Windows marks such folders, the desktop and OneDrive among them, as read-only."""
    vault.chmod(0o555)
    monkeypatch.setattr(writing, "os", Windows())
    writing.check_writable(vault)
    monkeypatch.undo()
    if os.name != "nt":
        with pytest.raises(UnavailableError, match="read-only"):
            writing.check_writable(vault)
    vault.chmod(0o755)


class Windows:
    """The os module, as far as it says where it is."""

    name = "nt"

    def __getattr__(self, name):
        return getattr(os, name)
