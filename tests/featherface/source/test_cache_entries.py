"""Entries of caches: what names them, how long they stay, and many processes at once."""

import json
import os
import subprocess
import sys
import time

import pytest

from featherface.source import cache_entries
from featherface.source.cache_entries import (
    DAY,
    UNUSED_DAYS,
    entry_path,
    read_entry,
    write_entry,
)
from featherface.source.definitions import definition_digest
from featherface.source.digest import program_digest
from featherface.source.packages import Packages


@pytest.fixture(autouse=True)
def _a_new_process():
    """Folders are tidied once in a process."""
    cache_entries._remove_unused.cache_clear()


def aged(path, days):
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def test_every_part_of_the_name_counts(tmp_path):
    base = {"make": program_digest, "inputs": ["a", "b"], "libraries": ["numpy"]}
    changes = [
        {},
        {"make": definition_digest},
        {"inputs": ["a b"]},
        {"inputs": ["b", "a"]},
        {"libraries": ["torch"]},
        {"libraries": ["no such library"]},
        {"libraries": []},
    ]
    paths = [entry_path(tmp_path / "figures", **base | change) for change in changes]
    assert len(set(paths)) == len(paths)
    assert paths[0] == entry_path(tmp_path / "figures", **base)
    assert {(path.parent, path.suffix) for path in paths} == {(tmp_path / "figures", ".json")}
    assert entry_path(tmp_path / "figures", **base, suffix=".png").suffix == ".png"


def test_the_code_s_digest_is_kept_beside(tmp_path):
    entry_path(tmp_path / "figures", program_digest, [])
    (file,) = (tmp_path / "code").iterdir()
    assert file.stem == program_digest()
    known = json.loads(file.read_text(encoding="utf-8"))
    digest = definition_digest(program_digest)
    assert known["featherface.source.digest:program_digest"] == digest


def test_content_comes_back(tmp_path):
    path = tmp_path / "figures" / "a.png"
    assert read_entry(path) is None
    write_entry(path, b"")
    assert read_entry(path) == b""
    write_entry(path, "é")
    assert read_entry(path) == b"\xc3\xa9"


def test_entries_that_were_not_read_for_long_go(tmp_path):
    ages = {"new": 0, "used": UNUSED_DAYS - 1, "unused": UNUSED_DAYS + 1}
    for name, days in ages.items():
        (tmp_path / name).write_bytes(b"kept")
        aged(tmp_path / name, days)
    (tmp_path / "folder").mkdir()
    aged(tmp_path / "folder", UNUSED_DAYS + 1)
    write_entry(tmp_path / "another", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"new", "used", "another", "folder"}


def test_reading_keeps_an_entry(tmp_path):
    path = tmp_path / "entry"
    path.write_bytes(b"kept")
    aged(path, UNUSED_DAYS + 1)
    assert read_entry(path) == b"kept"
    write_entry(tmp_path / "another", b"")
    assert path.exists()


def test_an_entry_in_daily_use_is_not_written(tmp_path):
    path = tmp_path / "entry"
    path.write_bytes(b"kept")
    aged(path, 0.9)
    before = path.stat().st_mtime_ns
    assert read_entry(path) == b"kept"
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("at", ["unlink", "stat"])
def test_a_file_that_can_not_be_removed_hinders_nothing(tmp_path, monkeypatch, at):
    """Windows refuses while another process reads it; and it may have gone meanwhile."""
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(b"kept")
        aged(tmp_path / name, UNUSED_DAYS + 1)
    real = getattr(type(tmp_path), at)

    def refused(path, *args, **more):
        if path.name == "first":
            raise PermissionError(13, "in use")
        return real(path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(type(tmp_path), at, refused)
        cache_entries._remove_unused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_processes_at_once_read_whole_entries_only(tmp_path):
    """Each makes, reads and tidies the same entries, some of which are old."""
    code = """if True:
        import os, sys, time
        from pathlib import Path
        from featherface.source import cache_entries
        folder = Path(sys.argv[1])
        for turn in range(60):
            path = folder / str(turn % 5)
            content = cache_entries.read_entry(path)
            assert content in (None, b"x" * 100_000), content[:20]
            if content is None or turn % 3 == 0:
                cache_entries._remove_unused.cache_clear()
                cache_entries.write_entry(path, b"x" * 100_000)
            if turn % 4 == 0:
                try:
                    os.utime(path, (0, 0))
                except OSError:
                    pass
    """
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert errors == ["", "", ""]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_processes_at_once_share_what_they_know_of_the_code(tmp_path):
    """Whichever writes last, what is kept is right; a digest that is lost is made again."""
    code = """if True:
        import sys
        from pathlib import Path
        from featherface.source.definitions import definition_digest
        from featherface.source import digest, packages, definitions
        for make in (digest.program_digest, packages.Packages, definition_digest):
            definition_digest(make, Path(sys.argv[1]))
    """
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    (file,) = tmp_path.iterdir()
    for name, digest in json.loads(file.read_text(encoding="utf-8")).items():
        definition = {"program_digest": program_digest, "Packages": Packages}
        expected = definition.get(name.rpartition(":")[2], definition_digest)
        assert digest == definition_digest(expected)
