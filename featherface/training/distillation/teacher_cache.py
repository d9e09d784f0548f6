"""Answers of a teacher on the disk, found by what the pictures look like.

One SQLite file for each teacher. It may be killed at any moment, shared by several programs at
once, and deleted: it only saves the time to ask again.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
from dataclasses import asdict
from typing import TYPE_CHECKING

from featherface.training.distillation.teacher_outputs import FORMAT, PARTS, from_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from featherface.networks.detector import Detector
    from featherface.training.distillation.teacher_outputs import Answer

SUFFIX = ".sqlite"
TABLE = f"CREATE TABLE IF NOT EXISTS answers (name BLOB PRIMARY KEY, {', '.join(PARTS)})"
TOGETHER = 256
"""Answers written at once: each time the disk is waited for."""
ASKED = 500
"""Names in one question, fewer than any SQLite allows."""
SPARED = 2**30
"""Bytes of the disk that stay free, for weights."""
PATIENCE = 30.0
"""Seconds to wait for another program that writes."""


class Notebook:
    """What one teacher said.

    Args:
        path: of the file; made where missing.
        limit: bytes that all files of the folder together may take.
    """

    def __init__(self, path: Path, limit: float) -> None:
        self.path, self.limit = path, limit
        self.trouble = ""
        """Why nothing more is written down; empty while all is well."""
        self._pending: dict[bytes, Answer] = {}

    def read(self, names: Sequence[bytes]) -> dict[bytes, Answer]:
        """Return what is known of the pictures NAMES."""
        outputs = {name: self._pending[name] for name in names if name in self._pending}
        left = [name for name in set(names) if name not in outputs]
        if not self.path.is_file():
            return outputs
        with self._noticing(), self._open() as database:
            for start in range(0, len(left), ASKED):
                some = left[start : start + ASKED]
                marks = ", ".join("?" * len(some))
                asked = f"SELECT * FROM answers WHERE name IN ({marks})"  # noqa: S608 - marks only
                rows = database.execute(asked, some).fetchall()
                outputs |= {bytes(name): from_columns(columns) for name, *columns in rows}
        return outputs

    def write(self, answers: Mapping[bytes, Answer]) -> None:
        """Note ANSWERS by the names of their pictures; on the disk after some more, or `flush`."""
        if not self.trouble:
            self._pending |= answers
            if len(self._pending) >= TOGETHER:
                self.flush()

    def flush(self) -> None:
        """Bring to the disk what was noted."""
        rows = [(name, *output.columns()) for name, output in self._pending.items()]
        self._pending = {}
        if rows and not self.trouble and self._fits(sum(map(len, map(b"".join, rows)))):
            marks = ", ".join("?" * len(rows[0]))
            with self._noticing(), self._open() as database, database:
                added = f"INSERT OR IGNORE INTO answers VALUES ({marks})"  # noqa: S608 - marks only
                database.executemany(added, rows)

    def _fits(self, more: int) -> bool:
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        used = sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}"))
        if used + more > self.limit:
            self.trouble = f"{folder} holds {used / 1e9:.1f} GB, as much as distill.cache_gb allows"
        elif shutil.disk_usage(folder).free - more < SPARED:
            self.trouble = f"the disk of {folder} is nearly full"
        return not self.trouble

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE)) as database:
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(TABLE)
            yield database

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        """Go on without the file where it can't be used; a damaged one is begun anew."""
        try:
            yield
        except sqlite3.OperationalError as error:  # in use for too long, no room, read-only
            self.trouble = f"{self.path} can't be used: {error}"
        except (sqlite3.DatabaseError, ValueError):
            with contextlib.suppress(OSError):
                self.path.unlink()
                self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)


def identity(teacher: Detector, *asked: object) -> str:
    """Return what stands for the weights and form of TEACHER, and for what is ASKED of it."""
    digest = hashlib.sha256(repr((FORMAT, asdict(teacher.config), *asked)).encode())
    for name, value in teacher.state_dict().items():
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
