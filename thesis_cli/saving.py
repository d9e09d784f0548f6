"""`--output FILE`: a command's text in a file, whole or not at all.

A shell's `>` is no match: Windows PowerShell writes UTF-16 and takes other letters apart, and a
command that fails leaves an empty file where a good one was.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

from experiments.records.seal import SEAL
from experiments.workspace.workspace import Workspace
from featherface.errors import ThesisError, UnavailableError, UsageError
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def saved(path: Path, root: Path | None) -> Iterator[io.StringIO]:
    """Yield what collects the text; it is in PATH (UTF-8, LF) once the block ends, however it ends.

    A block that printed nothing leaves PATH as it was. ROOT is the workspace that was named.

    Raises:
        UsageError: PATH is in a sealed record, or a file of the vault.
        UnavailableError: PATH can't be written; the text is on stdout then.
    """
    check(path, root)
    text = io.StringIO()
    try:
        yield text
    finally:
        content = text.getvalue()
        if content:
            try:
                write_atomic(path, content)
            except UnavailableError:
                sys.stdout.write(content)  # hours of work may be in it
                raise


def check(path: Path, root: Path | None, option: str = "--output") -> None:
    """Refuse, before any work, what must not or can't be written."""
    whole = path.expanduser().resolve()
    if any((folder / SEAL).is_file() for folder in whole.parents):
        raise UsageError(f"{option} {path} is in a sealed record", "choose another folder")
    if whole.exists() and in_vault(whole, root):
        raise UsageError(
            f"{option} {path} is a file of the vault, where your words may stand",
            "choose a new name, or a folder outside of the vault",
        )
    there = next((folder for folder in whole.parents if folder.exists()), whole.parent)
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UnavailableError(
            f"can't write {option} {path}: {there} is no folder that you may write to",
            "choose another folder",
        )


def in_vault(path: Path, root: Path | None) -> bool:
    """Whether PATH lies in the vault of the workspace at ROOT, or of the one that we are in."""
    try:
        return path.is_relative_to(Workspace.find(explicit=root).vault)
    except ThesisError:
        return False
