import contextlib
import errno
import os
import threading
import time
from functools import partial

import pytest
from stand_ins.one_note import NEW, OLD, STEPS, strays

from featherface.errors import UnavailableError
from vault_sync.engine import file_write
from vault_sync.engine.applying import Applier
from vault_sync.engine.plans import Write
from vault_sync.engine.recovery import recover
from vault_sync.engine.state import Bases, State

pytestmark = pytest.mark.usefixtures("every_way")


def change(**changes) -> Write:
    values = {
        "path": "sub/note.md",
        "before": OLD,
        "after": NEW,
        "note": "n",
        "bodies": {"b": b"new"},
    }
    return Write(**values | changes)


def apply(vault, state, *writes):
    applier = Applier(vault, state, Bases(state))
    outcome = applier.apply(writes, State())
    applier.finish()
    return outcome


def test_a_write_replaces_the_file_and_keeps_its_mode(vault, state):
    (vault / "sub" / "note.md").chmod(0o640)
    outcome = apply(vault, state, change())
    assert outcome.written == ["sub/note.md"]
    assert (vault / "sub" / "note.md").read_bytes() == NEW
    if os.name != "nt":  # Windows has no such rights
        assert (vault / "sub" / "note.md").stat().st_mode & 0o777 == 0o640
    assert outcome.state.notes == {"n": "sub/note.md"}
    assert (
        Bases(state).find("11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437")
        == b"new"
    )
    (image,) = state.glob("journal/*/*.before")
    assert image.read_bytes() == OLD


def test_a_new_file_gets_its_folders_and_never_replaces_another(vault, state):
    assert apply(vault, state, change(path="a/b/c.md", before=None)).written == ["a/b/c.md"]
    assert (vault / "a" / "b" / "c.md").read_bytes() == NEW
    outcome = apply(vault, state, change(path="sub/note.md", before=None))
    assert (outcome.written, outcome.changed) == ([], ["sub/note.md"])
    assert (vault / "sub" / "note.md").read_bytes() == OLD
    assert strays(vault) == []


def test_a_file_saved_since_the_plan_is_left_alone(vault, state, monkeypatch):
    steps = []
    monkeypatch.setattr(file_write, "step", steps.append)
    (vault / "sub" / "note.md").write_bytes(b"student")
    assert apply(vault, state, change()).changed == ["sub/note.md"]
    assert (vault / "sub" / "note.md").read_bytes() == b"student"
    assert "exchanged" not in steps  # not for a moment was another content there
    assert list((state / "journal").glob("*")) == []


@pytest.mark.parametrize("step", STEPS)
def test_an_error_at_any_step_leaves_the_old_or_the_new_file(vault, state, monkeypatch, step):
    def fail(name):
        if name == step:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_write, "step", fail)
    with pytest.raises(UnavailableError, match="No space left"):
        apply(vault, state, change())
    assert (vault / "sub" / "note.md").read_bytes() in (OLD, NEW)
    assert strays(vault) == []
    recover(state, vault, str(vault))
    assert strays(vault) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("method", ["create", "exchange", "read", "sync", "remove", "mode"])
def test_a_failing_disk_leaves_the_old_or_the_new_file(
    vault, state, monkeypatch, every_way, code, method
):
    real = getattr(every_way, method)
    calls = []

    def fail(self, *args, **kwargs):
        calls.append(args)
        if len(calls) == 1:
            raise OSError(code, os.strerror(code))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(every_way, method, fail)
    try:
        outcome = apply(vault, state, change())
        assert code == errno.EACCES or outcome.written
        told = [*outcome.written, *(trouble.path for trouble in outcome.refused)]
        assert told == ["sub/note.md"]
        assert not outcome.written or (vault / "sub" / "note.md").read_bytes() == NEW
    except UnavailableError:
        assert code != errno.EACCES
    assert (vault / "sub" / "note.md").read_bytes() in (OLD, NEW)
    assert strays(vault) == []


def test_a_save_just_before_a_crash_is_given_back(vault, state, monkeypatch):
    path = vault / "sub" / "note.md"

    def save_then_crash(name):
        if name == "compared":
            path.write_bytes(b"student")
        if name == "exchanged":
            raise KeyboardInterrupt

    monkeypatch.setattr(file_write, "step", save_then_crash)
    with pytest.raises(KeyboardInterrupt):
        apply(vault, state, change())
    assert path.read_bytes() == b"student"
    assert strays(vault) == []


@pytest.mark.parametrize("step", ["locked", "read", "journalled", "temporary", "compared"])
def test_a_save_between_two_steps_is_kept(vault, state, monkeypatch, step):
    path = vault / "sub" / "note.md"
    steps = []

    def save(name):
        steps.append(name)
        if name == step:
            path.write_bytes(b"student")

    monkeypatch.setattr(file_write, "step", save)
    assert apply(vault, state, change()).changed == ["sub/note.md"]
    assert path.read_bytes() == b"student"
    assert strays(vault) == []
    assert ("exchanged" in steps) is (step == "compared")  # only what nothing saw is given back


def test_a_save_after_the_exchange_is_kept_and_so_is_the_one_before(vault, state, monkeypatch):
    path = vault / "sub" / "note.md"

    def save(name):
        if name == "compared":
            path.write_bytes(b"first save")
        if name == "exchanged":
            path.write_bytes(b"second save")

    monkeypatch.setattr(file_write, "step", save)
    apply(vault, state, change())
    assert path.read_bytes() == b"second save"
    (kept,) = (state / "conflicts" / "recovered").iterdir()
    assert kept.read_bytes() == b"first save"


def again(action):
    """Do ACTION as programs on Windows do, where another one has the file open at that moment."""
    for _ in range(1000):
        with contextlib.suppress(PermissionError):
            return action()
        time.sleep(0.001)
    return action()


@pytest.mark.slow
def test_no_save_of_a_busy_editor_is_lost(vault, state):
    path = vault / "sub" / "note.md"
    stop = threading.Event()
    saved = []

    def edit():
        try:
            for number in range(300):
                text = b"save %d" % number
                temporary = path.with_name("editor.tmp")
                temporary.write_bytes(text)
                again(partial(os.replace, temporary, path))
                saved.append(text)
        finally:
            stop.set()

    editor = threading.Thread(target=edit)
    editor.start()
    ours = set()
    while not stop.is_set():
        before = again(path.read_bytes)
        after = b"tool, after " + before[:40]
        ours.add(after)
        apply(vault, state, change(before=before, after=after))
    editor.join()
    last = path.read_bytes()
    assert last == saved[-1] or (last in ours and last.endswith(saved[-1][:40]))
    assert strays(vault) == []


def test_a_vault_that_is_exchanged_in_mid_run_is_not_written_into(vault, state, monkeypatch):
    def swap(name):
        if name == "done" and not (vault.parent / "away").exists():
            vault.rename(vault.parent / "away")
            vault.mkdir()

    monkeypatch.setattr(file_write, "step", swap)
    with pytest.raises(UnavailableError, match="taken away meanwhile"):
        apply(vault, state, change(), change(path="new.md", before=None))
    assert list(vault.iterdir()) == []
    assert (vault.parent / "away" / "sub" / "note.md").read_bytes() == NEW


@pytest.mark.usefixtures("links")
def test_symbolic_links_are_refused(vault, state, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "note.md").write_bytes(OLD)
    (vault / "link").symlink_to(outside, target_is_directory=True)
    (vault / "sub" / "one.md").symlink_to(outside / "note.md")
    outcome = apply(vault, state, change(path="link/note.md"), change(path="sub/one.md"),
                    change(path="link/new.md", before=None))  # fmt: skip
    assert len(outcome.refused) == 3
    assert all("symbolic link" in trouble.reason for trouble in outcome.refused)
    assert [path.name for path in outside.iterdir()] == ["note.md"]
    assert (outside / "note.md").read_bytes() == OLD


@pytest.mark.usefixtures("links")
def test_a_folder_swapped_for_a_link_in_mid_write_is_never_written_through(
    vault, state, tmp_path, monkeypatch
):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "note.md").write_bytes(OLD)

    def swap(name):
        if name == "journalled":
            (vault / "sub").rename(vault / "moved")
            (vault / "sub").symlink_to(outside, target_is_directory=True)

    monkeypatch.setattr(file_write, "step", swap)
    apply(vault, state, change())
    assert (outside / "note.md").read_bytes() == OLD
    assert len(list(outside.iterdir())) == 1


@pytest.mark.parametrize(
    "path", ["../x.md", "/etc/x.md", "a/../../x.md", ".obsidian/app.json", "CON.md"]
)
def test_paths_outside_the_vault_are_refused(vault, state, path):
    outcome = apply(vault, state, change(path=path, before=None))
    assert len(outcome.refused) == 1


def test_a_read_only_note_is_refused(vault, state):
    (vault / "sub" / "note.md").chmod(0o444)
    outcome = apply(vault, state, change())
    assert "read-only" in outcome.refused[0].reason
