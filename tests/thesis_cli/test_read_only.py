"""Verbs that read work in a workspace that nobody may write to, and say the same."""

from __future__ import annotations

import builtins
import io
import os
import sqlite3
import tarfile
from pathlib import Path

import pytest

from experiments.workspace.workspace import Workspace

ARCHIVE = Path(__file__).with_name("earlier") / "english.tar.xz"
VERBS = (
    ("runs", "list"),
    ("runs", "show", "trained@1"),
    ("runs", "verify"),
    ("runs", "diff", "student@1", "teacher@1"),
    ("compare", "student@1", "teacher@1"),
    ("milestone", "check"),
    ("check", "numbers"),
    ("report", "show", "dashboard"),
    ("vault", "status"),
    ("config", "show"),
    ("model", "list"),
)


@pytest.fixture
def workspace(tmp_path):
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "thesis", filter="data")
    return Workspace.open(tmp_path / "thesis")


def refusing(call, root, writes=lambda *_, **__: True):
    """Refuse to CALL with a path below ROOT where the other arguments mean that it WRITES."""

    def called(path, *arguments, **options):
        inside = isinstance(path, str | os.PathLike) and Path(path).is_relative_to(root)
        if inside and writes(*arguments, **options):
            raise PermissionError(13, "Permission denied", str(path))
        return call(path, *arguments, **options)

    return called


def mode_writes(mode="r", *_arguments, **_options):
    return bool(set(mode) & set("wax+"))


def flags_write(flags=0, *_arguments, **_options):
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def make_read_only(monkeypatch, root):
    """Refuse whatever would write below ROOT, as a disk mounted read-only does, root or not."""
    for module in (builtins, io):
        monkeypatch.setattr(module, "open", refusing(module.open, root, mode_writes))
    monkeypatch.setattr(os, "open", refusing(os.open, root, flags_write))
    for name in ("mkdir", "unlink", "rename", "replace", "utime"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name), root))
    monkeypatch.setattr(sqlite3, "connect", refusing(sqlite3.connect, root))


@pytest.mark.slow
def test_reading_verbs_say_the_same_in_a_workspace_that_is_read_only(
    thesis, workspace, monkeypatch, contents
):
    with monkeypatch.context() as patched:
        make_read_only(patched, workspace.root)
        before = contents(workspace.root)
        refused = {verb: thesis(*verb, "--json", workspace=workspace) for verb in VERBS}
        assert contents(workspace.root) == before
    for verb, answer in refused.items():
        free = thesis(*verb, "--json", workspace=workspace)
        assert (answer.code, answer.out) == (free.code, free.out), verb
