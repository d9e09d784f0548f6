"""The file that a write took the place of, watched until nobody can write into it any more.

Some editors save into the file they have open instead of replacing it. Such a save, begun just
before the exchange, ends up in the old file; it is found here and given back.
"""

from __future__ import annotations

import errno
import os
import time

PATIENCE = 2.0
"""Seconds to wait for an editor that still holds the old file open."""
GRACE = 0.002
"""Seconds to wait where the system can't tell whether somebody does."""


def read_when_released(descriptor: int) -> bytes:
    """Return what an open file holds once nobody has it open for writing; closes it."""
    try:
        _wait_for_writers(descriptor)
        return _read_all(descriptor)
    finally:
        os.close(descriptor)


def _wait_for_writers(descriptor: int) -> None:
    """Ask Linux for a read lease, which it gives only while no writer has the file open."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows

        request, lease = fcntl.F_SETLEASE, fcntl.F_RDLCK
    except (ImportError, AttributeError):
        time.sleep(GRACE)
        return
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.fcntl(descriptor, request, lease)
            fcntl.fcntl(descriptor, request, fcntl.F_UNLCK)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                time.sleep(GRACE)
                return
            if time.monotonic() > end:
                return
            time.sleep(0.001)
        else:
            return


def _read_all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)
