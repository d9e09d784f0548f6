"""The pictures of a vault, drawn once: kept by a hash of what they show."""

from __future__ import annotations

import contextlib
import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import metrics
from featherface.filesystem.atomic import keep
from vault_sync.engine.disk.names import safe_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vault_sync.rendering.links import LinkStyle

NOTHING = b""
"""Kept where there turned out to be nothing to draw."""
DRAWING = ("run_plots.py", "style.py", "labels.py", "bar_plots.py", "network_drawing.py")
"""What decides how a picture looks."""


class Figures:
    """Draws pictures for notes, and knows where each one belongs."""

    def __init__(self, kept: Path, style: LinkStyle, language: str) -> None:
        self.kept = kept
        self.style = style
        self.language = language
        self.wanted: dict[str, bytes] = {}
        """Path in the vault -> PNG."""

    def add(
        self, note: str, name: str, inputs: Sequence[str], draw: Callable[[], bytes | None]
    ) -> str | None:
        """Return the path of a picture for NOTE; DRAW is called only if INPUTS are new."""
        content = self._content(name, inputs, draw)
        if content == NOTHING:
            return None
        folder = self.style.picture_folder(note)
        path = "/".join(filter(None, (folder, f"{safe_name(name)}.png")))
        self.wanted[path] = content
        return path

    def keep(self, path: str, content: bytes) -> str:
        """Let the vault hold a file at PATH, owned whole as pictures are; return PATH."""
        self.wanted[path] = content
        return path

    def _content(self, name: str, inputs: Sequence[str], draw: Callable[[], bytes | None]) -> bytes:
        key = json.dumps([_engine(), self.language, name, *inputs])
        path = self.kept / f"{hashlib.sha256(key.encode()).hexdigest()}.png"
        with contextlib.suppress(OSError):
            return path.read_bytes()
        content = draw() or NOTHING
        keep(path, content)
        return content


@cache
def _engine() -> str:
    """Say by what pictures are drawn: another version may draw them otherwise."""
    # Not through importlib.resources: a folder called experiments in the path would hide ours.
    folder = Path(metrics.__file__).parent / "plotting"
    sources = b"".join((folder / name).read_bytes() for name in DRAWING)
    return f"{metadata.version('matplotlib')} {hashlib.sha256(sources).hexdigest()}"
