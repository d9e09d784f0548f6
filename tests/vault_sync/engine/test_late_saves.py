"""What a student saves while this program writes is never lost, whichever way the editor saves."""

import contextlib
import os
import threading
import time

import pytest

from vault_sync.engine import file_write
from vault_sync.engine.applying import Applier
from vault_sync.engine.disk import folder
from vault_sync.engine.plans import Write
from vault_sync.engine.state import Bases, State

pytestmark = pytest.mark.usefixtures("every_way")
NAME = "note.md"


@pytest.fixture
def vault(tmp_path):
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / NAME).write_bytes(b"first")
    return folder


def apply(vault, state, before, after):
    applier = Applier(vault, state, Bases(state))
    outcome = applier.apply((Write(NAME, before, after),), State())
    applier.finish()
    return outcome


def again(action):
    """Do ACTION as programs on Windows do, where another one has the file open at that moment."""
    for _ in range(1000):
        with contextlib.suppress(PermissionError):
            return action()
        time.sleep(0.001)
    return action()


def replace_file(path, data):
    temporary = path.with_name("editor.tmp")
    temporary.write_bytes(data)
    again(lambda: os.replace(temporary, path))  # noqa: PTH105 - as editors do


def write_in_place(path, data):
    path.write_bytes(data)


def strays(vault):
    return [path.name for path in vault.iterdir() if path.name != NAME]


def aside(state):
    return {path.read_bytes() for path in (state / "conflicts").rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("save", [replace_file, write_in_place])
def test_a_save_between_read_and_replace_is_on_the_disk_a_thousand_times(
    vault, state, monkeypatch, save
):
    path = vault / NAME
    moments = ["read", "journalled", "temporary", "compared", "between", "exchanged"]
    now = {}

    def edit(name):
        if name == now.get("moment"):
            now.clear()
            save(path, latest[-1])

    monkeypatch.setattr(file_write, "step", edit)
    monkeypatch.setattr(folder, "between", lambda: edit("between"))
    monkeypatch.setattr("vault_sync.engine.journal.os.fsync", lambda _: None)
    latest = []
    for number in range(250):  # in each of four ways
        before = path.read_bytes()
        latest.append(b"save %d\n" % number * 20)
        now["moment"] = moments[number % len(moments)]
        after = b"tool %d" % number
        apply(vault, state, before, after)
        if now.pop("moment", None) == "between":  # there is none where files are exchanged
            save(path, latest[-1])
        assert path.read_bytes() == latest[-1]
        path.write_bytes(latest[-1])
    assert strays(vault) == []


@pytest.mark.slow
def test_an_editor_that_never_rests_loses_nothing(vault, state):
    path = vault / NAME
    path.write_bytes(b"")
    saved = []
    stop = threading.Event()

    def edit():
        try:
            for number in range(400):
                saved.append(b"<line %d>" % number)
                replace_file(path, b"".join(saved))
        finally:
            stop.set()

    editor = threading.Thread(target=edit)
    editor.start()
    while not stop.is_set():
        before = again(path.read_bytes)
        apply(vault, state, before, before + b"<tool>")
    editor.join()
    assert path.read_bytes().replace(b"<tool>", b"") == b"".join(saved)
    assert strays(vault) == []


@pytest.mark.skipif(os.name == "nt", reason="nothing takes the place of an open file there")
def test_an_editor_that_was_still_writing_into_the_old_file_gets_its_save_back(
    vault, state, monkeypatch
):
    path = vault / NAME
    done = threading.Event()

    def slowly(file):
        file.truncate(0)
        file.write(b"half ")
        file.flush()
        time.sleep(0.1)
        file.write(b"and half")
        file.close()
        done.set()

    def begin(name):
        if name == "swapped" and not begun:
            begun.append(name)
            threading.Thread(target=slowly, args=(opened,)).start()

    begun = []
    opened = path.open("r+b")
    monkeypatch.setattr(file_write, "step", begin)
    outcome = apply(vault, state, b"first", b"tool")
    done.wait()
    assert path.read_bytes() == b"half and half"
    assert (outcome.written, outcome.changed) == ([], [NAME])
    assert strays(vault) == []


def test_three_saves_within_a_write_keep_their_order(vault, state, monkeypatch, every_way):
    """The last one is the note; the earlier ones are kept aside."""
    path = vault / NAME
    real = every_way.exchange
    saves = iter([b"one", b"two", b"three"])

    def exchange(self, one, other):
        data = next(saves, None)
        if data is not None:
            replace_file(path, data)
        return real(self, one, other)

    monkeypatch.setattr(every_way, "exchange", exchange)
    outcome = apply(vault, state, b"first", b"tool")
    assert path.read_bytes() == b"three"
    assert aside(state) == {b"one", b"two"}
    assert len(outcome.kept_aside) == 2
    assert strays(vault) == []


def test_a_note_that_is_removed_and_saved_at_once_stays(vault, state, monkeypatch):
    path = vault / NAME
    monkeypatch.setattr(
        file_write, "step", lambda name: name == "compared" and replace_file(path, b"student")
    )
    assert apply(vault, state, b"first", None).changed == [NAME]
    assert path.read_bytes() == b"student"
    assert strays(vault) == []


def test_a_note_that_comes_back_while_its_save_is_given_back_keeps_both(vault, state, monkeypatch):
    path = vault / NAME

    def save(name):
        if name == "compared":
            replace_file(path, b"one")
        if name == "exchanged":
            replace_file(path, b"two")

    monkeypatch.setattr(file_write, "step", save)
    assert apply(vault, state, b"first", None).changed == [NAME]
    assert path.read_bytes() == b"two"
    assert aside(state) == {b"one"}
    assert strays(vault) == []
