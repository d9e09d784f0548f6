"""Sealing a record: whose it is and the hash of every file, written last; any change shows."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from experiments.records.line_ends import CRLF, LF, LOOKED_AT, as_hashed
from experiments.records.record import RECORD, Record
from featherface.errors import DataError, HeldError
from featherface.filesystem.atomic import write_atomic
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SEAL = "SEAL.json"
HEARTBEAT = "heartbeat.json"
SCHEMA = 2
"""1 held no identity: such a seal is read by what record.json says."""
OWN = frozenset({SEAL, HEARTBEAT})
"""Files at a record's top that its seal does not cover: we write them ourselves."""
STRAY = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave anywhere: no part of a record, and told."""
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
"""How a file is called before it takes its place; a crash or a scanner may leave one."""
LINE_ENDS = "line ends"
"""Kind of a problem that is none of content: git converts line ends, and can be told not to."""
MEND = "thesis doctor --fix"
"""What puts line ends back as they were sealed, and tells git to leave them."""

UNREADABLE = "unreadable"
"""Kind of a problem that may be gone at the next look."""
MISPLACED = "misplaced"
"""Kind of a problem of identity: the record is of another run than its folder says."""
RESEALED = "resealed"
"""Kind of a problem that only the workspace's memory tells: the seal is not the first one."""
CONTRADICTED = "contradicted"
"""Kind of a problem of content: one file of the record says what another one disproves."""


@dataclass(frozen=True)
class Problem:
    """One way in which a record differs from its seal."""

    path: str
    """Inside the record, with forward slashes."""
    kind: str
    """`changed`, `line ends` (nothing else was changed), `missing`, `added`, `unreadable`,
    `misplaced`, `resealed` or `contradicted`."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True)
class Identity:
    """Which run a record is."""

    experiment: str
    version: int
    uid: str = ""
    created: str = ""

    @property
    def run(self) -> str:
        """Return `experiment@version`."""
        return f"{self.experiment}@{self.version}"

    @classmethod
    def of(cls, record: Record) -> Identity:
        """Return the identity that RECORD states."""
        return cls(record.experiment, record.version, record.uid, record.created)

    @classmethod
    def of_place(cls, folder: Path) -> Identity:
        """Return the identity that FOLDER's place states: its name and its parent's."""
        return cls(folder.parent.name, int(folder.name) if folder.name.isdecimal() else 0)

    def lies_at(self, folder: Path) -> bool:
        """Whether FOLDER is where this run's record belongs."""
        return (folder.parent.name, folder.name) == (self.experiment, f"{self.version:03d}")


@dataclass(frozen=True)
class Seal:
    """What SEAL.json holds."""

    digest: str
    """SHA-256 over the identity and the sorted list of paths, sizes and hashes."""
    files: Mapping[str, Mapping[str, Any]]
    """Path -> {sha256, size in bytes}."""
    identity: Identity | None = None
    """Which run was sealed; None where the seal is of schema 1, which does not say."""


def seal(folder: Path) -> Seal:
    """Hash every file of FOLDER and write SEAL.json.

    Raises:
        DataError: record.json is of another run than FOLDER, or a folder has the name of a file
            that no seal covers; the record stays unsealed.
        HeldError: another program holds one of them; the record stays unsealed.
        UnavailableError: the disk is full or read-only; the record stays unsealed.
    """
    identity = Identity.of(Record.read(folder))
    if not identity.lies_at(folder):
        here = Identity.of_place(folder).run
        raise DataError(
            f"{folder / RECORD} is of {identity.run}, and lies at {here}: it can't be sealed",
            f"move the folder back, or run it again: thesis run {folder.parent.name} --new",
        )
    names = members(folder)
    if hidden := [name for name in names if name.endswith("/")]:
        raise DataError(f"{folder / hidden[0]} is a folder of a file's name", "remove it")
    files = {name: _describe(folder / name) for name in names}
    made = Seal(digest(files, identity), files, identity)
    content = {"schema": SCHEMA, **asdict(identity), "seal": made.digest, "files": made.files}
    write_atomic(folder / SEAL, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return made


def read_seal(folder: Path) -> Seal:
    """Read FOLDER's SEAL.json.

    Raises:
        DataError: it is missing or damaged, or of a later version of this program.
    """
    path = folder / SEAL
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = int(content.get("schema", 1))
        identity = _identity(content) if schema >= SCHEMA else None
        made = Seal(str(content["seal"]), content["files"], identity)
        plain = {
            name: (str(entry["sha256"]), int(entry["size"])) for name, entry in made.files.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: can't be read: {error}", "thesis runs verify") from error
    del plain
    if schema > SCHEMA:
        raise DataError(f"{path}: a seal of a later version of this program", "upgrade thesis")
    return made


def _identity(content: Mapping[str, Any]) -> Identity:
    return Identity(
        str(content["experiment"]),
        int(content["version"]),
        str(content["uid"]),
        str(content["created"]),
    )


def verify(folder: Path) -> list[Problem]:
    """Return how FOLDER differs from its seal; nothing where it is intact."""
    try:
        sealed = read_seal(folder)
    except DataError as error:
        return [Problem(SEAL, UNREADABLE, error.message)]
    if digest(sealed.files, sealed.identity) != sealed.digest:
        return [Problem(SEAL, "changed", "its own digest is wrong")]
    present = set(members(folder))
    problems = _misplaced(folder, sealed)
    problems += [Problem(name, "added") for name in sorted(present - set(sealed.files))]
    for name, expected in sealed.files.items():
        problem = _compare(folder, name, expected, present)
        if problem:
            problems.append(problem)
    return problems


def placed_seal(folder: Path) -> str:
    """Return the digest of FOLDER's seal where it belongs there; empty where it does not."""
    try:
        sealed = read_seal(folder)
    except DataError:
        return ""
    return "" if _misplaced(folder, sealed) else sealed.digest


def _misplaced(folder: Path, sealed: Seal) -> list[Problem]:
    """Tell where seal, record.json and the folder's place name different runs."""
    here = Identity.of_place(folder)
    try:
        recorded: Identity | None = Identity.of(Record.read(folder))
    except (DataError, HeldError):  # its own problem, told where files are compared
        recorded = None
    told = sealed.identity or recorded
    problems = []
    if told is not None and not told.lies_at(folder):
        verb = "sealed" if sealed.identity else "recorded"
        place = here.run if told.run != here.run else f"{folder.parent.name}/{folder.name}"
        problems.append(Problem(".", MISPLACED, f"{verb} as {told.run}, lies at {place}"))
    if sealed.identity and recorded and recorded != sealed.identity:
        detail = f"{RECORD} is of {recorded.run} {recorded.uid}".rstrip()
        detail += f", the seal of {sealed.identity.run} {sealed.identity.uid}"
        problems.append(Problem(RECORD, MISPLACED, detail))
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
    """Return the paths of FOLDER's files, sorted, with forward slashes.

    What is neither ours nor of the record (`strays`) is left out. A folder whose name is that of
    one of our files stands for itself, with a slash at its end: nothing may hide in it.
    """
    return sorted(name for name, is_stray in _walk(folder, "") if not is_stray)


def strays(folder: Path) -> list[str]:
    """Return the files below FOLDER that are no part of a record, and do it no harm."""
    return sorted(name for name, is_stray in _walk(folder, "") if is_stray)


def digest(files: Mapping[str, Mapping[str, Any]], identity: Identity | None = None) -> str:
    """Return the SHA-256 that stands for all of FILES, and for whose they are."""
    head = "" if identity is None else json.dumps(asdict(identity), sort_keys=True) + "\n"
    lines = [f"{entry['sha256']} {entry['size']} {name}\n" for name, entry in sorted(files.items())]
    return hashlib.sha256("".join([head, *lines]).encode("utf-8")).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, bool]]:
    """Yield the path of each file, and whether it is a stray one."""
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        is_folder = entry.is_dir() and not entry.is_symlink()
        if is_folder:
            if entry.name in OWN | STRAY:
                yield f"{name}/", False
            yield from _walk(entry, f"{name}/")
        elif name not in OWN:
            yield name, not entry.is_symlink() and _is_stray(entry.name)


def _is_stray(name: str) -> bool:
    return name in STRAY or _TEMPORARY.fullmatch(name) is not None


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
