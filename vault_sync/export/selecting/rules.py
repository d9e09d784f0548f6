"""Which notes a whole document does without, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.engine.disk.names import parent
from vault_sync.export.reading.link_index import fold
from vault_sync.export.selecting import globs
from vault_sync.export.selecting.obsidian_folders import ObsidianFolders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.workspace.settings import Settings
    from vault_sync.export.reading.link_index import LinkIndex

PROPERTY = "export"
"""Property by which a note says itself whether it goes in: false, true, appendix."""
FOLDERS = {
    "templates": "templates",
    "weekly": "weekly",
    "attachments": "attachments",
    "archive": "archive",
}
"""Folder at the top of the vault, folded -> why its notes stay out."""
IDENTITIES = {
    "run/": "runs",
    "weekly/": "weekly",
    "gallery/": "galleries",
    "pipeline/": "management",
    "chapter/dashboard": "management",
    "chapter/milestones": "management",
    "chapter/log-template": "templates",
}
"""How the `thesis_id` of a note starts -> why it stays out."""
REASONS = (
    *("runs", "galleries", "management", "weekly", "templates", "days", "drawings", "readmes"),
    *("slides", "attachments", "archive", "property", "excluded", "not-included"),
)
"""Why a note is left out, in the order in which it is told."""
SLIDES = "slides"
"""Property by which a note says that it is one of slides."""
_NAMES = (
    (re.compile("dashboard"), "management"),
    (re.compile(r"(?:readme|contributing|changelog|license|licence)(?:[._-]\w+)?"), "readmes"),
    (re.compile(r"\d{4}-(?:\d{2}-\d{2}|w\d{2})"), "days"),
)
_DRAWING = ("excalidraw-plugin", "kanban-plugin")


@dataclass(frozen=True)
class SelectionRules:
    """What `export` in thesis.toml says of notes; each text is a pattern of vault paths."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    appendices: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> SelectionRules:
        """Take the rules out of the settings in force."""
        keys = ("include", "exclude", "order", "parts", "appendices")
        return cls(**{key: settings[f"export.{key}"] for key in keys})

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield (key, pattern) of each that must mean something in the vault."""
        for key in ("include", "order", "appendices"):
            yield from ((key, pattern) for pattern in getattr(self, key))
        for patterns in self.parts.values():
            yield from (("parts", pattern) for pattern in patterns)

    @property
    def exact(self) -> tuple[str, ...]:
        """Notes and folders that are asked for by name."""
        return tuple(pattern for _, pattern in self.named() if not globs.wild(pattern))


@dataclass(frozen=True)
class NoteRules:
    """Says of each note of a vault whether it stays out."""

    index: LinkIndex
    rules: SelectionRules
    folders: ObsidianFolders = field(default_factory=ObsidianFolders)
    log_template: str = ""
    """Path of the note that students copy for each experiment; it has no `thesis_id`."""

    def own_word(self, path: str) -> str:
        """Return what a note says of itself: `no`, `yes`, `appendix`, or nothing."""
        text = self.index.property(path, PROPERTY).strip("\"' ").casefold()
        if text in ("false", "no", "off", "0"):
            return "no"
        return {"appendix": "appendix", "true": "yes", "yes": "yes"}.get(text, "")

    def reason(self, path: str) -> str:
        """Return why the note at PATH stays out; empty where it goes in."""
        if self.own_word(path) == "no":
            return "property"
        if globs.covered(self.rules.exclude, path):
            return "excluded"
        if self.rules.include and not globs.covered(self.rules.include, path):
            return "not-included"
        if self.own_word(path):
            return ""
        reason, folder = self._usual(path)
        return "" if reason and self._asked(path, folder) else reason

    def _usual(self, path: str) -> tuple[str, str]:
        """Return why a note is left out unasked, and the folder for which it is."""
        return next(self._reasons(path), ("", ""))

    def _reasons(self, path: str) -> Iterator[tuple[str, str]]:
        identity, name = self.index.identity(path), globs.bare(path).rpartition("/")[2]
        for start, reason in IDENTITIES.items():
            if identity.startswith(start):
                yield reason, parent(path) if start.endswith("/") else ""
        if self.log_template and globs.bare(path) == globs.bare(self.log_template):
            yield "templates", ""
        if name.endswith(".excalidraw") or any(self.index.property(path, key) for key in _DRAWING):
            yield "drawings", ""
        if is_slides(self.index, path):
            yield "slides", ""
        yield from self.folders.around(path)
        top = path.partition("/")[0] if "/" in path else ""
        if fold(top) in FOLDERS:
            yield FOLDERS[fold(top)], top
        for pattern, reason in _NAMES:
            if pattern.fullmatch(name):
                yield reason, ""

    def _asked(self, path: str, folder: str) -> bool:
        """Whether the settings name the note, or (a part of) the FOLDER for which it stays out."""
        for pattern in self.rules.exact:
            if globs.names(pattern, path):
                return True
            inside = globs.bare(pattern) == globs.bare(folder) or globs.bare(pattern).startswith(
                f"{globs.bare(folder)}/"
            )
            if folder and inside and globs.covers(pattern, path):
                return True
        return False


def is_slides(index: LinkIndex, path: str) -> bool:
    """Whether the note at PATH says that it is one of slides."""
    return index.property(path, SLIDES).strip("\"' ").casefold() in ("true", "yes", "on", "1")
