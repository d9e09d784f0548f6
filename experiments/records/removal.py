"""Taking runs out of a thesis and bringing them back: nothing is deleted, no number given again."""

from __future__ import annotations

import contextlib
import errno
import shutil
from typing import TYPE_CHECKING

from experiments.ledger.events import REMOVED, RESTORED
from experiments.records.annotations import RunAnnotations
from experiments.records.run import Run
from experiments.records.seal import placed_seal
from experiments.workspace.locks import held
from featherface.errors import DataError, LockedError, NotFoundError, RefusedError, UsageError
from featherface.filesystem.atomic import move
from featherface.filesystem.os_errors import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace

TRASH = "removed"
"""Folder below `.thesis` where removed records lie, as they lay below `runs`."""


def trash(workspace: Workspace, run: str) -> Path:
    """Return where the record of RUN (`v2@3`) lies once it is removed."""
    experiment, _, version = run.rpartition("@")
    return workspace.state / TRASH / experiment / f"{int(version):03d}"


def built_on(store: Store, run: str) -> dict[str, list[str]]:
    """Return what RUN is to others (`teacher`, `weights`) -> the runs that were made from it."""
    uses: dict[str, list[str]] = {}
    for other in store.runs():
        with contextlib.suppress(DataError):
            for parent in other.record.parents:
                if parent.run == run and other.id not in uses.get(parent.role, []):
                    uses.setdefault(parent.role, []).append(other.id)
    return uses


def check_removable(store: Store, run: Run, *, among: frozenset[str], force: bool) -> None:
    """Refuse to remove RUN where others were made from it that stay.

    AMONG are the runs that are removed with it; FORCE removes it all the same.

    Raises:
        RefusedError: the message names those runs.
        LockedError: it is being worked on.
    """
    if run.status == "running":
        raise LockedError(f"{run.id} is being worked on", "stop it first: Ctrl-C in its terminal")
    left = {
        role: [other for other in others if other not in among]
        for role, others in built_on(store, run.id).items()
    }
    told = [f"{role} of {', '.join(others)}" for role, others in left.items() if others]
    if told and not force:
        raise RefusedError(
            f"{run.id} is {' and '.join(told)}: without it nobody can follow where those come from",
            f"remove those too, or: thesis runs rm {run.id} --force",
        )


def remove(store: Store, run: Run) -> Path:
    """Move RUN's record and what was said of it out of `runs`; return where it lies now.

    Raises:
        LockedError: another process works on it, or on the ledger.
        RefusedError: an earlier record lies there already.
        UnavailableError: it can't be moved.
    """
    store.remember()
    target = trash(store.workspace, run.id)
    with _alone(store.workspace, run.folder):
        if target.exists():
            raise RefusedError(f"{target} is there already", "move that folder away first")
        seal = placed_seal(run.folder) if run.sealed else ""
        _move_record(run.folder, target)
        store.ledger.note(REMOVED, run.id, seal)
    return target


def note_gone(store: Store, run: str) -> None:
    """Note that RUN, whose record is not there any more, was removed.

    Raises:
        NotFoundError: this workspace knows no such run.
    """
    if run not in store.ledger.memory.known:
        raise NotFoundError(f"no run {run!r}", "thesis runs list")
    if run not in store.ledger.memory.removed:
        store.ledger.note(REMOVED, run)


def restore(store: Store, run: str) -> Run:
    """Move the record of the removed RUN (`v2@3`) back into `runs`; return it.

    Raises:
        NotFoundError: it was not removed, or its record is not there any more.
        RefusedError: something lies in its place.
        UsageError: a label of it was given to another run meanwhile.
    """
    folder = trash(store.workspace, run)
    if not folder.is_dir():
        known = [event.run for event in store.removed()]
        choices = f"removed: {', '.join(known)}" if known else "nothing was removed"
        raise NotFoundError(f"no removed run {run!r}; {choices}", "thesis runs list")
    target = store.workspace.runs / folder.parent.name / folder.name
    if target.exists():
        raise RefusedError(f"{target} is there already", f"thesis runs verify {run}")
    taken = store.labels()
    for label in RunAnnotations.read(folder).labels:
        if label in taken:
            holder = taken[label].id
            raise UsageError(
                f"{run} is called {label!r}, as {holder} is now",
                f"thesis runs label {holder} {label} --remove",
            )
    with _alone(store.workspace, target):
        _move_record(folder, target)
        store.ledger.note(RESTORED, run, placed_seal(target))
    return Run(target)


def _move_record(source: Path, target: Path) -> None:
    """Move a record's folder, then what lies beside it: annotations and timestamps."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(source, target)
        for path in list(source.parent.glob(f"{source.name}.*")):
            _move(path, target.parent / path.name)
    except OSError as error:
        raise unavailable(error, source, verb="move") from error


def _move(source: Path, target: Path) -> None:
    try:
        move(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(source, target)  # runs/ may be a link to another disk


@contextlib.contextmanager
def _alone(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Hold the lock of the run in FOLDER, as a run at work does."""
    with held(workspace, f"{folder.parent.name}-{folder.name}") as mine:
        if not mine:
            run = f"{folder.parent.name}@{int(folder.name)}"
            raise LockedError(f"{run} is being worked on by another process", "wait for it")
        yield
