"""One contract of a folder, kept in each way in which a system lets files be written."""

import contextlib
import ctypes
import errno
import os
import stat
from types import SimpleNamespace

import pytest

from featherface.errors import RefusedError
from vault_sync.engine.disk import folder as contract
from vault_sync.engine.disk import windows
from vault_sync.engine.disk.folder import other_hidden_name
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.vault_reader import is_junction

T, B = ".0123.thesis-tmp", ".0123.thesis-old"
FRENCH = "Études d'été/Réseau « léger »"


@pytest.fixture
def vault(tmp_path):
    inside = tmp_path / "Thèse de Zoë" / FRENCH
    inside.mkdir(parents=True)
    (inside / "note.md").write_bytes(b"old")
    (inside / T).write_bytes(b"new")
    return tmp_path / "Thèse de Zoë"


@pytest.fixture
def opened(vault, every_way):
    with open_folder(vault, FRENCH) as folder:
        assert isinstance(folder, every_way)
        yield folder


def files(folder):
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


@pytest.mark.usefixtures("every_way", "links")
def test_missing_link_and_file_are_told_apart(vault, tmp_path):
    (vault / "link").symlink_to(tmp_path, target_is_directory=True)
    (vault / "broken").symlink_to(tmp_path / "nowhere")
    for missing in ("nowhere", "nowhere/else", f"{FRENCH}/nowhere"):
        with pytest.raises(FileNotFoundError), open_folder(vault, missing):
            pass
    for wrong in ("link", "broken", f"{FRENCH}/note.md", "link/inside"):
        for create in (False, True):
            with (
                pytest.raises(RefusedError, match="symbolic link or no folder"),
                open_folder(vault, wrong, create=create),
            ):
                pass
    with open_folder(vault, "attachments/Résultats", create=True) as made:
        assert made.path.is_dir()
        assert made.read("curve.png") is None
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("links")
def test_of_names_in_it_too(opened, tmp_path):
    (opened.path / "link.md").symlink_to(opened.path / "note.md")
    (opened.path / "sub").mkdir()
    assert opened.read("note.md") == b"old"
    assert opened.read("nowhere.md") is None
    with pytest.raises(RefusedError, match=r"link.md is a symbolic link"):
        opened.read("link.md")
    with pytest.raises(RefusedError, match="sub is no plain file"):
        opened.read("sub")
    assert [opened.exists(name) for name in ("note.md", "link.md", "nowhere.md")] == [1, 1, 0]


@pytest.mark.skipif(os.name == "nt", reason="needs pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(opened):
    os.mkfifo(opened.path / "pipe")
    with pytest.raises(RefusedError, match="no plain file"):
        opened.read("pipe")


def test_an_exchange_gives_back_what_came_out(opened):
    out = opened.exchange(T, "note.md")
    assert files(opened) == {"note.md": b"new", out: b"old"}
    assert opened.exchange(out, "note.md") in (T, B)
    assert opened.read("note.md") == b"old"
    assert other_hidden_name(T) == B
    assert other_hidden_name(B) == T


def test_nothing_is_exchanged_with_what_is_gone(opened):
    (opened.path / "note.md").unlink()
    with pytest.raises(FileNotFoundError):
        opened.exchange(T, "note.md")
    assert files(opened) == {T: b"new"}


def test_a_save_while_the_name_is_free_stays(opened, monkeypatch):
    path = opened.path / "note.md"
    seen = []
    monkeypatch.setattr(contract, "between", lambda: seen.append(path.write_bytes(b"student")))
    try:
        opened.exchange(T, "note.md")
        assert seen == []  # the kernel leaves no such moment
    except FileExistsError:
        assert files(opened) == {"note.md": b"student", T: b"new", B: b"old"}


def test_an_error_in_between_gives_the_name_back(opened, monkeypatch):
    def fail():
        raise OSError(errno.EIO, "the disk is failing")

    monkeypatch.setattr(contract, "between", fail)
    try:
        opened.exchange(T, "note.md")
    except OSError as error:
        assert error.errno == errno.EIO  # noqa: PT017 - one of the ways raises none
        assert files(opened) == {"note.md": b"old", T: b"new"}


def test_publishing_never_overwrites(opened):
    with pytest.raises(FileExistsError):
        opened.publish(T, "note.md")
    assert files(opened) == {"note.md": b"old", T: b"new"}
    opened.publish(T, "other.md")
    assert files(opened) == {"note.md": b"old", "other.md": b"new"}


@pytest.mark.parametrize("every_way", ["descriptors", "two renames", "paths"], indirect=True)
def test_nor_on_disks_without_hard_links(opened, monkeypatch, every_way):
    def link(*_):
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(every_way, "_link", link)
    with pytest.raises(FileExistsError):
        opened.publish(T, "note.md")
    opened.publish(T, "other.md")
    assert files(opened) == {"note.md": b"old", "other.md": b"new"}
    (opened.path / T).write_bytes(b"newer")
    out = opened.exchange(T, "note.md")
    assert files(opened) == {"note.md": b"newer", "other.md": b"new", out: b"old"}


def test_what_is_discarded_is_read_once_more(opened):
    assert opened.discard(T) == b"new"
    assert opened.discard(T) is None
    assert files(opened) == {"note.md": b"old"}


@pytest.mark.usefixtures("links")
def test_a_folder_that_was_put_in_its_place_is_not_written_into(opened, vault, tmp_path):
    opened.path.rename(vault / "moved")
    outside = tmp_path / "outside"
    outside.mkdir()
    opened.path.symlink_to(outside, target_is_directory=True)
    with contextlib.suppress(RefusedError):
        opened.create("x.md", b"x")
        assert (vault / "moved" / "x.md").exists()
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "left"),
    [
        (32, {"note.md": b"old", T: b"new"}),
        (1175, {"note.md": b"old", T: b"new"}),
        (1176, {"note.md": b"old", T: b"new"}),
        (1177, {"note.md": b"old", T: b"new"}),
    ],
)
@pytest.mark.parametrize("every_way", ["windows"], indirect=True)
def test_each_failure_of_replacefilew_leaves_or_gives_back_the_name(opened, code, left, hours):
    """1177 leaves the note under the backup's name, and nothing under its own."""
    windows.kernel().failures = [code] * 500
    with pytest.raises(Exception, match=r"in use by OneDrive.exe \(process 4242\)") as caught:
        opened.exchange(T, "note.md")
    assert type(caught.value).__name__ == "HeldError"
    assert files(opened) == left
    assert hours.now >= 60
    windows.kernel().failures = [code] * 3
    assert opened.exchange(T, "note.md") == B
    assert files(opened) == {"note.md": b"new", B: b"old"}


@pytest.mark.parametrize("code", windows.CAN_NOT)
@pytest.mark.parametrize("every_way", ["windows"], indirect=True)
def test_a_disk_that_does_not_know_the_call_gets_two_renames(opened, code):
    windows.kernel().failures = [code]
    assert opened.exchange(T, "note.md") == B
    assert files(opened) == {"note.md": b"new", B: b"old"}


@pytest.mark.parametrize("every_way", ["windows"], indirect=True)
def test_any_other_failure_is_told_at_once(opened, hours):
    windows.kernel().failures = [1392]
    with pytest.raises(OSError, match="1392"):
        opened.exchange(T, "note.md")
    assert files(opened) == {"note.md": b"old", T: b"new"}
    assert hours.now == 0


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (r"C:\Users\Zoë\Bureau\thèse", "\\\\?\\C:\\Users\\Zoë\\Bureau\\thèse"),
        (r"C:/Users/Zoë/../Ana", "\\\\?\\C:\\Users\\Ana"),
        (r"\\nas\home\thesis", "\\\\?\\UNC\\nas\\home\\thesis"),
        ("\\\\?\\C:\\x", "\\\\?\\C:\\x"),
    ],
)
def test_long_paths_are_written_so_that_windows_takes_them(path, long):
    assert windows.verbatim(path) == long


@pytest.mark.parametrize(
    ("mode", "tag", "link"),
    [
        (stat.S_IFLNK, 0xA000000C, True),  # a symbolic link
        (stat.S_IFDIR, 0xA0000003, True),  # a junction, or a mounted disk
        (stat.S_IFLNK, 0xA000001D, True),  # a link of WSL's
        (stat.S_IFREG, 0x9000601A, False),  # a file that OneDrive keeps online
        (stat.S_IFREG, 0x80000013, False),  # a file that Windows Server stores once
        (stat.S_IFREG, 0, False),
    ],
)
def test_what_stands_for_another_place_is_a_link(mode, tag, link):
    found = SimpleNamespace(st_mode=mode | 0o644, st_reparse_tag=tag)
    assert windows.is_link(found) == link


@pytest.mark.parametrize(
    ("system", "tag", "passed_by"),
    [("nt", 0xA0000003, True), ("nt", 0x9000601A, False), ("posix", 0xA0000003, False)],
)
def test_a_junction_is_not_walked_into(system, tag, passed_by):
    found = SimpleNamespace(st_mode=stat.S_IFDIR, st_reparse_tag=tag)
    entry = SimpleNamespace(stat=lambda *, follow_symlinks: found)
    assert is_junction(entry, system) == passed_by


def test_the_calls_have_their_types():
    """A handle of 64 bits would be cut to 32 without them."""
    library = SimpleNamespace(ReplaceFileW=SimpleNamespace(), CreateFileW=SimpleNamespace())
    windows.declare(library)
    assert library.ReplaceFileW.argtypes[:3] == [ctypes.c_wchar_p] * 3
    assert len(library.ReplaceFileW.argtypes) == 6
    assert len(library.CreateFileW.argtypes) == 7
    assert library.CreateFileW.restype is ctypes.c_void_p
