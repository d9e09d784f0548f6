"""A SQLite index over the records, so that a thousand runs list at once; rebuildable from them."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from experiments.records.agreement import contradictions
from experiments.records.annotations import beside
from experiments.records.record import RECORD
from experiments.records.run import RESULTS, Run
from experiments.records.seal import SEAL, UNREADABLE, Problem, read_seal, verify
from featherface.errors import HeldError, ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Database = sqlite3.Connection | None

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (folder TEXT PRIMARY KEY, stamp TEXT, summary TEXT);
CREATE TABLE IF NOT EXISTS seals (folder TEXT PRIMARY KEY, stamp TEXT, problems TEXT);
"""
VERSION = 4
"""Raised when a summary holds something new; an index of another version is rebuilt."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One line of `runs list`."""

    run: str
    experiment: str
    version: int
    status: str
    title: str = ""
    created: str = ""
    finished: str = ""
    seconds: float = 0.0
    """Working time."""
    seed: int = 0
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    dataset: str = ""
    complete: bool = True
    """Whether it was evaluated on a whole split."""
    primary_metric: str = ""
    primary: float | None = None
    """Value of the primary metric; None before there is one."""
    maker: str = ""
    """Who made the predictions that it judged; empty where its own network did."""
    problem: str = ""
    """Why the record can't be read, where it can't."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


class Index:
    """The SQLite file in the workspace's state folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._verified: dict[str, tuple[str, str]] | None = None
        """Folder -> (stamp, problems), as the file had it when first asked."""

    def summaries(self, runs: Iterable[Run]) -> list[Summary]:
        """Return a summary of each run, reading only records that changed since."""
        chosen = list(runs)
        with self._connection() as database:
            known = _rows(database, "SELECT folder, stamp, summary FROM runs")
            listed, fresh = [], []
            for run in chosen:
                key, stamp = run.folder.as_posix(), _stamp(run)
                if known.get(key, ("",))[0] == stamp:
                    listed.append(_read(known[key][1]))
                    continue
                summary = summarize(run)
                listed.append(summary)
                if summary.status in ("sealed", "failed"):
                    fresh.append((key, stamp, json.dumps(summary.to_json())))
            _save(database, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", fresh)
        return listed

    def problems(self, run: Run) -> tuple[str, list[Problem]]:
        """Return a sealed RUN's seal, and how its record differs from it or contradicts itself.

        Files that look untouched are not read: size, modification and change time, of a link also
        those of what it leads to, are those of the last full verification.
        """
        if self._verified is None:
            with self._connection() as database:
                self._verified = _rows(database, "SELECT folder, stamp, problems FROM seals")
        key, stamp = run.folder.as_posix(), _touch_stamp(str(run.folder))
        known = self._verified.get(key, ("", ""))
        if known[0] == stamp:
            digest, problems = json.loads(known[1])
            return digest, [Problem(*fields) for fields in problems]
        digest, problems = examine(run)
        if any(problem.kind == UNREADABLE for problem in problems):
            return digest, problems  # who holds a file, or a disk, may let go without touching it
        fields = [(problem.path, problem.kind, problem.detail) for problem in problems]
        plain = json.dumps([digest, fields])
        self._verified[key] = (stamp, plain)
        with self._connection() as database:
            _save(database, "INSERT OR REPLACE INTO seals VALUES (?, ?, ?)", [(key, stamp, plain)])
        return digest, problems

    def rebuild(self, runs: Iterable[Run]) -> int:
        """Make the index anew from the records; return how many runs it holds."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        return len(self.summaries(runs))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Database]:
        """Yield the database; None where it can't be used: the records still can."""
        database = None
        try:
            database = self._open()
        except (sqlite3.Error, OSError):
            with contextlib.suppress(sqlite3.Error, OSError):  # Windows: it may be in use
                self.path.unlink(missing_ok=True)
                database = self._open()
        try:
            yield database
        finally:
            if database is not None:
                database.close()

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=5)
        try:
            _prepare(database)
        except sqlite3.Error:
            database.close()  # Windows removes nothing that this process has open
            raise
        return database


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables where they are missing.

    Raises:
        sqlite3.Error: the file is no index, a damaged one, or another version's.
    """
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        raise sqlite3.DatabaseError("index of another version")
    if version == 0:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")
    database.execute("PRAGMA synchronous = OFF")  # a lost cache is rebuilt


def examine(run: Run) -> tuple[str, list[Problem]]:
    """Return RUN's seal, and how its record differs from it or else contradicts itself."""
    problems = verify(run.folder)
    try:
        digest = read_seal(run.folder).digest
    except ThesisError:
        return "", problems
    return digest, problems or contradictions(run)


def summarize(run: Run) -> Summary:
    """Read what a list shows of RUN; a damaged record is a summary that says so."""
    base: dict[str, Any] = {"run": run.id, "experiment": run.experiment, "version": run.version}
    try:
        status, record, metrics, primary = run.status, run.record, run.metrics, run.primary
        return Summary(
            **base,
            status=status,
            title=record.title,
            created=record.created,
            finished=record.finished,
            seconds=record.seconds,
            seed=record.seed,
            tags=run.tags,
            labels=run.labels,
            parents=tuple(parent.run for parent in record.parents if parent.run),
            dataset=run.dataset,
            complete=all(metric.complete for metric in metrics),
            primary_metric=record.primary_metric,
            primary=primary.value if primary else None,
            maker=run.maker,
        )
    except HeldError as error:
        return Summary(**base, status="unsealed", problem=error.message)
    except ThesisError as error:
        return Summary(**base, status=run.status, problem=error.message)


def _stamp(run: Run) -> str:
    paths = [run.folder / name for name in (RECORD, RESULTS, SEAL)] + [beside(run.folder)]
    return ";".join(_mark(path) for path in paths)


def _touch_stamp(folder: str) -> str:
    """Return size and times of every file below FOLDER; changes whenever one of them may have."""
    marks, folders = [], [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                        marks.append(f"{entry.path[len(folder) :]}/")
                    else:
                        status = entry.stat(follow_symlinks=False)
                        times = f"{status.st_mtime_ns}.{status.st_ctime_ns}"
                        target = _mark_target(entry.path) if entry.is_symlink() else ""
                        name = entry.path[len(folder) :]
                        marks.append(f"{name}:{status.st_size}.{times}{target}")
        except OSError:
            marks.append("unreadable")
    return ";".join(sorted(marks))


def _mark_target(link: str) -> str:
    """Return size and times of what LINK leads to: its own stay when that one is changed."""
    try:
        status = os.stat(link)  # noqa: PTH116 - as scandir gives it, a thousand times a command
    except OSError:
        return ">nowhere"
    return f">{status.st_ino}.{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"


def _mark(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "-"
    return f"{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"


def _read(text: str) -> Summary:
    values: dict[str, Any] = json.loads(text)
    for key in ("tags", "labels", "parents"):
        values[key] = tuple(values[key])
    return Summary(**values)


def _rows(database: Database, query: str, *values: str) -> dict[str, tuple[str, str]]:
    if database is None:
        return {}
    try:
        return {folder: (stamp, text) for folder, stamp, text in database.execute(query, values)}
    except sqlite3.Error:
        return {}


def _save(database: Database, query: str, rows: list[tuple[str, str, str]]) -> None:
    if database is None or not rows:
        return
    with contextlib.suppress(sqlite3.Error), database:
        database.executemany(query, rows)
