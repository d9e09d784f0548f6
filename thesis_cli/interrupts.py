"""Ctrl-C during long work: the first asks for a checkpoint, the second kills."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import click

from thesis_cli.errors import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextlib.contextmanager
def stoppable(*, quiet: bool = False) -> Iterator[Callable[[], bool]]:
    """Yield a `should_stop` that turns true at the first SIGINT or SIGTERM.

    SIGTERM counts too: it is what a cluster sends before it takes the machine back. Outside the
    main thread, where Python can't set handlers, nothing changes. QUIET says nothing then.
    """
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if asked.is_set():
            os._exit(INTERRUPTED)  # nothing may stand in the way of the second one
        asked.set()
        if not quiet:
            click.echo(
                "\nstopping at the next safe point; press Ctrl-C again to kill at once", err=True
            )

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
