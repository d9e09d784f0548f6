"""The changes to one note, gathered block by block and then spliced in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.engine.meaning.sameness import same
from vault_sync.engine.plans import Write
from vault_sync.engine.text import markers, properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.engine.notes import Note
    from vault_sync.engine.plans import WantedBlock
    from vault_sync.engine.text.markers import Block
    from vault_sync.engine.text.properties import Value

KEPT = "kept"
"""Marker attribute: the sha of a body that the student's edit was merged into, and may stay."""


def is_kept(block: Block, find_base: Callable[[str | None], bytes | None]) -> bool:
    """Whether a block says what its student decided to keep, however it is laid out."""
    sha = block.attributes.get(KEPT)
    if sha is None or sha == markers.digest(block.body):
        return sha is not None
    kept = find_base(sha)
    return kept is not None and same(kept, block.body)


class Edit:
    """The changes to one note: filled and appended blocks, properties, and other splices."""

    def __init__(self, note: Note, before: bytes | None) -> None:
        self.note = note
        self.before = before
        self.id = ""
        self.values: dict[str, Value] = {}
        self.splices: list[tuple[int, int, bytes]] = []
        self.answers: dict[str, Any] = {}
        self.properties: dict[str, str] = {}
        self.bodies: dict[str, bytes] = {}
        self.kept: tuple[bytes, ...] = ()
        self.fills: list[tuple[Block, bytes]] = []
        self.appended: list[WantedBlock] = []

    def fill(self, block: Block, wanted: WantedBlock, body: bytes) -> None:
        """Replace a block; BODY differs from what is wanted where an edit was merged in."""
        attributes = {**block.attributes, **wanted.attributes}
        attributes.pop(KEPT, None)
        if body != wanted.body:
            attributes[KEPT] = markers.digest(body)
            self.kept += (body,)
        sha = markers.digest(wanted.body)
        template = block.template or wanted.template
        text = markers.write_block(
            block.id, template, body, attributes, ending=block.ending, sha=sha
        )
        self.fills.append((block, text))
        self.bodies[block.id] = wanted.body

    def append(self, wanted: WantedBlock) -> None:
        """Put a new block after another one, or at the end of the note."""
        self.appended.append(wanted)
        self.bodies[wanted.id] = wanted.body

    def write(self) -> Write:
        """Return the note with all changes spliced in, last place first."""
        data = self.note.data
        stops = {block.id: block.stop for block in self.note.scan.blocks}
        splices = [(block.start, block.stop, text) for block, text in self.fills] + self.splices
        for wanted in self.appended:
            place = stops.get(wanted.after, len(data))
            splices.append((place, place, _inserted(data, place, wanted)))
        for start, stop, text in sorted(splices, key=lambda span: span[:2], reverse=True):
            data = data[:start] + text + data[stop:]
        if self.values:
            data = properties.splice(data, self.values)
        path = self.note.path
        return Write(
            path,
            self.before,
            data,
            self.id,
            self.bodies,
            self.properties,
            answers=self.answers,
            kept=self.kept,
        )


def _inserted(data: bytes, place: int, wanted: WantedBlock) -> bytes:
    """Lay out a new block with a blank line on both sides, in the note's line endings."""
    ending = b"\r\n" if b"\r\n" in data else b"\n"
    before, after = data[:place], data[place:]
    lead = b"" if not before.strip(markers.BOM) else _gap(before, ending)
    text = markers.write_block(
        wanted.id, wanted.template, wanted.body, wanted.attributes, ending=ending
    )
    if not after:
        return lead + text + ending
    return lead + text + (b"" if after.startswith((ending * 2, b"\n\n")) else ending)


def _gap(before: bytes, ending: bytes) -> bytes:
    tail = before.replace(b"\r\n", b"\n")
    if tail.endswith(b"\n\n"):
        return b""
    return ending if tail.endswith(b"\n") else ending * 2
