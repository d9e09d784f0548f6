"""The journal of writes into a vault: what each file was, kept before it is touched.

    .thesis/journal/000042/steps.jsonl     one line per intent and outcome, flushed to the disk
    .thesis/journal/000042/<sha>.before    each file as it was

A journal whose last line is not `end` was broken by a crash; `recovery` completes it. One whose
`end` names numbers as `left` was not, but another program held what is to be cleared away.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from featherface.filesystem.atomic import sync_folder, write_atomic
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vault_sync.engine.plans import Write
    from vault_sync.engine.state import Patch

KEPT = 100
"""Journals of earlier syncs that are kept, for undoing them."""
STEPS = "steps.jsonl"


def sha256(data: bytes | None) -> str | None:
    """SHA-256 of a file's content; None for a file that is not there."""
    return None if data is None else hashlib.sha256(data).hexdigest()


class Journal:
    """The journal of one sync; its folder is made with the first intent."""

    def __init__(self, state: Path, vault: Path, identity: str, about: dict[str, Any]) -> None:
        self.state = state
        self.vault = vault
        self.folder: Path | None = None
        self._begin = {"step": "begin", "vault": identity, **about}
        self._count = 0
        self._open: set[int] = set()
        """Numbers of writes that are not finished, or left a hidden file."""

    @classmethod
    def reopen(cls, folder: Path, state: Path, vault: Path) -> Journal:
        """Open the journal of an earlier sync, to complete it."""
        journal = cls(state, vault, "", {})
        journal.folder = folder
        with (folder / STEPS).open("ab") as file:
            file.write(b"\n")  # the last line may be half-written
        return journal

    def intend(
        self, write: Write, temporary: str, memory: tuple[Patch, Patch], folders: Sequence[str] = ()
    ) -> Intent:
        """Keep what the file was, then say what is about to be written; both reach the disk.

        MEMORY is what will be remembered, and the patch that takes it back; FOLDERS are those
        that are made for the file.
        """
        folder = self._ensure_folder()
        if write.before is not None:
            image = folder / f"{sha256(write.before)}.before"
            if not image.exists():
                write_atomic(image, write.before)
        self._count += 1
        step = {
            "step": "intent",
            "number": self._count,
            "path": write.path,
            "before": sha256(write.before),
            "after": sha256(write.after),
            "temporary": temporary,
            "remember": memory[0],
            "forget": memory[1],
            "folders": list(folders),
        }
        self.append(step)
        return self.intent(step)

    def intent(self, step: Mapping[str, Any]) -> Intent:
        """Go on with a write that the journal knows of."""
        self._open.add(step["number"])
        return Intent(self, step)

    def end(self, **about: Any) -> None:
        """Close the journal; what is not over is named, for the next command to complete."""
        if self.folder is not None:
            left = {"left": sorted(self._open)} if self._open else {}
            self.append({"step": "end", **about, **left})
            _prune(self.state)

    def append(self, step: Mapping[str, Any]) -> None:
        """Add a step; it has reached the disk when this returns."""
        path = self._ensure_folder() / STEPS
        line = (json.dumps(step, ensure_ascii=False) + "\n").encode()
        with insist(lambda: path.open("ab"), path) as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def forget(self, number: int) -> None:
        """Drop a write whose hidden files are gone: `end` will not name it as left."""
        self._open.discard(number)

    def _ensure_folder(self) -> Path:
        if self.folder is None:
            parent_folder = self.state / "journal"
            parent_folder.mkdir(parents=True, exist_ok=True)
            number = max((int(path.name) for path in journals(self.state)), default=0) + 1
            self.folder = parent_folder / f"{number:06d}"
            self.folder.mkdir()
            sync_folder(parent_folder)
            self.append({**self._begin, "time": datetime.now(UTC).isoformat(timespec="seconds")})
        return self.folder


class Intent:
    """One write that the journal knows of."""

    def __init__(self, journal: Journal, step: Mapping[str, Any]) -> None:
        self._journal = journal
        self.step = step
        self.is_ready = False

    def ready(self) -> None:
        """Say that the temporary file is whole: from now on it may hold a student's save."""
        self._journal.append({"step": "ready", "number": self.step["number"]})
        self.is_ready = True

    def done(self, *, written: bool, left: bool = False) -> None:
        """Say that it is over; LEFT: a hidden file could not be removed."""
        number = self.step["number"]
        about = {"left": True} if left else {}
        self._journal.append({"step": "done", "number": number, "written": written, **about})
        if not left:
            self._journal.forget(number)


def journals(state: Path) -> list[Path]:
    """Return the folders of all journals, oldest first."""
    folders = [path for path in (state / "journal").glob("[0-9]*") if path.name.isdigit()]
    return sorted(folders, key=lambda path: int(path.name))


def read_steps(folder: Path) -> list[dict[str, Any]]:
    """Read the steps of a journal; a half-written last line is left out."""
    try:
        lines = (folder / STEPS).read_bytes().splitlines()
    except OSError:
        return []
    steps = []
    for line in lines:
        try:
            steps.append(json.loads(line))
        except ValueError:
            continue
    return steps


def _prune(state: Path) -> None:
    for old in journals(state)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
