"""Writing a run's folder while it works: record, events, results, data; each step crash-safe."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any

from experiments.records import now
from experiments.runs import EVENTS, RESULTS
from experiments.seal import Seal, seal
from featherface.errors import UnavailableError
from featherface.files import sync_file, write_atomic

LOG = "log.txt"
TABLE = "metrics.csv"

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from experiments.metrics import Metric
    from experiments.records import Record


def append_event(folder: Path, event: Mapping[str, Any]) -> None:
    """Append one line to metrics.jsonl and flush it to the disk.

    A line that a crash left half-written is closed first, so that no event is lost to it.

    Raises:
        UnavailableError: the disk is full or read-only.
    """
    line = json.dumps(event, ensure_ascii=False, allow_nan=False, default=float)
    path = folder / EVENTS
    try:
        with path.open("ab+") as file:
            torn = file.tell() > 0 and _last_byte(file) != b"\n"
            file.write((b"\n" if torn else b"") + line.encode("utf-8") + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UnavailableError(
            f"can't write {path}: {error.strerror or error}",
            "free some space, then go on with: thesis run NAME --resume",
        ) from error


def cut_events(folder: Path, count: int) -> None:
    """Drop the training events numbered COUNT and up: a resumed training tells them again."""
    path = folder / EVENTS
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            number = json.loads(line).get("event", -1)
        except (ValueError, AttributeError):
            continue
        if number < count:
            kept.append(f"{line}\n")
    write_atomic(path, "".join(kept))


def write_table(folder: Path, epochs: Sequence[Mapping[str, Any]]) -> None:
    """Write the events of EPOCHS as metrics.csv, a column for each value, for spreadsheets.

    Raises:
        UnavailableError: the disk is full or read-only, or a spreadsheet holds the file.
    """
    columns = dict.fromkeys(key for one in epochs for key in one if key not in ("kind", "event"))
    text = io.StringIO()
    table = csv.DictWriter(text, list(columns), extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(epochs)
    write_atomic(folder / TABLE, text.getvalue())


def log(folder: Path, text: str) -> None:
    """Append TEXT to log.txt with the time.

    Raises:
        UnavailableError: the disk is full or read-only.
    """
    path = folder / LOG
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{now()} {text}\n")
    except OSError as error:
        raise UnavailableError(f"can't write {path}: {error.strerror or error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in PATH; empty where there is no such file, or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
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
    names = {one["name"] for one in fresh}
    kept = [one for one in before.get("metrics", []) if one.get("name") not in names]
    known = {**before.get("details", {}), stage: dict(details)}
    write_json(folder / RESULTS, {"schema": 1, "metrics": kept + fresh, "details": known})


def clear_work(folder: Path) -> None:
    """Remove what only a resume would need: the optimizer's state, leftover temporary files."""
    for path in [folder / "checkpoints" / "state.pt", *folder.rglob(".*.tmp")]:
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write CONTENT as JSON, atomically; numbers in full precision."""
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
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
        if (folder / name).is_file():
            sync_file(folder / name)
    return seal(folder)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    return last
