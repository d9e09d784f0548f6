"""Finishing an interrupted write: after an error, after a crash, after two saves at once.

A write may leave two hidden files beside its target (`folder.other_hidden_name`). What they hold
is known by its hash: the file as it was, as it should become, or something that neither side
knew - a student's save, which is given back or kept where it can be found.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.errors import HeldError, RefusedError
from featherface.filesystem.atomic import write_atomic
from vault_sync.engine.disk.folder import other_hidden_name
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.names import parent
from vault_sync.engine.journal import Journal, journals, read_steps, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vault_sync.engine.disk.folder import Folder


@dataclass(frozen=True)
class RecoveredWrite:
    """An interrupted write that was finished."""

    path: str
    written: bool
    """Whether the new content is in place."""
    intent: Mapping[str, Any]
    kept_aside: tuple[Path, ...] = ()
    """Where bytes that neither side knew were put: an editor's saves."""
    remains: bool = False
    """Whether a hidden file is still there, because another program holds it."""


def recover(state: Path, vault: Path, identity: str) -> list[RecoveredWrite]:
    """Complete what was left open: each file is the old or the new one, no stray is left.

    Returns every write of the broken journals of this vault, for the state that was not saved
    either. Journals of another vault are completed when that one is written to.

    Raises:
        HeldError: a program holds the file whose content must be put back under its name.
    """
    recovered: list[RecoveredWrite] = []
    if not any(vault.iterdir()):  # an empty mount point: the files are elsewhere
        return recovered
    for folder, steps in _unfinished(state, identity):
        journal = Journal.reopen(folder, state, vault)
        recovered += _recover_steps(journal, steps)
        journal.end(recovered=True)
    return recovered


def interrupted(state: Path, identity: str) -> list[Path]:
    """Return the journals of a vault that a crash left open."""
    return [folder for folder, steps in _unfinished(state, identity) if not _ended(steps)]


def finish_write(
    state: Path, vault: Path, intent: Mapping[str, Any], *, ready: bool = True
) -> RecoveredWrite:
    """Give the file of INTENT its content back, and remove the hidden ones.

    Not READY: the temporary file may be half-written, and holds no save of a student's.

    Raises:
        HeldError: a program holds the file whose content must be put back under its name.
    """
    kept_aside: list[Path] = []
    remains = False
    name = intent["path"].rsplit("/", 1)[-1]
    try:
        with open_folder(vault, _place(vault, intent)) as folder:
            if ready:
                kept_aside.extend(
                    keep_aside(state, intent["path"], data)
                    for data in _give_back(folder, name, intent)
                )
            remains = not _clear(folder, intent["temporary"])
            folder.sync()
            written = sha256(folder.read(name)) == intent["after"]
    except FileNotFoundError:
        written = intent["after"] is None
    except RefusedError:
        written = False
    return RecoveredWrite(intent["path"], written, intent, tuple(kept_aside), remains)


def is_in_place(vault: Path, intent: Mapping[str, Any]) -> bool:
    """Whether a file stands at the path of INTENT, or none stood there before the write."""
    with open_folder(vault, _place(vault, intent)) as folder:
        return intent["before"] is None or folder.exists(intent["path"].rsplit("/", 1)[-1])


def keep_aside(state: Path, path: str, data: bytes) -> Path:
    """Put a save that a later one has taken the place of where the student can find it."""
    name = f"{str(sha256(data))[:12]}-{path.rsplit('/', 1)[-1]}"
    target = state / "conflicts" / "recovered" / name
    write_atomic(target, data)
    return target


def _unfinished(state: Path, identity: str) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for folder in journals(state):
        steps = read_steps(folder)
        over = _ended(steps) and not steps[-1].get("left")
        if not over and (not steps or steps[0].get("vault") == identity):
            yield folder, steps


def _ended(steps: list[dict[str, Any]]) -> bool:
    return bool(steps) and steps[-1]["step"] == "end"


def _recover_steps(journal: Journal, steps: list[dict[str, Any]]) -> Iterator[RecoveredWrite]:
    """Yield the writes of a journal; of one that was ended only those that left something."""
    done = {step["number"]: step for step in steps if step["step"] == "done"}
    ready = {step["number"] for step in steps if step["step"] == "ready"}
    left = set(steps[-1]["left"]) if _ended(steps) else None
    for step in steps:
        if step["step"] != "intent" or (left is not None and step["number"] not in left):
            continue
        known = done.get(step["number"])
        if known is not None and left is None:
            yield RecoveredWrite(step["path"], known["written"], step)
        if known is None or known.get("left"):
            yield from _complete(journal, step, known, ready=step["number"] in ready)


def _complete(
    journal: Journal, step: dict[str, Any], known: dict[str, Any] | None, *, ready: bool
) -> Iterator[RecoveredWrite]:
    """End a write; what is KNOWN to be done has left a hidden file at most."""
    intent = journal.intent(step)
    try:
        recovered = finish_write(journal.state, journal.vault, step, ready=ready)
    except HeldError:
        if not is_in_place(journal.vault, step):
            raise
        return  # it stays open
    intent.done(written=known["written"] if known else recovered.written, left=recovered.remains)
    yield recovered if known is None else replace(recovered, written=False)


def _give_back(folder: Folder, name: str, intent: Mapping[str, Any]) -> Iterator[bytes]:
    """Put the save of an editor back in its place; yield those that a later one is in the way of.

    What is yielded is kept before the hidden file that holds it is removed.
    """
    known = (intent["before"], intent["after"])
    names = intent["temporary"], other_hidden_name(intent["temporary"])
    hidden = {
        temporary: data for temporary in names if (data := folder.read(temporary)) is not None
    }
    unknown_saves = [temporary for temporary in hidden if sha256(hidden[temporary]) not in known]
    if len(hidden) == len(names) and not folder.exists(name):  # stopped between two renames
        old = [temporary for temporary in hidden if sha256(hidden[temporary]) == intent["before"]]
        back = (*unknown_saves, *old, *names)[0]
        with contextlib.suppress(FileExistsError):
            folder.publish(back, name)
            unknown_saves = [temporary for temporary in unknown_saves if temporary != back]
    for hidden_name in unknown_saves[1:]:
        yield hidden[hidden_name]
    if unknown_saves and sha256(folder.read(name)) == intent["after"]:
        folder.remove(other_hidden_name(unknown_saves[0]))
        yield from _put(folder, unknown_saves[0], name, known)
    elif unknown_saves:
        yield hidden[unknown_saves[0]]


def _put(folder: Folder, hidden: str, name: str, known: tuple[str | None, ...]) -> Iterator[bytes]:
    """Put a save in the place of what we wrote; yield it, or a later one, where they cross."""
    try:
        if not folder.exists(name):
            folder.publish(hidden, name)
            return
        out = folder.exchange(hidden, name)
    except (FileExistsError, FileNotFoundError):
        out = hidden
    came = folder.read(out)
    if came is not None and sha256(came) not in known:
        yield came


def _place(vault: Path, intent: Mapping[str, Any]) -> str:
    """Return the folder of an open write, found again by its hidden files if it was moved."""
    names = {intent["temporary"], other_hidden_name(intent["temporary"])}
    where = parent(intent["path"])
    with contextlib.suppress(FileNotFoundError, RefusedError), open_folder(vault, where) as folder:
        if any(folder.exists(name) for name in names):
            return where
    for path, _, files in os.walk(vault):
        if names.intersection(files):
            relative = Path(path).relative_to(vault).as_posix()
            return "" if relative == "." else relative
    return where


def _clear(folder: Folder, temporary: str) -> bool:
    """Remove the hidden files of a write; False where another program holds one."""
    try:
        folder.remove(temporary)
        folder.remove(other_hidden_name(temporary))
    except HeldError:
        return False
    return True
