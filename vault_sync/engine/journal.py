"""The journal of writes into a vault: what each file was, kept before it is touched.

    .thesis/journal/000042/steps.jsonl     one line per intent and outcome, flushed to the disk
    .thesis/journal/000042/<sha>.before    each file as it was

A journal whose last line is not `end` was broken by a crash; `recover` completes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featherface.errors import RefusedError
from featherface.files import sync_folder, write_atomic
from vault_sync.engine.folders import open_folder
from vault_sync.engine.names import parent

if TYPE_CHECKING:
    from pathlib import Path

    from vault_sync.engine.folders import Folder
    from vault_sync.engine.plans import Write

KEPT = 100
"""Journals of earlier syncs that are kept, for undoing them."""


def sha256(data: bytes | None) -> str | None:
    """SHA-256 of a file's content; None for a file that is not there."""
    return None if data is None else hashlib.sha256(data).hexdigest()


class Journal:
    """The journal of one sync; its folder is made with the first intent."""

    def __init__(self, state: Path, vault: Path) -> None:
        self._state = state
        self._vault = vault
        self.folder: Path | None = None
        self._intent: dict[str, Any] = {}
        self._ready = False

    def intend(self, write: Write, before: bytes | None, temporary: str) -> None:
        """Keep what the file was, then say what is about to be written; both reach the disk."""
        folder = self._open()
        if before is not None:
            image = folder / f"{sha256(before)}.before"
            if not image.exists():
                write_atomic(image, before)
        self._intent = {
            "step": "intent",
            "path": write.path,
            "before": sha256(before),
            "after": sha256(write.after),
            "temporary": temporary,
            "note": write.note,
            "whole": write.whole,
            "blocks": sorted(write.bodies),
            "properties": dict(write.properties),
        }
        self._append(self._intent)
        self._ready = False

    def ready(self) -> None:
        """Say that the temporary file is whole: from now on it may hold a student's save."""
        self._append({"step": "ready", "path": self._intent["path"]})
        self._ready = True

    def done(self, *, written: bool) -> None:
        """Say that the latest intent is over."""
        self._append({"step": "done", "path": self._intent["path"], "written": written})

    def settle(self) -> None:
        """Bring the latest intent to an end after an error, as `recover` would."""
        over = _complete(self._state, self._vault, self._intent, ready=self._ready)
        self.done(written=over.written)

    def end(self) -> None:
        """Close the journal."""
        if self.folder is not None:
            self._append({"step": "end"})
            _prune(self._state / "journal")

    def _open(self) -> Path:
        if self.folder is None:
            parent_folder = self._state / "journal"
            parent_folder.mkdir(parents=True, exist_ok=True)
            numbers = [int(path.name) for path in parent_folder.iterdir() if path.name.isdigit()]
            self.folder = parent_folder / f"{max(numbers, default=0) + 1:06d}"
            self.folder.mkdir()
            sync_folder(parent_folder)
            self._append({"step": "begin", "vault": str(self._vault)})
        return self.folder

    def _append(self, step: dict[str, Any]) -> None:
        with (self._open() / "steps.jsonl").open("ab") as file:
            file.write((json.dumps(step, ensure_ascii=False) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True)
class Recovered:
    """One write that a crash had left open."""

    path: str
    written: bool
    """Whether the new content is in place."""
    intent: dict[str, Any]
    kept: Path | None = None
    """Where bytes that neither side knew were put: an editor's save during the crash."""


def recover(state: Path, vault: Path) -> list[Recovered]:
    """Complete what a crash left open: each file is the old or the new one, no stray is left.

    Returns every write of the broken journals, for the state that was not saved either.
    """
    found: list[Recovered] = []
    for folder in sorted((state / "journal").glob("[0-9]*")):
        steps = _read_steps(folder / "steps.jsonl")
        if steps and steps[-1]["step"] == "end":
            continue
        if steps and steps[0].get("vault") not in (None, str(vault)):
            continue  # of another vault, recovered when that one is synced
        found += _recover_steps(state, vault, steps)
        with (folder / "steps.jsonl").open("ab") as file:
            file.write(b'\n{"step": "end", "recovered": true}\n')
            file.flush()
            os.fsync(file.fileno())
    return found


def _recover_steps(state: Path, vault: Path, steps: list[dict[str, Any]]) -> list[Recovered]:
    over = {step["path"]: step["written"] for step in steps if step["step"] == "done"}
    ready = {step["path"] for step in steps if step["step"] == "ready"}
    found = []
    for step in steps:
        if step["step"] != "intent":
            continue
        path = step["path"]
        if path in over:
            found.append(Recovered(path, over[path], step))
        else:
            found.append(_complete(state, vault, step, ready=path in ready))
    return found


def _complete(state: Path, vault: Path, intent: dict[str, Any], *, ready: bool) -> Recovered:
    """Remove the temporary file of an open intent, and see which content is in place."""
    name = intent["path"].rsplit("/", 1)[-1]
    kept: Path | None = None
    try:
        with open_folder(vault, parent(intent["path"])) as folder:
            left = folder.read(intent["temporary"]) if ready else None
            if left is not None and sha256(left) not in (intent["before"], intent["after"]):
                kept = _give_back(folder, intent, left, state)
            folder.remove(intent["temporary"])
            folder.sync()
            written = sha256(folder.read(name)) == intent["after"]
    except (FileNotFoundError, RefusedError):
        written = False
    return Recovered(intent["path"], written, intent, kept)


def _give_back(folder: Folder, intent: dict[str, Any], left: bytes, state: Path) -> Path | None:
    """Put an editor's save, exchanged away just before the crash, back in its place."""
    name = intent["path"].rsplit("/", 1)[-1]
    if sha256(folder.read(name)) == intent["after"]:
        folder.replace(intent["temporary"], name)
        return None
    kept = state / "conflicts" / "recovered" / f"{str(sha256(left))[:12]}-{name}"
    write_atomic(kept, left)
    return kept


def _read_steps(path: Path) -> list[dict[str, Any]]:
    """Read the steps; a half-written last line is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    steps = []
    for line in lines:
        try:
            steps.append(json.loads(line))
        except ValueError:
            continue
    return steps


def _prune(folder: Path) -> None:
    for old in sorted(folder.glob("[0-9]*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
