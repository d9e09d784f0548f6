"""Locks between processes: what one of them works on, the others leave alone."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from featherface.filesystem.retry import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.workspace.workspace import Workspace


@contextlib.contextmanager
def held(workspace: Workspace, name: str, *, seconds: float = 0) -> Iterator[bool]:
    """Hold the lock NAME of WORKSPACE during the block; yield False where another process does.

    SECONDS are waited for it; on Windows a moment at least, for a scanner that looks into the
    file. The system frees the lock of a process that dies.
    """
    path = workspace.state / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=max(seconds, MOMENT) if os.name == "nt" else seconds)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
