"""Files that another program holds: how long they are waited for, and what is said of whom."""

import ctypes
import errno
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from featherface.errors import HeldError, InterruptedRunError, UnavailableError
from featherface.filesystem import open_handles, retry
from featherface.filesystem.atomic import move, remove, remove_tree, write_atomic
from featherface.filesystem.os_errors import remedy, told_in_words
from featherface.filesystem.retry import insist, is_held, patient

BUSY = "The process cannot access the file because it is being used by another process"


class Busy:
    """An action that is refused some times, then does."""

    def __init__(self, refusals, error=None):
        self.left, self.calls = refusals, 0
        self.error = error or PermissionError(errno.EACCES, BUSY)

    def __call__(self):
        self.calls += 1
        if self.calls <= self.left:
            raise self.error
        return "done"


@pytest.fixture
def said():
    lines = []
    with patient(say=lines.append):
        yield lines


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "last.safetensors"
    file.write_bytes(b"old")
    return file


def test_what_is_held_for_a_moment_is_waited_for_in_silence(path, hours, said):
    assert insist(Busy(7), path) == "done"
    assert 0.3 < hours.now < 1.5
    assert said == []


def test_after_two_seconds_the_holder_is_named_once(path, hours, said):
    assert insist(Busy(100), path) == "done"
    assert 20 < hours.now < 60
    assert said == [
        f"{path} is in use by OneDrive.exe (process 4242): waiting for it, up to 60 seconds"
    ]


def test_after_a_minute_it_is_given_up_with_what_to_do(path, hours, said):
    with patient(command="thesis run v2 --resume"), pytest.raises(HeldError) as told:
        insist(Busy(10**6), path)
    assert 60 <= hours.now < 60.5
    assert "OneDrive.exe" in told.value.message
    assert str(path) in told.value.message
    assert told.value.hint.endswith("then: thesis run v2 --resume")
    assert "space" not in told.value.hint
    assert len(said) == 1


def test_what_was_waited_for_in_vain_is_not_waited_for_as_long_again(path, hours, said):
    for seconds in (60, 2):
        began = hours.now
        with pytest.raises(HeldError):
            insist(Busy(10**6), path)
        assert seconds <= hours.now - began < seconds + 0.5
    assert insist(Busy(3), path) == "done"
    began = hours.now
    with pytest.raises(HeldError):
        insist(Busy(10**6), path)
    assert hours.now - began >= 60
    assert len(said) == 2


def test_a_request_to_stop_ends_the_wait_at_once(path, hours):
    stop = patient(should_stop=lambda: hours.now > 5, command="thesis run v2 --resume")
    with stop, pytest.raises(InterruptedRunError, match="OneDrive") as told:
        insist(Busy(10**6), path)
    assert 5 <= hours.now < 5.5
    assert told.value.hint == "thesis run v2 --resume"


def test_what_is_written_after_a_request_to_stop_is_waited_for_as_ever(path, hours):
    with patient(should_stop=lambda: True):
        assert insist(Busy(100), path) == "done"
    assert hours.now > 20


def test_ctrl_c_gets_through_while_waiting(path):
    def interrupt(_):
        raise KeyboardInterrupt

    with patient(sleep=interrupt), pytest.raises(KeyboardInterrupt):
        insist(Busy(10**6), path)


@pytest.mark.parametrize(
    ("number", "winerror", "held"),
    [
        (errno.EACCES, 5, True),
        (errno.EACCES, 32, True),
        (errno.EACCES, 33, True),
        (errno.EINVAL, 1224, True),
        (errno.EACCES, None, True),
        (errno.EBUSY, None, True),
        (errno.ENOSPC, 112, False),
        (errno.EROFS, 19, False),
        (errno.ENOENT, 2, False),
        (errno.EPERM, None, False),
    ],
)
def test_which_refusals_mean_a_holder(path, number, winerror, held):
    error = OSError(number, "no")
    error.winerror = winerror
    assert is_held(error, path) is held


@pytest.mark.parametrize("what", ["file"] if os.name == "nt" else ["file", "folder"])
def test_a_lack_of_rights_is_no_holder(path, hours, monkeypatch, what):
    """As an ordinary user meets it; root may do everything."""
    closed = path if what == "file" else path.parent
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda one, mode: os.fspath(one) != str(closed) and real(one, mode)
    )
    with pytest.raises(PermissionError):
        insist(Busy(1), path)
    assert hours.now == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_fails_at_once(tmp_path, hours):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(UnavailableError, match="Permission denied") as told:
        write_atomic(closed / "new", "x")
    assert "make this one writable" in told.value.hint
    assert hours.now == 0


def test_windows_is_asked_for_the_rights_by_an_attempt(path, hours, monkeypatch):
    """`os.access` knows nothing of access lists there."""

    class Windows:
        name = "nt"

        def __getattr__(self, name):
            return getattr(os, name)

    monkeypatch.setattr(retry, "os", Windows())
    assert insist(Busy(3), path) == "done"
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    monkeypatch.setattr("pathlib.Path.touch", Busy(10**6))
    with pytest.raises(PermissionError):
        insist(Busy(1), path)


def test_a_folder_in_the_place_of_a_file_is_not_waited_for(tmp_path, hours):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(UnavailableError, match="Is a directory") as told:
        write_atomic(tmp_path / "results.json", "x")
    assert "move away" in told.value.hint
    assert hours.now == 0


OPERATIONS = {
    "replace": lambda path: write_atomic(path, "new"),
    "unlink": remove,
    "rename": lambda path: move(path, path.with_name("moved")),
    "rmdir": lambda path: remove_tree(path.parent),
}


@pytest.mark.parametrize("refusals", [0, 5, 10**6])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_patient_and_leaves_nothing_half_done(
    tmp_path, monkeypatch, name, refusals
):
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    path.write_text("old", encoding="utf-8")
    real, left = getattr(os, name), [refusals]

    def busy(*arguments, **more):
        if str(arguments[-1 if name == "replace" else 0]).endswith(("file", "folder")) and left[0]:
            left[0] -= 1
            raise PermissionError(errno.EACCES, BUSY)
        return real(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, name, busy)
        if refusals < 10:
            OPERATIONS[name](path)
        else:
            with pytest.raises(HeldError):
                OPERATIONS[name](path)
    names = sorted(one.name for one in tmp_path.rglob("*"))
    done = {"replace": ["file", "folder"], "unlink": ["folder"], "rename": ["folder", "moved"]}
    undone = {"rmdir": ["folder"]}.get(name, ["file", "folder"])
    assert names == (done.get(name, []) if refusals < 10 else undone)


def test_a_folder_whose_removed_files_linger_is_waited_for(tmp_path, monkeypatch, hours):
    """Windows: they go when whoever reads them lets go, and until then the folder is not empty."""
    folder = tmp_path / "old"
    folder.mkdir()
    real, refusals = os.rmdir, [4]

    def linger(*arguments, **more):
        if refusals[0]:
            refusals[0] -= 1
            raise OSError(errno.ENOTEMPTY, "The directory is not empty")
        return real(*arguments, **more)

    monkeypatch.setattr(os, "rmdir", linger)
    remove_tree(folder)
    assert not folder.exists()
    assert hours.now > 0
    remove_tree(folder)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EROFS, "writable"),
        (errno.EACCES, "writable"),
        (errno.ENAMETOOLONG, "shorter path"),
        (errno.EIO, "failing"),
        (errno.ENXIO, "full or failing"),
    ],
)
def test_each_refusal_has_its_own_remedy(tmp_path, number, words):
    advice = remedy(OSError(number, os.strerror(number)), tmp_path)
    assert words in advice
    assert ("space" in advice) is (number in (errno.ENOSPC, errno.EDQUOT))


FULL = 112 if os.name == "nt" else 28
"""What the system calls a full disk: ERROR_DISK_FULL, or ENOSPC."""


@pytest.mark.parametrize(
    ("text", "number"),
    [(f"I/O error: the disk is full (os error {FULL})", errno.ENOSPC), ("invalid header", None)],
)
def test_what_rust_tells_in_words_is_an_error_of_the_system(text, number):
    error = told_in_words(text)
    assert (error.errno, text in str(error)) == (number, True)


def test_windows_calls_a_path_that_is_too_long_missing(tmp_path):
    error = OSError(errno.ENOENT, "The system cannot find the path specified")
    error.winerror = 3
    assert "shorter path" in remedy(error, tmp_path / ("x" * 260))
    assert "shorter path" not in remedy(error, tmp_path)
    error.winerror = 206
    assert "shorter path" in remedy(error, tmp_path)


HOLD = "import sys, time; f = open(sys.argv[1], 'rb'); print('open', flush=True); time.sleep(60)"


@pytest.mark.parametrize("below", [True, False])
def test_who_holds_a_file_is_found(path, below):
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        try:
            found = list(open_handles.from_processes([path.parent if below else path]))
        finally:
            other.kill()
    assert [f"(process {other.pid})" in one for one in found] == [True]


def test_a_process_that_can_not_be_looked_at_ends_no_search(path, monkeypatch):
    """Windows guards its own; each may answer with an error of the system."""
    guarded, holder, other = (SimpleNamespace(pid=pid) for pid in (4, 5, 6))
    guarded.open_files = guarded.name = other.open_files = holder.name = refused
    holder.open_files = lambda: [SimpleNamespace(path=os.path.realpath(path))]
    other.name = lambda: "OneDrive.exe"
    monkeypatch.setattr("psutil.process_iter", lambda: iter([guarded, holder, other]))
    assert list(open_handles.from_processes([path])) == ["another program (process 5)"]
    assert list(open_handles.suspects()) == ["OneDrive"]


def refused():
    raise OSError(errno.EINVAL, "Invalid parameter")


def test_where_nobody_is_found_the_usual_suspects_are_named(path, monkeypatch):
    monkeypatch.setattr(open_handles, "holders", lambda _: [])
    monkeypatch.setattr(open_handles, "suspects", lambda: iter(["Obsidian", "OneDrive"]))
    assert (
        open_handles.describe([path])
        == "another program, perhaps Obsidian or OneDrive (running here)"
    )
    monkeypatch.setattr(open_handles, "suspects", lambda: iter([]))
    assert "a virus scanner" in open_handles.describe([path])


def test_a_search_that_hangs_or_fails_is_not_waited_for(path, monkeypatch):
    monkeypatch.setattr(open_handles, "SECONDS", 0.01)
    monkeypatch.setattr(open_handles, "suspects", lambda: iter([]))
    monkeypatch.setattr(open_handles, "holders", lambda _: time.sleep(30))
    assert open_handles.describe([path]) == open_handles.GUESS
    monkeypatch.setattr(open_handles, "holders", lambda _: 1 / 0)
    assert open_handles.describe([path]) == open_handles.GUESS


class Function:
    """A function of a DLL, which takes types as attributes."""

    def __init__(self, work):
        self.work = work

    def __call__(self, *arguments):
        for kind, argument in zip(self.argtypes, arguments, strict=True):
            kind.from_param(argument)  # raises where the real function would
        return self.work(*arguments)


class RestartManager:
    """The Restart Manager: knows of NUMBER holders, and answers as rstrtmgr.dll does."""

    def __init__(self, number, refused=0):
        self.number, self.registered, self.open = number, [], 0
        self.RmStartSession = Function(self.start)
        self.RmRegisterResources = Function(
            lambda _, count, names, *rest: self.registered.extend(names[:count]) or refused
        )
        self.RmGetList = Function(self.fill)
        self.RmEndSession = Function(self.end)

    def start(self, session, flags, key):
        assert (flags, len(key)) == (0, 33)
        session._obj.value, self.open = 7, 1
        return 0

    def end(self, session):
        assert session.value == 7
        self.open = 0
        return 0

    def fill(self, _session, needed, count, found, _reasons):
        needed._obj.value = self.number
        if count._obj.value < self.number:
            return open_handles.MORE_DATA
        for place in range(self.number):
            found[place].process.pid = 1000 + place
            found[place].name = f"Program {place}"
        count._obj.value = self.number
        return 0


@pytest.mark.parametrize("number", [0, 1, 8, 9, 20])
def test_the_restart_manager_names_everyone(path, number):
    manager = RestartManager(number)
    found = open_handles.from_restart_manager(manager, [path, path.parent])
    assert found == [f"Program {one} (process {1000 + one})" for one in range(number)]
    assert manager.registered == [str(path), str(path)]
    assert manager.open == 0


def test_a_restart_manager_that_refuses_is_closed_and_told(path):
    manager = RestartManager(1, refused=29)
    with pytest.raises(OSError, match="does not answer"):
        open_handles.from_restart_manager(manager, [path])
    assert manager.open == 0


def test_the_restart_manager_s_structures_have_the_size_of_its_header():
    """668 bytes where a wide character has two; here it may have four."""
    wide = ctypes.sizeof(ctypes.c_wchar)
    assert ctypes.sizeof(open_handles.UniqueProcess) == 12
    assert ctypes.sizeof(open_handles.ProcessInfo) == 12 + (256 + 64) * wide + 16
