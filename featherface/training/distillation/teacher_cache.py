"""Teacher outputs cached in SQLite, keyed by a hash of each picture's pixels.

One file for each teacher. Programs may be killed at any moment, several may share a file, and it
may be deleted: it only saves the time to compute the outputs again.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
from typing import TYPE_CHECKING

from featherface.training.distillation.teacher_outputs import FORMAT, PARTS, from_columns
from featherface.variants.config import identity as network_identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from featherface.networks.detector import Detector
    from featherface.training.distillation.teacher_outputs import TeacherOutput

SUFFIX = ".sqlite"
TABLE = f"CREATE TABLE IF NOT EXISTS answers (name BLOB PRIMARY KEY, {', '.join(PARTS)})"
BATCH_ROWS = 256
"""Rows written in one transaction, since each waits for the disk."""
QUERY_NAMES = 500
"""Names in one query, fewer than any SQLite allows."""
MIN_FREE_BYTES = 2**30
"""Bytes of the disk that stay free, for weights."""
LOCK_TIMEOUT_S = 30.0
"""Seconds to wait for another program that writes."""


class TeacherCache:
    """Cached outputs of one teacher.

    Args:
        path: of the file; made where missing.
        limit: bytes that all files of the folder together may take.
    """

    def __init__(self, path: Path, limit: float) -> None:
        self.path, self.limit = path, limit
        self.trouble = ""
        """Why nothing more is written; empty while all is well."""
        self._pending: dict[bytes, TeacherOutput] = {}

    def read(self, names: Sequence[bytes]) -> dict[bytes, TeacherOutput]:
        """Return the cached outputs of the pictures NAMES."""
        outputs = {name: self._pending[name] for name in names if name in self._pending}
        missing = [name for name in set(names) if name not in outputs]
        if not self.path.is_file():
            return outputs
        with self._tolerating(), self._open() as database:
            for start in range(0, len(missing), QUERY_NAMES):
                chunk = missing[start : start + QUERY_NAMES]
                marks = ", ".join("?" * len(chunk))
                query = f"SELECT * FROM answers WHERE name IN ({marks})"  # noqa: S608 - marks only
                rows = database.execute(query, chunk).fetchall()
                outputs |= {bytes(name): from_columns(columns) for name, *columns in rows}
        return outputs

    def write(self, outputs: Mapping[bytes, TeacherOutput]) -> None:
        """Add OUTPUTS by the names of their pictures; on the disk after BATCH_ROWS, or `flush`."""
        if not self.trouble:
            self._pending |= outputs
            if len(self._pending) >= BATCH_ROWS:
                self.flush()

    def flush(self) -> None:
        """Write pending rows to the disk, if there is room."""
        rows = [(name, *output.columns()) for name, output in self._pending.items()]
        self._pending = {}
        if rows and not self.trouble and self._fits(sum(map(len, map(b"".join, rows)))):
            marks = ", ".join("?" * len(rows[0]))
            with self._tolerating(), self._open() as database, database:
                added = f"INSERT OR IGNORE INTO answers VALUES ({marks})"  # noqa: S608 - marks only
                database.executemany(added, rows)

    def _fits(self, more: int) -> bool:
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        used = sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}"))
        if used + more > self.limit:
            self.trouble = f"{folder} holds {used / 1e9:.1f} GB, as much as distill.cache_gb allows"
        elif shutil.disk_usage(folder).free - more < MIN_FREE_BYTES:
            self.trouble = f"the disk of {folder} is nearly full"
        return not self.trouble

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_S)) as database:
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(TABLE)
            yield database

    @contextlib.contextmanager
    def _tolerating(self) -> Iterator[None]:
        """Go on without the file where it can't be used; a damaged one is begun anew."""
        try:
            yield
        except sqlite3.OperationalError as error:  # in use for too long, no room, read-only
            self.trouble = f"{self.path} can't be used: {error}"
        except (sqlite3.DatabaseError, ValueError):
            with contextlib.suppress(OSError):
                self.path.unlink()
                self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)


def identity(teacher: Detector, *requested: object) -> str:
    """Return a hash of the weights and configuration of TEACHER, and of the REQUESTED parts."""
    values = network_identity(teacher.config)
    digest = hashlib.sha256(repr((FORMAT, values, *requested)).encode())
    for name, value in teacher.state_dict().items():
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
