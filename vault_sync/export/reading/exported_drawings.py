"""Drawings that only their program can draw: the picture that it exported beside them is shown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from vault_sync.engine.disk.names import parent

if TYPE_CHECKING:
    from vault_sync.export.reading.link_index import LinkIndex


@dataclass(frozen=True)
class DrawingKind:
    """A program whose files Obsidian shows as drawings."""

    name: str
    endings: tuple[str, ...]
    """How its files end, in small letters."""
    property: str
    """What the notes that hold its drawings have among their properties; empty: it has no notes."""
    remedy: str
    """How to get a picture of one."""


EXCALIDRAW = DrawingKind(
    "Excalidraw",
    (".excalidraw.md", ".excalidraw"),
    "excalidraw-plugin",
    "in Obsidian, turn on Auto-export PNG (Settings, Excalidraw, Embedding Excalidraw into your "
    "Notes and Exporting, Export Settings), then change and save the drawing once",
)
CANVAS = DrawingKind(
    "canvas",
    (".canvas",),
    "",
    "in Obsidian, open the canvas, choose Export as image in its menu, and keep the picture beside "
    "it under the same name",
)
TLDRAW = DrawingKind(
    "tldraw",
    (".tldr", ".tldraw"),
    "tldraw-file",
    "export the drawing as PNG, and keep the picture beside it under the same name",
)
DRAWIO = DrawingKind(
    "draw.io",
    (".drawio", ".dio"),
    "",
    "export the drawing as PNG, and keep the picture beside it under the same name",
)
KINDS = (EXCALIDRAW, CANVAS, TLDRAW, DRAWIO)

_ENDS = ("", ".light", "-light", "_light", ".dark", "-dark", "_dark")
_PICTURES = ("png", "svg", "jpg", "jpeg", "webp")
"""Pictures first: drawings in SVG want the hand-written letters of their program."""


def kind_of(index: LinkIndex, name: str, home: str) -> DrawingKind | None:
    """Return what kind of drawing NAME is in the note HOME; None where it is none."""
    if not name:
        return None
    note = index.note(name, home)
    path = note or index.file(name, home) or name
    for kind in KINDS:
        if path.lower().endswith(kind.endings):
            return kind
        if note and kind.property and index.property(note, kind.property):
            return kind
    return None


def find_exported(index: LinkIndex, name: str, home: str) -> str | None:
    """Return the path of the picture of the drawing NAME: beside it, else anywhere in the vault.

    `x.excalidraw.png` goes before `x.png`, light before dark.
    """
    path = index.note(name, home) or index.file(name, home) or name
    whole = path.removesuffix(".md").rpartition("/")[2]
    stems = dict.fromkeys((whole, whole.rpartition(".")[0] or whole))
    names = [f"{stem}{end}.{kind}" for stem, end, kind in product(stems, _ENDS, _PICTURES)]
    known = set(index.files)
    folder = f"{parent(path)}/" if parent(path) else ""
    beside = next((f"{folder}{one}" for one in names if f"{folder}{one}" in known), None)
    return beside or next((found for one in names if (found := index.file(one, path))), None)
