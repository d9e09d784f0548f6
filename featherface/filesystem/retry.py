"""Retrying on files that another program holds: scanners, editors and sync clients let go soon.

Windows refuses to replace, remove or open what someone has open, with the very errors of a
missing permission. `insist` tells the two apart, waits up to a minute for a holder, says once
whom it waits for, and gives up with a `HeldError`. Who listens, and how long is waited, is set
by `patient`; by default nobody is told.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from featherface.errors import HeldError, InterruptedRunError
from featherface.filesystem import open_handles
from featherface.progress import never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from featherface.progress import ShouldStop

    Say = Callable[[str], None]

T = TypeVar("T")

MOMENT = 2.0
"""Seconds to wait for a file that is written again soon."""
LONGEST = 0.25
"""Seconds of the longest pause: so soon a request to stop is heard."""
HELD_WINDOWS = frozenset({32, 33, 1224})
"""ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_USER_MAPPED_FILE."""
HELD = frozenset({errno.EBUSY, errno.ETXTBSY})
"""What network drives answer elsewhere."""
ADVICE = "close it, pause the sync client or exclude the folder from the virus scanner"


def unheard(text: str) -> None:
    """Tell nobody."""
    del text


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How a held file is waited for, and who is told."""

    seconds: float = 60.0
    """Waited for one file; once in vain, only `notice` of it the next time."""
    notice: float = MOMENT
    """Seconds after which it is said whom the program waits for."""
    say: Say = unheard
    should_stop: ShouldStop = never
    """Asked during the wait; once it turns true the wait ends."""
    command: str = ""
    """What to type once the file is free; empty: the same command again."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    who: Callable[[Sequence[Path]], str] = open_handles.describe


_current = Patience()
_in_vain: set[str] = set()
"""Paths that were waited for to the end."""
_spared: set[tuple[str, str]] = set()
"""Paths that were gone on without, and what was said of each."""


@contextlib.contextmanager
def patient(**changes: Any) -> Iterator[None]:
    """Change how held files are waited for, in the whole process, during the block."""
    global _current  # noqa: PLW0603 - one per process, so that its threads know it too
    before, _current = _current, dataclasses.replace(_current, **changes)
    try:
        yield
    finally:
        _current = before


def current() -> Patience:
    """Return how held files are waited for now."""
    return _current


@contextlib.contextmanager
def spared(consequence: str) -> Iterator[None]:
    """Go on where the block gives up a held file; say once for each what the CONSEQUENCE is."""
    try:
        yield
    except HeldError as error:
        said = (str(error.path), consequence)
        if said not in _spared:
            _spared.add(said)
            _current.say(f"{error.message}: {consequence}")


def following(command: str | None = None) -> str:
    """End an advice by what to do once a fault is mended: COMMAND, else the one that goes on."""
    chosen = command or _current.command
    return f"then: {chosen}" if chosen else "then run the command again"


def insist(
    action: Callable[[], T], *paths: Path, seconds: float | None = None, verb: str = "write"
) -> T:
    """Do ACTION and return what it returns; wait where another program holds one of PATHS.

    ACTION is tried again after growing pauses, so it must leave nothing behind when it fails.

    Args:
        action: what may be refused.
        paths: the files or folders it needs, the one to name first.
        seconds: to wait at most, where not as long as `patient` says.
        verb: what can't be done to the first of PATHS, for the message.

    Raises:
        HeldError: it was held for all that time.
        InterruptedRunError: a stop was asked for during the wait.
        OSError: whatever else the system refuses, at once; a true lack of rights is among it.
    """
    wait: _Wait | None = None
    while True:
        try:
            done = action()
        except OSError as error:
            if not is_held(error, *paths):
                raise
            wait = wait or _Wait(paths, seconds, verb)
            wait.pause(error)
        else:
            if wait is not None:
                _in_vain.discard(str(paths[0]))
            return done


def is_held(error: OSError, *paths: Path) -> bool:
    """Whether ERROR says that another program holds one of PATHS, and no right is lacking."""
    if getattr(error, "winerror", None) in HELD_WINDOWS or error.errno in HELD:
        return True
    return error.errno == errno.EACCES and not any(denied(path) for path in paths)


def denied(path: Path) -> bool:
    """Whether the rights of PATH or of its folder explain why it can't be written."""
    if path.is_file() and not os.access(path, os.W_OK):  # Windows: marked read-only
        return True
    folder = next((parent for parent in path.absolute().parents if parent.is_dir()), None)
    return folder is None or not _admits(folder)


def _admits(folder: Path) -> bool:
    """Whether files may be made in FOLDER. On Windows only an attempt can tell."""
    if os.name != "nt":
        return os.access(folder, os.W_OK | os.X_OK)
    probe = folder / f".{secrets.token_hex(4)}.tmp"
    try:
        probe.touch()
    except PermissionError:
        return False
    except OSError:
        return True
    with contextlib.suppress(OSError):
        probe.unlink()
    return True


class _Wait:
    """The wait for one file."""

    def __init__(self, paths: Sequence[Path], seconds: float | None, verb: str) -> None:
        self.patience = _current
        self.paths, self.verb = paths, verb
        limit = self.patience.seconds if seconds is None else seconds
        known = str(paths[0]) in _in_vain
        self.limit = min(limit, self.patience.notice) if known else limit
        self.began = self.patience.now()
        self.length = 0.01
        self.stopped = self.patience.should_stop()
        self.who = ""

    def pause(self, error: OSError) -> None:
        """Wait a little longer than before; at the end of all patience raise."""
        patience, waited = self.patience, self.patience.now() - self.began
        if waited >= self.limit:
            raise self._given_up() from error
        if patience.should_stop() and not self.stopped:
            raise InterruptedRunError(
                f"stopped while waiting for {self.paths[0]}, which is in use by {self._holder()}",
                patience.command or "run the command again",
            ) from error
        if waited >= patience.notice and not self.who:
            patience.say(
                f"{self.paths[0]} is in use by {self._holder()}: waiting for it, up to"
                f" {self.limit:.0f} seconds"
            )
        patience.sleep(self.length)
        self.length = min(2 * self.length, LONGEST)

    def _holder(self) -> str:
        self.who = self.who or self.patience.who(self.paths)
        return self.who

    def _given_up(self) -> HeldError:
        _in_vain.add(str(self.paths[0]))
        return HeldError(
            f"can't {self.verb} {self.paths[0]}: it is in use by {self._holder()}"
            f" (waited for {self.limit:.0f} seconds)",
            f"{ADVICE}, {following()}",
            path=self.paths[0],
            who=self.who,
        )
