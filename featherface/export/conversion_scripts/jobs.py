"""What a program of this room is asked, and how it answers."""

from __future__ import annotations

import json
import statistics
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Job = dict[str, Any]
    Session = Callable[[Any], Sequence[Any]]

NAMES = ("boxes", "scores", "landmarks")
"""Outputs of a network, in its order."""
METADATA = "metadata.json"
"""Member of an archive that says which network it holds."""
WRITTEN = (2026, 1, 1, 0, 0, 0)
"""Time of every member of an archive: the same files make the same archive."""


def obey(convert: Callable[[Job], None], run: Callable[[Job], None]) -> None:
    """Do the job that the command line names."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    {"convert": convert, "run": run}[job["do"]](job)


def answer(job: Job, session: Session) -> None:
    """Answer each picture of `pictures` with SESSION, and time `passes` more of the first.

    SESSION takes (1,3,H,W) and gives boxes, scores and landmarks. Written to `answers`: each of
    them for all pictures, and the median of the passes in milliseconds.
    """
    pictures = np.load(job["pictures"])["images"]
    outputs = [[np.array(output) for output in session(picture[None])] for picture in pictures]
    passes = []
    for _ in range(job["passes"]):
        start = time.perf_counter()
        session(pictures[:1])
        passes.append(1000 * (time.perf_counter() - start))
    columns = zip(*outputs, strict=True)
    joined: Job = {name: np.concatenate(each) for name, each in zip(NAMES, columns, strict=True)}
    np.savez(job["answers"], milliseconds=statistics.median(passes) if passes else 0.0, **joined)


def pack(folder: Path, archive: Path, metadata: dict[str, str]) -> None:
    """Put all files of FOLDER and METADATA into ARCHIVE, a zip file."""
    (folder / METADATA).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), WRITTEN)
            member.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(member, path.read_bytes())
