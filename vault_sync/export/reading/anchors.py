"""The ids that links of the document lead to: one per note, heading and block id."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TypeVar

from vault_sync.export.reading.headings import heading_key
from vault_sync.export.reading.labels import block_names, canonical

_Key = TypeVar("_Key")
LONGEST = 60
"""Letters of an id."""


@dataclass
class Anchors:
    """Gives out unique ids, and finds that of a note, a heading or a block."""

    used: set[str] = field(default_factory=lambda: {"refs", "contents", "references"})
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    """(note, `heading` folded | `^block` | empty for the note itself) -> id."""

    labels: dict[str, str] = field(default_factory=dict)
    """Name in braces or in a `\\label` -> id."""
    blocks: dict[str, str] = field(default_factory=dict)
    """Block id in any note -> id."""
    copies: set[str] = field(default_factory=set)
    """Ids in notes that are shown within others."""
    same: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """As `places`, for places that share their name: the ids of all, in their order."""

    def new(self, text: str) -> str:
        """Return an id made of TEXT that no other place has."""
        letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:LONGEST].strip("-") or "part"
        stem = stem if stem[0].isalpha() else f"p-{stem}"
        name, number = stem, 1
        while name in self.used:
            number += 1
            name = f"{stem}-{number}"
        self.used.add(name)
        return name

    def mark(self, path: str, place: str, text: str, *, copied: bool = False) -> str:
        """Give an id to a PLACE of a note; the first that has its name is what links mean.

        One in a note that is COPIED into another is that only until the note's own comes.
        """
        name = self.new(text)
        self._keep(self.places, (path, heading_key(place)), name, copied=copied)
        if not copied:
            self.same.setdefault((path, heading_key(place)), []).append(name)
        return name

    def name(self, path: str, name: str, *, label: bool, copied: bool = False) -> str:
        """Give an id to what is called NAME: a LABEL holds in the whole document, `^x` in a note.

        The first that has a name is what references mean.
        """
        if not label:
            identity = self.mark(path, f"^{name}", name, copied=copied)
            self._keep(self.blocks, name.lower(), identity, copied=copied)
            return identity
        identity = self.new(name)
        self._keep(self.labels, canonical(name), identity, copied=copied)
        return identity

    def _keep(self, names: dict[_Key, str], key: _Key, name: str, *, copied: bool) -> None:
        before = names.get(key)
        if before is None or (before in self.copies and not copied):
            names[key] = name
        if copied:
            self.copies.add(name)

    def labelled(self, name: str, path: str = "") -> str | None:
        """Return the id of a label; a block id of a note is one too: `^fig-x` answers `fig:x`."""
        if canonical(name) in self.labels:
            return self.labels[canonical(name)]
        blocks = block_names(name)
        near = [self.places.get((path, f"^{block}")) for block in blocks]
        known = [*near, *(self.blocks.get(block) for block in blocks)]
        return next((identity for identity in known if identity), None)

    def find(self, path: str, place: str) -> str | None:
        """Return the id of a place; of `A#B` the place B."""
        last = place.rpartition("#")[2] if not place.startswith("^") else place
        return self.places.get((path, heading_key(last)))

    def nth(self, path: str, key: str, number: int) -> str | None:
        """Return the id of the heading that is the NUMBER-th (from 0) of a note with its KEY."""
        names = self.same.get((path, key), [])
        return names[min(number, len(names) - 1)] if names else None

    def holds(self, path: str) -> bool:
        """Whether the note itself is in the document."""
        return (path, "") in self.places
