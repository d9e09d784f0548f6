"""The student's raw outputs of earlier epochs, averaged for each picture.

Temporal ensembling (Laine and Aila, 2017, https://arxiv.org/abs/1610.02242), for a detector's raw
outputs. Differs from the paper: an average begins with the first output instead of a corrected
zero, and boxes and landmarks are averaged where the average is confident of a face.

The averages lie on the disk, each with the step it was made in. A state file of step N goes with
the rows of steps before N, and a row stays until the state file no longer needs it: whenever
training is killed, it goes on with the averages that it had.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import torch

from featherface.devices.dtypes import widened
from featherface.devices.uploads import uploaded
from featherface.errors import UnavailableError
from featherface.filesystem.os_errors import FREE, remedy
from featherface.networks.detector import RawOutput
from featherface.training.distillation.teacher_cache import BATCH_ROWS, LOCK_TIMEOUT_S
from featherface.training.distillation.teacher_outputs import (
    PARTS,
    decode,
    empty_output,
    encode,
    from_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

    from featherface.training.distillation.teacher_outputs import TeacherOutput

OUTPUTS = "outputs.sqlite"
"""The file's name in the training's folder; gone when training is finished."""
TABLE = (
    "CREATE TABLE IF NOT EXISTS outputs"
    f" (name BLOB, step INTEGER, {', '.join(PARTS)}, PRIMARY KEY (name, step))"
)
LATEST = "SELECT * FROM outputs WHERE name = ? AND step < ? ORDER BY step DESC LIMIT 1"
SUPERSEDED = (
    "DELETE FROM outputs WHERE EXISTS (SELECT 1 FROM outputs AS newer"
    " WHERE newer.name = outputs.name AND newer.step > outputs.step)"
)


class TemporalEnsemble:
    """Moving averages of one student's outputs, kept in SQLite.

    Args:
        path: of the file; made where missing.
        decay: share of an average that stays when another output joins.
        confidence: averaged face score from which boxes and landmarks are kept.
    """

    def __init__(self, path: Path, decay: float, confidence: float) -> None:
        self.path, self.decay, self.confidence = path, decay, confidence
        self.since = self.step = 0
        """Optimizer steps before the current epoch, and before the current batch."""
        self._pending: dict[tuple[bytes, int], TeacherOutput] = {}

    def join(self, output: RawOutput, names: Sequence[bytes]) -> RawOutput:
        """Return the averages of earlier epochs for OUTPUT's pictures, and let OUTPUT join them.

        Of pictures NAMES that were not seen before, OUTPUT itself is returned.
        """
        output = RawOutput(*(widened(part.detach()) for part in output))
        earlier = self._read(names)
        empty = empty_output(output.logits.shape[1])
        known = [earlier.get(name, empty) for name in names]
        old = decode(known, output.logits.device)
        places, seen = _marks(known, [name in earlier for name in names], output.logits.device)
        average = self._blended(old, output, places, seen)
        rows = encode(average, (), self.confidence)
        self._pending |= {(name, self.step): row for name, row in zip(names, rows, strict=True)}
        if len(self._pending) >= BATCH_ROWS:
            self.flush()
        return RawOutput(*(torch.where(seen, a, b) for a, b in zip(old, output, strict=True)))

    def _blended(
        self, old: RawOutput, output: RawOutput, places: Tensor, seen: Tensor
    ) -> RawOutput:
        """Return OLD averages with OUTPUT; OUTPUT alone where not SEEN and at new PLACES."""
        logits = output.logits - output.logits[..., :1]  # (B, P, 2): 0, face over background
        share = 1 - self.decay
        return RawOutput(
            torch.where(places, old.boxes.lerp(output.boxes, share), output.boxes),
            torch.where(seen, old.logits.lerp(logits, share), logits),
            torch.where(places, old.landmarks.lerp(output.landmarks, share), output.landmarks),
        )

    def flush(self) -> None:
        """Write pending averages to the disk.

        Raises:
            UnavailableError: it can't be written.
        """
        rows = [(name, step, *output.columns()) for (name, step), output in self._pending.items()]
        marks = ", ".join("?" * (2 + len(PARTS)))
        with self._open() as database:
            added = f"INSERT OR REPLACE INTO outputs VALUES ({marks})"  # noqa: S608 - marks only
            database.executemany(added, rows)
        self._pending = {}

    def prune(self) -> None:
        """Delete what no state file needs: all but the latest average of each picture."""
        with self._open() as database:
            database.execute(SUPERSEDED)

    def state_dict(self) -> dict[str, int]:
        """Return what a state file holds: the step, and how many pictures have an average."""
        return {"step": self.step, "pictures": self._pictures()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go back to the averages of that step.

        Raises:
            UnavailableError: they are not there any more.
        """
        self.step = state["step"]
        with self._open() as database:
            database.execute("DELETE FROM outputs WHERE step >= ?", (self.step,))
        if self._pictures() != state["pictures"]:
            raise UnavailableError(
                f"{self.path} does not hold the outputs that the interrupted training averaged",
                "start a new run with --new",
            )

    def remove(self) -> None:
        """Delete the file: training is finished."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _pictures(self) -> int:
        with self._open() as database:
            row = database.execute("SELECT COUNT(DISTINCT name) FROM outputs").fetchone()
        return int(row[0])

    def _read(self, names: Sequence[bytes]) -> dict[bytes, TeacherOutput]:
        """Return the averages of NAMES as they were when the epoch began."""
        with self._open() as database:
            rows = [database.execute(LATEST, (name, self.since)).fetchone() for name in names]
        return {bytes(row[0]): from_columns(row[2:]) for row in rows if row is not None}

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Yield the file for one transaction."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_S)) as database:
                database.execute(TABLE)
                with database:
                    yield database
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"can't use {self.path}: {error}", f"{_remedy(error)}, then go on with --resume"
            ) from error


def _remedy(error: sqlite3.Error | OSError) -> str:
    """Say what to do about ERROR; SQLite has its own names for what the system refuses."""
    if isinstance(error, OSError):
        return remedy(error)
    full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return FREE if full else "close what uses that file and look at its disk"


def _marks(
    known: Sequence[TeacherOutput], seen: Sequence[bool], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return (B, P, 1) the places of KNOWN, and (B, 1, 1) the pictures SEEN, in one copy."""
    marks = torch.zeros(len(known), len(known[0].face) + 1, dtype=torch.bool)
    for row, output in enumerate(known):
        marks[row, torch.from_numpy(output.places.astype("int64"))] = True
        marks[row, -1] = seen[row]
    there = uploaded(marks, device)[..., None]
    return there[:, :-1], there[:, -1:]
