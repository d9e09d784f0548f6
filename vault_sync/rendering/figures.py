"""The pictures of a vault, drawn once: kept by what they show and by the code that draws them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from experiments.wording.catalogue import phrases_digest, recording
from featherface.source.cache_entries import entry_path, read_entry, write_entry
from vault_sync.engine.disk.names import safe_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from functools import partial
    from pathlib import Path

    from vault_sync.rendering.links import LinkStyle

NOTHING = b"nothing to draw"
"""Kept where that turned out; an empty file is what a disk makes of a damaged one."""
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
"""Between them stands a whole picture: https://www.w3.org/TR/png-3/#5PNG-file-signature."""
LIBRARIES = ("matplotlib", "pillow")
"""What draws."""


class Figures:
    """Draws pictures for notes, and knows where each one belongs."""

    def __init__(self, kept: Path, style: LinkStyle, language: str) -> None:
        self.kept = kept
        self.style = style
        self.language = language
        self.wanted: dict[str, bytes] = {}
        """Path in the vault -> PNG."""

    def add(self, note: str, name: str, inputs: Sequence[str], draw: partial[bytes]) -> str | None:
        """Return the path of a picture for NOTE; DRAW is called only if something is new.

        Args:
            note: path of the note.
            name: of the picture's file; it does not show in the picture.
            inputs: all that the picture shows, or what stands for it; the language is added.
            draw: one of `vault_sync.rendering.pictures` with its arguments; it gives a PNG, or
                nothing where there is nothing to draw.
        """
        content = self._content(inputs, draw)
        if not content:
            return None
        folder = self.style.picture_folder(note)
        path = "/".join(filter(None, (folder, f"{safe_name(name)}.png")))
        self.wanted[path] = content
        return path

    def keep(self, path: str, content: bytes) -> str:
        """Let the vault hold a file at PATH, owned whole as pictures are; return PATH."""
        self.wanted[path] = content
        return path

    def _content(self, inputs: Sequence[str], draw: partial[bytes]) -> bytes:
        shown = [self.language, *inputs]
        path = entry_path(self.kept, draw.func, shown, libraries=LIBRARIES, suffix=".png")
        content = read_entry(path) or b""
        whole = content == NOTHING or (content.startswith(PNG) and PNG_END in content)
        if not (whole and self._worded_alike(path)):
            with recording() as phrases:
                content = draw() or NOTHING
            write_entry(path, content)
            wording = [sorted(phrases), phrases_digest(self.language, phrases)]
            write_entry(path.with_suffix(".json"), json.dumps(wording))
        return b"" if content == NOTHING else content

    def _worded_alike(self, path: Path) -> bool:
        """Whether the phrases in the picture kept in PATH read as they did when it was drawn."""
        try:
            phrases, digest = json.loads(read_entry(path.with_suffix(".json")) or b"")
            return bool(phrases_digest(self.language, phrases) == digest)
        except (ValueError, TypeError):
            return False
