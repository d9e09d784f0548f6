"""Sync a vault again whenever a run is sealed or a note changes.

The file system tells of changes; a sync follows when they have calmed down for a moment, or after
a few seconds of unbroken saving. What the sync itself wrote wakes nobody. A vault that goes away
is waited for, and a conflict is reported once.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.workspace.workspace import CONFIG, Workspace
from featherface.errors import LockedError, NotFoundError, ThesisError, UnavailableError
from vault_sync.commands.dry_run import vault_path
from vault_sync.commands.sync import sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vault_sync.commands.sync import SyncReport

    Stamp = tuple[int, int, int]

TICK = 0.5
"""Seconds after which the watch looks whether it shall stop, and whether the vault is there."""
CALM_MS = 400
"""Milliseconds without a change after which a sync begins."""
UNREST_MS = 3000
"""Milliseconds after which it begins although changes go on."""
RETRY = 5.0
"""Seconds before a sync that could not work is tried again."""
RECORD_FILES = frozenset({"SEAL.json", "record.json", "results.json"})
"""Files of a record whose change is worth a sync; the log of steps grows all the time."""
NOTES = ".notes.json"
RUN_DEPTH = 2
"""Folders below runs/ that a run has: its experiment and its version."""
REST = 5.0
"""Seconds at most that a sync waits after the one before; else as long as that one took."""


@dataclass(frozen=True)
class WatchEvent:
    """A sync that wrote something, or an error that was not reported yet."""

    report: SyncReport | None = None
    error: ThesisError | None = None


def watch(
    root: Path,
    tell: Callable[[WatchEvent], None],
    should_stop: Callable[[], bool],
    *,
    to: Path | str | None = None,
    **choices: bool,
) -> None:
    """Sync the vault of the workspace at ROOT now, and again after each change, until told to stop.

    TELL hears of each sync that did something, and of troubles when they change.

    Raises:
        NotFoundError: ROOT holds no workspace.
    """
    scheduler = _SyncScheduler(root, tell, to, choices)
    while not should_stop():
        for changed in _changes(scheduler.places(), should_stop):
            if scheduler.matters(changed):
                scheduler.wake()
            if scheduler.due():
                scheduler.sync()
            if scheduler.moved():
                break


@dataclass
class _SyncScheduler:
    """Knows when a sync is due, and which error was reported already."""

    root: Path
    tell: Callable[[WatchEvent], None]
    to: Path | str | None
    choices: dict[str, bool]
    vault: Path | None = None
    next: float | None = 0.0
    """When to sync, by the monotonic clock; None: not before something changes."""
    rest: float = 0.0
    """Until when to leave the machine to others after a sync that took its time."""
    watched: dict[Path, Stamp | None] = field(default_factory=dict)
    """Folders under watch -> which folder it was, so that one put in its place is noticed."""
    own: dict[str, Stamp | None] = field(default_factory=dict)
    """Files as our last sync left them."""
    config: Stamp | None = None
    trouble: str = ""

    def due(self) -> bool:
        return self.next is not None and time.monotonic() >= self.next

    def wake(self) -> None:
        self.next = max(time.monotonic(), self.rest)

    def sync(self) -> None:
        """Sync once; what goes wrong is reported, and tried again where waiting may help."""
        self.next = None
        began = time.monotonic()
        try:
            report = self._sync()
        except ThesisError as error:
            self._tell_once(error)
            again = isinstance(error, LockedError | UnavailableError | NotFoundError)
            self.next = time.monotonic() + RETRY if again else None
            return
        finally:
            now = time.monotonic()
            self.rest = now + min(REST, now - began)
        if report.problem is not None:
            self._tell_once(report.problem)
        else:
            self.trouble = ""
        if report.written:
            self.tell(WatchEvent(report=report))

    def places(self) -> list[Path]:
        """Return the folders to watch; those that are not there are waited for."""
        self.config = _stamp(self.root / CONFIG)
        with contextlib.suppress(ThesisError):
            self.vault = vault_path(Workspace.open(self.root), self.to)
        folders = [self.root / "runs", self.root / "templates", self.vault]
        self.watched = {path: _identity(path) for path in folders if path is not None}
        return [path for path, identity in self.watched.items() if identity is not None]

    def moved(self) -> bool:
        """Whether a watched folder went away or came back, or the settings were saved."""
        changed = _stamp(self.root / CONFIG) != self.config
        changed |= any(_identity(path) != known for path, known in self.watched.items())
        if changed:
            self.wake()
        return changed

    def matters(self, paths: Iterable[str]) -> bool:
        """Whether one of the changed files may change what the vault should hold."""
        return any(self._is_news(Path(path)) for path in paths)

    def _is_news(self, path: Path) -> bool:
        runs = self.root / "runs"
        if path.is_relative_to(runs):
            depth = len(path.relative_to(runs).parts)
            return path.name in RECORD_FILES or path.name.endswith(NOTES) or depth <= RUN_DEPTH
        inside = path
        if self.vault is not None and path.is_relative_to(self.vault):
            inside = path.relative_to(self.vault)
        hidden = any(part.startswith(".") for part in inside.parts)
        return not hidden and self.own.get(str(path), ()) != _stamp(path)

    def _sync(self) -> SyncReport:
        workspace = Workspace.open(self.root)
        vault = vault_path(workspace, self.to)
        report = sync(workspace, to=self.to, **self.choices)
        self.own = {str(vault / path): _stamp(vault / path) for path in report.written}
        return report

    def _tell_once(self, error: ThesisError) -> None:
        if error.message != self.trouble:
            self.trouble = error.message
            self.tell(WatchEvent(error=error))


def _changes(places: list[Path], should_stop: Callable[[], bool]) -> Iterator[list[str]]:
    """Yield changed paths as they come, and an empty list at each tick."""
    if not places:
        time.sleep(TICK)
        yield []
        return
    from watchfiles import watch as watch_files  # noqa: PLC0415 - only a watch needs it

    try:
        for changes in watch_files(
            *places,
            watch_filter=None,
            debounce=UNREST_MS,
            step=CALM_MS,
            stop_event=_StopEvent(should_stop),
            rust_timeout=round(TICK * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            yield [path for _, path in changes]
    except FileNotFoundError:
        return
    except (OSError, RuntimeError) as error:
        raise UnavailableError(
            f"the system can't watch {', '.join(str(path) for path in places)}: {error}",
            "set WATCHFILES_FORCE_POLLING=1 in the environment, then try again",
        ) from error


@dataclass(frozen=True)
class _StopEvent:
    """SHOULD_STOP as the stop event that `watchfiles.watch` asks."""

    should_stop: Callable[[], bool]

    def is_set(self) -> bool:
        """Whether to stop."""
        return self.should_stop()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Return device and inode of a folder, which tell it from what a mount of its name covers."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, 0
