"""The kept list of faults: one TOML file per room, one table per fault."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FIELDS = {"name", "file", "old", "new", "tests"}


class OutdatedError(Exception):
    """A mutation no longer applies to the source; the message says why."""


class CatalogueError(Exception):
    """The list can't be read, or holds nothing of that name; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One fault: a single line of one file changed."""

    name: str
    room: str
    """Stem of the TOML file that lists it."""
    file: str
    """Path below the root, with forward slashes."""
    old: str
    """Text that stands exactly once in the file; lines around the changed one may belong to it."""
    new: str
    tests: tuple[str, ...]
    """Test files or node ids that should notice."""
    why: str = ""
    """Why no test notices, where none can."""

    @property
    def package(self) -> str:
        """The top-level package that holds the file."""
        return self.file.partition("/")[0]

    def mutated(self, text: str) -> str:
        """Return TEXT, the file's content, with the fault in it.

        Raises:
            OutdatedError: the old text doesn't stand there exactly once, or nothing changes.
        """
        count = text.count(self.old)
        if count != 1:
            raise OutdatedError(f"its old text stands {count} times in {self.file}, not once")
        if self.new == self.old:
            raise OutdatedError("its new text is its old text")
        return text.replace(self.old, self.new)

    def mutated_file(self, root: Path) -> bytes:
        """Return the content of the file below ROOT with the fault in it.

        Raises:
            OutdatedError: as `mutated`, or there is no such file.
        """
        try:
            return self.mutated((root / self.file).read_bytes().decode("utf-8")).encode("utf-8")
        except FileNotFoundError:
            raise OutdatedError(f"there is no file {self.file}") from None


def read_catalogue(folder: Path) -> list[Mutation]:
    """Read every TOML file in FOLDER, by name.

    Raises:
        CatalogueError: an entry lacks a field or has one too many, or two share a name.
    """
    mutations = [
        _mutation(entry, path)
        for path in sorted(folder.glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]
    ]
    names = [mutation.name for mutation in mutations]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogueError(f"names given twice: {', '.join(twice)}")
    return mutations


def choose(mutations: Iterable[Mutation], names: Sequence[str], room: str) -> list[Mutation]:
    """Return those called one of NAMES, or those of ROOM, or all where neither is given.

    Raises:
        CatalogueError: there is no such mutation or room.
    """
    known = list(mutations)
    if missing := sorted({*names} - {mutation.name for mutation in known}):
        raise CatalogueError(f"no mutation {missing[0]!r}; see: python dev.py mutate --list")
    rooms = sorted({mutation.room for mutation in known})
    if room and room not in rooms:
        raise CatalogueError(f"no room {room!r}; there are: {', '.join(rooms)}")
    return [
        mutation
        for mutation in known
        if (not names or mutation.name in names) and (not room or mutation.room == room)
    ]


def _mutation(entry: dict[str, Any], path: Path) -> Mutation:
    fields = set(entry)
    if not fields >= FIELDS or fields - FIELDS - {"why"}:
        label = entry.get("name", "an entry without a name")
        raise CatalogueError(f"{path.name}: {label} must have {', '.join(sorted(FIELDS))}")
    return Mutation(**{**entry, "tests": tuple(entry["tests"])}, room=path.stem)
