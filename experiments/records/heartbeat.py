"""Heartbeats: whether the process of a run lives, by host and process id."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from experiments.records.seal import HEARTBEAT
from featherface.errors import HeldError
from featherface.filesystem.atomic import remove, write_atomic
from featherface.filesystem.retry import MOMENT

if TYPE_CHECKING:
    from pathlib import Path

FRESH_SECONDS = 120.0
"""How old a heartbeat from another host may be."""
REST_SECONDS = 10.0
"""Waited for whoever holds the heartbeat at the end of a run."""


def beat(folder: Path) -> None:
    """Write that this process is working in FOLDER now.

    Raises:
        HeldError: another program holds the file; it is written again soon.
        UnavailableError: the disk is full or read-only.
    """
    content = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "born": _born(os.getpid()),
        "time": time.time(),
    }
    write_atomic(folder / HEARTBEAT, json.dumps(content) + "\n", seconds=MOMENT)


def rest(folder: Path) -> None:
    """Remove the heartbeat: the process leaves FOLDER.

    One that another program holds for long stays: no seal covers it, and once this process has
    ended nobody takes it for alive.
    """
    with contextlib.suppress(HeldError):
        remove(folder / HEARTBEAT, seconds=REST_SECONDS)


def alive(folder: Path) -> bool:
    """Whether the process that last beat in FOLDER still works there.

    On this host the process itself is looked up (a reused process id does not count);
    of another host only the heartbeat's age is known.
    """
    try:
        content: dict[str, Any] = json.loads((folder / HEARTBEAT).read_text(encoding="utf-8"))
        host, pid, then = str(content["host"]), int(content["pid"]), float(content["time"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if host != socket.gethostname():
        return time.time() - then < FRESH_SECONDS
    born = _born(pid)
    return born is not None and abs(born - float(content.get("born") or born)) < 1.0


def _born(pid: int) -> float | None:
    """Return when process PID started, in seconds since 1970; None where there is none."""
    import psutil  # noqa: PLC0415 - only runs that are not sealed ask

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None
