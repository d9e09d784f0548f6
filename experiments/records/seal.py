"""Sealing a record: the hash of every file, written last; any later change shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.records.line_ends import CRLF, LF, LOOKED_AT, as_hashed
from featherface.errors import DataError, HeldError
from featherface.filesystem.atomic import left_over, write_atomic
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SEAL = "SEAL.json"
HEARTBEAT = "heartbeat.json"
FOREIGN = frozenset({SEAL, HEARTBEAT, ".DS_Store", "Thumbs.db", "desktop.ini"})
"""Not part of a record: written by us while it runs, or by file managers."""
LINE_ENDS = "line ends"
"""Kind of a problem that is none of content: git converts line ends, and can be told not to."""
MEND = "thesis doctor --fix"
"""What puts line ends back as they were sealed, and tells git to leave them."""

UNREADABLE = "unreadable"
"""Kind of a problem that may be gone at the next look."""


@dataclass(frozen=True)
class Problem:
    """One way in which a record differs from its seal."""

    path: str
    """Inside the record, with forward slashes."""
    kind: str
    """`changed`, `line ends` (nothing else was changed), `missing`, `added` or `unreadable`."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True)
class Seal:
    """What SEAL.json holds."""

    digest: str
    """SHA-256 over the sorted list of paths, sizes and hashes: the record's identity."""
    files: Mapping[str, Mapping[str, Any]]
    """Path -> {sha256, size in bytes}."""


def seal(folder: Path) -> Seal:
    """Hash every file of FOLDER and write SEAL.json.

    Raises:
        HeldError: another program holds one of them; the record stays unsealed.
        UnavailableError: the disk is full or read-only; the record stays unsealed.
    """
    files = {name: _describe(folder / name) for name in members(folder)}
    made = Seal(digest(files), files)
    content = {"schema": 1, "seal": made.digest, "files": made.files}
    write_atomic(folder / SEAL, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return made


def read_seal(folder: Path) -> Seal:
    """Read FOLDER's SEAL.json.

    Raises:
        DataError: it is missing or damaged.
    """
    path = folder / SEAL
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made = Seal(str(content["seal"]), content["files"])
        plain = {
            name: (str(entry["sha256"]), int(entry["size"])) for name, entry in made.files.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: can't be read: {error}", "thesis runs verify") from error
    del plain
    return made


def verify(folder: Path) -> list[Problem]:
    """Return how FOLDER differs from its seal; nothing where it is intact."""
    try:
        sealed = read_seal(folder)
    except DataError as error:
        return [Problem(SEAL, "unreadable", error.message)]
    if digest(sealed.files) != sealed.digest:
        return [Problem(SEAL, "changed", "its own digest is wrong")]
    present = set(members(folder))
    problems = [Problem(name, "added") for name in sorted(present - set(sealed.files))]
    for name, expected in sealed.files.items():
        problem = _compare(folder, name, expected, present)
        if problem:
            problems.append(problem)
    return problems


def describe_problems(problems: Sequence[Problem]) -> str:
    """Return in one line how a record differs from its seal: the first three PROBLEMS."""
    if only_line_ends(problems):
        files = "1 file" if len(problems) == 1 else f"{len(problems):,} files"
        return f"only line ends differ, as git converts them ({files}); next: {MEND}"
    return ", ".join(str(problem) for problem in problems[:3])


def remedy(problems: Sequence[Problem], run: str) -> str:
    """Return the command to type next about the PROBLEMS of RUN."""
    return MEND if only_line_ends(problems) else f"thesis runs verify {run}"


def only_line_ends(problems: Sequence[Problem]) -> bool:
    """Whether nothing but line ends differs; not so where nothing does."""
    return bool(problems) and all(problem.kind == LINE_ENDS for problem in problems)


def restore_line_ends(folder: Path) -> list[str]:
    """Put the line ends of FOLDER's files back as they were sealed; return the files' paths.

    A file is written only where its sealed hash proves what it held; nothing else is touched,
    but the seal itself, which we write with LF.

    Raises:
        UnavailableError: a file can't be written; it is as it was.
    """
    damaged = {
        problem.path: folder / problem.path
        for problem in verify(folder)
        if problem.kind == LINE_ENDS
    }
    sealed = read_seal(folder).files if damaged else {}
    made: dict[str, bytes | None] = {
        name: as_hashed(path.read_bytes(), sealed[name]["sha256"]) for name, path in damaged.items()
    }
    own = (folder / SEAL).read_bytes()
    if CRLF in own:  # JSON holds no line end but those between its values
        made[SEAL] = own.replace(CRLF, LF)
    restored = {name: content for name, content in made.items() if content is not None}
    for name, content in restored.items():
        write_atomic(folder / name, content)
    return list(restored)


def members(folder: Path) -> list[str]:
    """Return the paths of FOLDER's files, sorted, with forward slashes."""
    return sorted(_walk(folder, ""))


def digest(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the SHA-256 that stands for all of FILES."""
    lines = [f"{entry['sha256']} {entry['size']} {name}\n" for name, entry in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.name in FOREIGN or left_over(entry.name):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}"


def _describe(path: Path) -> dict[str, Any]:
    return {"sha256": _patient_sha256(path), "size": path.stat().st_size}


def _patient_sha256(path: Path) -> str:
    return insist(lambda: sha256(path), path, verb="read")


def _compare(
    folder: Path, name: str, expected: Mapping[str, Any], present: set[str]
) -> Problem | None:
    if name not in present:
        return Problem(name, "missing")
    path = folder / name
    try:
        size = path.stat().st_size
        if size != expected["size"]:
            detail = f"{size} bytes, sealed with {expected['size']}"
            return Problem(name, LINE_ENDS if _converted(path, expected) else "changed", detail)
        if _patient_sha256(path) != expected["sha256"]:
            return Problem(name, "changed", "same size, other content")
    except HeldError as error:
        return Problem(name, UNREADABLE, f"in use by {error.who}")
    except OSError as error:
        return Problem(name, UNREADABLE, error.strerror or str(error))
    return None


def _converted(path: Path, expected: Mapping[str, Any]) -> bool:
    """Whether the file at PATH is as sealed but for its line ends."""
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
        return b"\0" not in start and as_hashed(start + file.read(), expected["sha256"]) is not None
