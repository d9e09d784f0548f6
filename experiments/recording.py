"""Writing a run's folder while it works: record, events, results, data; each step crash-safe."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from experiments.seal import Seal, seal
from experiments.store import EVENTS, RESULTS
from featherface.errors import UnavailableError
from featherface.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
    return seal(folder)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    return last
