"""Cached figures of a vault, redrawn only if their inputs, drawing code or wording changed."""

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
"""Cache entry of a figure without content; an empty file would be taken for a damaged one."""
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
"""Start and end of a complete file: https://www.w3.org/TR/png-3/#5PNG-file-signature."""
LIBRARIES = ("matplotlib", "pillow")
"""Distributions whose versions are part of the cache key."""


class Figures:
    """Draws the figures of notes through the cache; collects the files that a vault must hold."""

    def __init__(self, cache: Path, style: LinkStyle, language: str) -> None:
        self.cache = cache
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

    def add_file(self, path: str, content: bytes) -> str:
        """Add a file that the sync owns whole, as it owns figures; return its PATH in the vault."""
        self.wanted[path] = content
        return path

    def _content(self, inputs: Sequence[str], draw: partial[bytes]) -> bytes:
        contents = [self.language, *inputs]
        path = entry_path(self.cache, draw.func, contents, libraries=LIBRARIES, suffix=".png")
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
