"""The ids that links of the document lead to: one per note, heading and block id."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from vault_sync.export.reading.headings import heading_key

LONGEST = 60
"""Letters of an id."""


@dataclass
class Anchors:
    """Gives out unique ids, and finds that of a note, a heading or a block."""

    used: set[str] = field(default_factory=lambda: {"refs", "contents", "references"})
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    """(note, `heading` folded | `^block` | empty for the note itself) -> id."""

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

    def mark(self, path: str, place: str, text: str) -> str:
        """Give an id to a PLACE of a note; the first that has its name is what links mean."""
        name = self.new(text)
        self.places.setdefault((path, heading_key(place)), name)
        self.same.setdefault((path, heading_key(place)), []).append(name)
        return name

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
