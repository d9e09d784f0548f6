"""Links between notes and to pictures, in the style that the vault's own settings ask for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from vault_sync.engine.disk.names import is_safe, parent, relative
from vault_sync.rendering.markdown import Safe, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ATTACHMENTS = "attachments"
"""Where pictures go in a vault that does not say."""


@dataclass(frozen=True)
class LinkStyle:
    """Link and attachment settings of a vault: .obsidian/app.json, read and never written."""

    markdown: bool = False
    """`[text](path)` instead of `[[path|text]]`."""
    format: str = "shortest"
    """`shortest`, `relative` or `absolute`."""
    attachments: str = ATTACHMENTS
    """Folder from the vault; `/` is the vault itself; `./x` is beside the note."""

    @classmethod
    def read(cls, vault: Path) -> LinkStyle:
        """Read the vault's settings; missing or damaged ones are the defaults."""
        try:
            text = (vault / ".obsidian" / "app.json").read_text(encoding="utf-8-sig")
            values: Mapping[str, object] = json.loads(text)
            folder = str(values.get("attachmentFolderPath", ATTACHMENTS)).rstrip("/") or "/"
            style = str(values.get("newLinkFormat", "shortest"))
            markdown = values.get("useMarkdownLinks") is True
        except (OSError, ValueError, AttributeError):
            return cls()
        inner = folder.removeprefix("./").removeprefix(".")
        if folder != "/" and inner and not is_safe(inner):
            folder = ATTACHMENTS
        return cls(markdown, style, folder)

    def picture_folder(self, note: str) -> str:
        """Return the folder for pictures of NOTE; empty for the vault itself."""
        if self.attachments == "/":
            return ""
        if self.attachments == "." or self.attachments.startswith("./"):
            return "/".join(filter(None, (parent(note), self.attachments[2:])))
        return self.attachments


@dataclass(frozen=True)
class Links:
    """Links as they are written in one note."""

    note: str
    """Path of the note that holds them."""
    style: LinkStyle
    places: Mapping[str, str | None]
    """`thesis_id` -> path of the note; None where the student deleted it."""
    basenames: Mapping[str, int] = field(default_factory=dict)
    """Name of a note in lower case, without folder -> how many notes have it."""

    def to(self, thesis_id: str, text: str) -> Safe:
        """Link to a note, in prose; plain text where there is no such note."""
        return self._link(thesis_id, text, "|")

    def cell(self, thesis_id: str, text: str) -> Safe:
        """Link to a note, in a table cell."""
        return self._link(thesis_id, text, "\\|")

    def picture(self, path: str, text: Safe) -> Safe:
        """Show a picture; relative, so that Obsidian and plain Markdown viewers find it."""
        return Safe(f"![{text}]({_url(relative(path, self.note))})")

    def file(self, path: str, text: str) -> Safe:
        """Link to a file that is no note, in prose."""
        if self.style.markdown:
            return Safe(f"[{escape(text)}]({_url(relative(path, self.note))})")
        return Safe(f"[[{self._file(path)}|{escape(text)}]]")

    def embed(self, path: str, text: str) -> Safe:
        """Show a file that is no note, such as a base, in the note."""
        if self.style.markdown:
            return Safe(f"![{escape(text)}]({_url(relative(path, self.note))})")
        return Safe(f"![[{self._file(path)}]]")

    def _file(self, path: str) -> str:
        return relative(path, self.note) if self.style.format == "relative" else path

    def _link(self, thesis_id: str, text: str, bar: str) -> Safe:
        path = self.places.get(thesis_id)
        if path is None:
            return escape(text)
        if self.style.markdown or re.search(r"[\[\]|#^]", path):
            return Safe(f"[{escape(text)}]({_url(relative(path, self.note))})")
        target = self._target(path.removesuffix(".md"))
        if target == text:
            return Safe(f"[[{target}]]")
        return Safe(f"[[{target}{bar}{escape(text)}]]")

    def _target(self, path: str) -> str:
        name = path.rsplit("/", 1)[-1]
        if self.style.format == "relative":
            return relative(path, self.note)
        if self.style.format == "shortest" and self.basenames.get(name.lower(), 0) <= 1:
            return name
        return path


def count_basenames(paths: Iterable[str]) -> dict[str, int]:
    """Count the names of notes, for the shortest links."""
    counts: dict[str, int] = {}
    for path in paths:
        if path.lower().endswith(".md"):
            name = path.rsplit("/", 1)[-1][:-3].lower()
            counts[name] = counts.get(name, 0) + 1
    return counts


def _url(path: str) -> str:
    return quote(path, safe="/@.,_-~")
