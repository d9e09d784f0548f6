"""Writing a run's folder while it works: record, events, results, data; each step crash-safe."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
from typing import TYPE_CHECKING, Any

from experiments.records.record import now
from experiments.records.run import EVENTS, RESULTS
from experiments.records.seal import Seal, seal
from experiments.redaction import clean_text, clean_values
from featherface.errors import HeldError
from featherface.filesystem.append import append_lines
from featherface.filesystem.atomic import left_over, read_text, remove, sync_file, write_atomic
from featherface.filesystem.os_errors import unavailable
from featherface.filesystem.retry import MOMENT, insist, spared

LOG = "log.txt"
TABLE = "metrics.csv"
STATE = "state.pt"
"""What a training goes on from, as `featherface.training.state` calls it."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from experiments.metrics import Metric
    from experiments.records.record import Record


def append_event(folder: Path, event: Mapping[str, Any]) -> None:
    """Append one line to metrics.jsonl, without secrets, and flush it to the disk.

    A line that a crash left half-written is closed first, so that no event is lost to it.

    Raises:
        HeldError: another program holds it; nothing was written.
        UnavailableError: the disk is full or read-only.
    """
    line = json.dumps(clean_values(dict(event)), ensure_ascii=False, allow_nan=False, default=float)
    append_lines(folder / EVENTS, f"{line}\n")


def cut_events(folder: Path, count: int) -> None:
    """Drop the training events numbered COUNT and up: a resumed training tells them again."""
    path = folder / EVENTS
    if not path.is_file():
        return
    kept = []
    for line in read_text(path).splitlines():
        try:
            number = json.loads(line).get("event", -1)
        except (ValueError, AttributeError):
            continue
        if number < count:
            kept.append(f"{line}\n")
    write_atomic(path, "".join(kept))


def write_table(
    folder: Path, epochs: Sequence[Mapping[str, Any]], *, seconds: float | None = None
) -> None:
    """Write the events of EPOCHS as metrics.csv, a column for each value, for spreadsheets.

    SECONDS are waited for a spreadsheet that holds the file, where not the usual minute.

    Raises:
        HeldError: it holds the file still.
        UnavailableError: the disk is full or read-only.
    """
    columns = dict.fromkeys(
        key for epoch in epochs for key in epoch if key not in ("kind", "event")
    )
    text = io.StringIO()
    table = csv.DictWriter(text, list(columns), extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(epochs)
    write_atomic(folder / TABLE, text.getvalue(), seconds=seconds)


class Log:
    """The log.txt of a run; lines for which it is held wait for the next."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG
        self.waiting: list[str] = []

    def add(self, text: str) -> None:
        """Append TEXT, cleaned, with the time, or keep it for the next line where the file is held.

        Raises:
            UnavailableError: the disk is full or read-only.
        """
        self.waiting.append(f"{now()} {clean_text(text)}\n")
        with spared("its lines are written later"):
            self.flush(MOMENT)

    def flush(self, seconds: float | None = None) -> None:
        """Write the lines that wait.

        Raises:
            HeldError: another program holds the file for more than SECONDS.
            UnavailableError: the disk is full or read-only.
        """
        if not self.waiting:
            return
        data = "".join(self.waiting).encode("utf-8")
        try:
            with insist(lambda: self.path.open("ab"), self.path, seconds=seconds) as file:
                file.write(data)
        except OSError as error:
            raise unavailable(error, self.path) from error
        self.waiting = []


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in PATH; empty where there is no such file, or it is damaged.

    Raises:
        HeldError: another program lets nobody read it: it is not empty for that.
        UnavailableError: it can't be read for another reason.
    """
    try:
        content = json.loads(read_text(path))
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise unavailable(error, path, verb="read") from error
    return content if isinstance(content, dict) else {}


def merge_json(path: Path, changes: Mapping[str, Any]) -> None:
    """Lay CHANGES over the mapping in PATH, atomically."""
    write_json(path, read_json(path) | dict(changes))


def keep_findings(
    folder: Path, stage: str, metrics: Iterable[Metric], details: Mapping[str, Any]
) -> None:
    """Put a stage's metrics and details into results.json; those of the same name give way."""
    before = read_json(folder / RESULTS)
    fresh = [metric.to_json() for metric in metrics]
    names = {metric["name"] for metric in fresh}
    kept = [metric for metric in before.get("metrics", []) if metric.get("name") not in names]
    known = {**before.get("details", {}), stage: dict(details)}
    write_json(folder / RESULTS, {"schema": 1, "metrics": kept + fresh, "details": known})


def clear_work(folder: Path) -> None:
    """Remove what only a resume would need: leftover temporary files, the optimizer's state.

    Raises:
        HeldError: another program holds the state.
    """
    for path in folder.rglob(".*.tmp"):
        if left_over(path.name):  # no part of a record: one that is held may stay
            with contextlib.suppress(HeldError):
                remove(path, seconds=MOMENT)
    remove(folder / "checkpoints" / STATE)


def write_json(path: Path, content: Any) -> None:
    """Write CONTENT as JSON, atomically and without secrets; numbers in full precision."""
    text = json.dumps(clean_values(content), ensure_ascii=False, indent=1, allow_nan=False)
    write_atomic(path, text + "\n")


def write_results(
    folder: Path, metrics: Iterable[Metric], details: Mapping[str, Any] | None = None
) -> None:
    """Write results.json: the final metrics, and each stage's details."""
    plain = [metric.to_json() for metric in metrics]
    write_json(folder / RESULTS, {"schema": 1, "metrics": plain, "details": dict(details or {})})


def finish(folder: Path, record: Record) -> Seal:
    """Write the final RECORD and seal the folder; nothing may change in it afterwards."""
    record.write(folder)
    for name in (LOG, EVENTS):  # appended to, and the seal must not outlive their last lines
        path = folder / name
        if path.is_file():
            insist(functools.partial(sync_file, path), path)
    return seal(folder)
