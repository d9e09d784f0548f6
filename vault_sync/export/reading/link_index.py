"""Look-up of the notes and files of a vault by the targets of links, as Obsidian resolves them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from vault_sync.engine.disk.names import parent
from vault_sync.engine.text.markers import body_start
from vault_sync.engine.text.properties import value_of
from vault_sync.engine.vault_reader import read_vault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vault_sync.engine.notes import Note


@dataclass(frozen=True)
class LinkIndex:
    """The notes and files of a vault, found as Obsidian does: by path, else by its end.

    Example: ``[[Results]]`` in ``Drafts/a.md`` means ``index.note("Results", "Drafts/a.md")``,
    which is ``05-Results/Results.md`` where no note of that name is nearer.
    """

    root: Path
    notes: Mapping[str, Note]
    files: tuple[str, ...]
    """Every file that is no hidden one and no link, notes among them."""

    @classmethod
    def read(cls, root: Path) -> LinkIndex:
        """Read the vault.

        Raises:
            UnavailableError: a note can't be read.
        """
        snapshot = read_vault(root)
        return cls(root, snapshot.notes, tuple(snapshot.files.values()))

    def note(self, target: str, home: str = "") -> str | None:
        """Return the path of the note that TARGET names in the note HOME, or None."""
        if not target:
            return home or None
        name = re.sub(r"\.md\Z", "", target, flags=re.IGNORECASE)
        return _nearest(self._notes, name, home)

    def file(self, target: str, home: str = "") -> str | None:
        """Return the path of the file that TARGET names in the note HOME, or None."""
        return _nearest(self._files, target, home)

    def identity(self, path: str) -> str:
        """Return the `thesis_id` of a note; empty where it has none."""
        return self.notes[path].id or ""

    def body(self, path: str) -> tuple[str, int]:
        """Return the text of a note without its properties, and the line that it starts at."""
        data = self.notes[path].data
        start = body_start(data)
        text = data[start:].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        lines = len(re.findall(rb"\r\n|\n|\r", data[:start]))
        return text.replace("\x00", ""), lines + 1

    def property(self, path: str, key: str) -> str:
        """Return a property of a note as text; empty where it is missing or no plain value."""
        try:
            return (value_of(self.notes[path].data, key) or "").strip()
        except ValueError:
            return ""

    @cached_property
    def _notes(self) -> dict[str, list[str]]:
        return _by_name(self.notes, ".md")

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        return _by_name(self.files, "")


def fold(text: str) -> str:
    """Reduce a name to what links compare: case and composition of letters make no difference."""
    return unicodedata.normalize("NFC", text).casefold()


def _by_name(paths: Iterable[str], suffix: str) -> dict[str, list[str]]:
    """Return the last part of each path, folded -> the paths that end so, shortest first."""
    paths_by_name: dict[str, list[str]] = {}
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        name = path[: len(path) - len(suffix)]
        paths_by_name.setdefault(fold(name.rpartition("/")[2]), []).append(path)
    return paths_by_name


def _nearest(names: Mapping[str, list[str]], target: str, home: str) -> str | None:
    for wanted in dict.fromkeys((target, unquote(target))):
        path = _match(names, wanted.replace("\\", "/"), home)
        if path:
            return path
    return None


def _match(names: Mapping[str, list[str]], target: str, home: str) -> str | None:
    """Find TARGET from the note's folder, from the vault, else as the end of a path."""
    wanted = fold(target)
    candidates = names.get(wanted.rpartition("/")[2], [])
    bare = {re.sub(r"\.md\Z", "", fold(path)): path for path in candidates}
    bare |= {fold(path): path for path in candidates}
    for place in (_join(parent(home), wanted), _join("", wanted.removeprefix("/"))):
        if place in bare:
            return bare[place]
    if wanted.startswith((".", "/")):
        return None
    ends = [path for name, path in bare.items() if f"/{name}".endswith(f"/{wanted}")]
    return ends[0] if ends else None


def _join(folder: str, path: str) -> str:
    """Resolve `.` and `..`; a path that leaves the vault names nothing."""
    parts = fold(folder).split("/") if folder else []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
