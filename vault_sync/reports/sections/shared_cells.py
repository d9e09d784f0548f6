"""What many rows of tables would say, said once: letters with a key, and columns left out."""

from __future__ import annotations

import string
from collections import Counter
from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class SharedNotes:
    """The notes of one block; those that several rows need have a letter each."""

    def __init__(self, rows: Iterable[Iterable[str]]) -> None:
        """Count the notes of ROWS, one row's in each."""
        counts = Counter(note for row in rows for note in dict.fromkeys(row))
        shared = [note for note, count in counts.items() if count > 1]
        self._letters = {note: _letter(place) for place, note in enumerate(shared)}

    def write(self, note: str) -> Safe:
        """Return what a cell says: the letter of a NOTE that others share, else the note."""
        letter = self._letters.get(note)
        return Safe(note if letter is None else f"({letter})")

    def beside(self, notes: Iterable[str]) -> Safe:
        """Return NOTES as they stand in brackets behind a value; empty for none."""
        chosen = list(dict.fromkeys(notes))
        own = [note for note in chosen if note not in self._letters]
        marks = [f" {self.write(note)}" for note in chosen if note in self._letters]
        return Safe((f" ({', '.join(own)})" if own else "") + "".join(marks))

    @property
    def key(self) -> list[Safe]:
        """What the letters mean, a line each."""
        return [Safe(f"({letter}) {note}") for note, letter in self._letters.items()]


def shared(cells: Sequence[Safe], empty: Safe) -> Safe:
    """Return what all CELLS say that are not EMPTY; nothing where they differ or none says any."""
    said = {cell for cell in cells if cell != empty}
    return said.pop() if len(said) == 1 else Safe("")


def without(row: Sequence[Safe], places: Sequence[int]) -> list[Safe]:
    """Return ROW without the cells at PLACES."""
    return [cell for place, cell in enumerate(row) if place not in places]


def _letter(place: int) -> str:
    letters = string.ascii_lowercase
    return letters[place] if place < len(letters) else str(place + 1)
