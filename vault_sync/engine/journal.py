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
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from featherface.errors import RefusedError
from featherface.files import sync_folder, write_atomic
from vault_sync.engine.folders import open_folder
from vault_sync.engine.names import parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vault_sync.engine.folders import Folder
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
        folder = self._open()
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
        return Intent(self, step)

    def end(self) -> None:
        """Close the journal."""
        if self.folder is not None:
            self.append({"step": "end"})
            _prune(self.state)

    def append(self, step: dict[str, Any]) -> None:
        """Add a step; it has reached the disk when this returns."""
        with (self._open() / STEPS).open("ab") as file:
            file.write((json.dumps(step, ensure_ascii=False) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())

    def _open(self) -> Path:
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

    def __init__(self, journal: Journal, step: dict[str, Any]) -> None:
        self._journal = journal
        self._step = step
        self._ready = False

    def ready(self) -> None:
        """Say that the temporary file is whole: from now on it may hold a student's save."""
        self._journal.append({"step": "ready", "number": self._step["number"]})
        self._ready = True

    def done(self, *, written: bool) -> None:
        """Say that it is over."""
        number = self._step["number"]
        self._journal.append({"step": "done", "number": number, "written": written})

    def settle(self) -> None:
        """Bring it to an end after an error, as `recover` would."""
        over = _complete(self._journal.state, self._journal.vault, self._step, ready=self._ready)
        self.done(written=over.written)


def journals(state: Path) -> list[Path]:
    """Return the folders of all journals, oldest first."""
    found = [path for path in (state / "journal").glob("[0-9]*") if path.name.isdigit()]
    return sorted(found, key=lambda path: int(path.name))


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


def interrupted(state: Path, identity: str) -> list[Path]:
    """Return the journals of a vault that a crash left open."""
    return [folder for folder, _ in _open_journals(state, identity)]


@dataclass(frozen=True)
class Recovered:
    """One write that a crash had left open."""

    path: str
    written: bool
    """Whether the new content is in place."""
    intent: dict[str, Any]
    kept: Path | None = None
    """Where bytes that neither side knew were put: an editor's save during the crash."""


def recover(state: Path, vault: Path, identity: str) -> list[Recovered]:
    """Complete what a crash left open: each file is the old or the new one, no stray is left.

    Returns every write of the broken journals of this vault, for the state that was not saved
    either. Journals of another vault are completed when that one is written to.
    """
    found: list[Recovered] = []
    if not any(vault.iterdir()):  # an empty mount point: the files are elsewhere
        return found
    for folder, steps in _open_journals(state, identity):
        journal = Journal.reopen(folder, state, vault)
        found += _recover_steps(journal, steps)
        journal.append({"step": "end", "recovered": True})
    return found


def _open_journals(state: Path, identity: str) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for folder in journals(state):
        steps = read_steps(folder)
        over = bool(steps) and steps[-1]["step"] == "end"
        if not over and (not steps or steps[0].get("vault") == identity):
            yield folder, steps


def _recover_steps(journal: Journal, steps: list[dict[str, Any]]) -> list[Recovered]:
    over = {step["number"]: step["written"] for step in steps if step["step"] == "done"}
    ready = {step["number"] for step in steps if step["step"] == "ready"}
    found = []
    for step in steps:
        if step["step"] != "intent":
            continue
        number = step["number"]
        if number in over:
            found.append(Recovered(step["path"], over[number], step))
            continue
        one = _complete(journal.state, journal.vault, step, ready=number in ready)
        journal.append({"step": "done", "number": number, "written": one.written})
        found.append(one)
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
    except FileNotFoundError:
        written = intent["after"] is None
    except RefusedError:
        written = False
    return Recovered(intent["path"], written, intent, kept)


def _give_back(folder: Folder, intent: dict[str, Any], left: bytes, state: Path) -> Path | None:
    """Put an editor's save, exchanged away just before the crash, back in its place."""
    name = intent["path"].rsplit("/", 1)[-1]
    if sha256(folder.read(name)) == intent["after"]:
        folder.replace(intent["temporary"], name)
        return None
    return keep_aside(state, intent["path"], left)


def keep_aside(state: Path, path: str, data: bytes) -> Path:
    """Put a save that a later one has taken the place of where the student can find it."""
    name = f"{str(sha256(data))[:12]}-{path.rsplit('/', 1)[-1]}"
    kept = state / "conflicts" / "recovered" / name
    write_atomic(kept, data)
    return kept


def _prune(state: Path) -> None:
    for old in journals(state)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
