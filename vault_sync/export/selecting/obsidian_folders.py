"""Folders that Obsidian's own settings give to templates and to the notes of days and weeks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.link_index import fold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PERIODS = ("daily", "weekly", "monthly", "quarterly", "yearly")


@dataclass(frozen=True)
class ObsidianFolders:
    """Paths in the vault; a plugin that is not there names none."""

    templates: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    def around(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield (what it is for, folder) of each of them in which the note at PATH lies."""
        for name in ("templates", "days"):
            for folder in getattr(self, name):
                if fold(path).startswith(f"{fold(folder)}/"):
                    yield name, folder


def read_folders(root: Path) -> ObsidianFolders:
    """Read what the vault at ROOT says; a file that can't be read says nothing."""
    settings = root / ".obsidian"
    plugins = settings / "plugins"
    templates = (
        _text(_content(settings / "templates.json"), "folder"),
        _text(_content(plugins / "templater-obsidian" / "data.json"), "templates_folder"),
    )
    periods = _content(plugins / "periodic-notes" / "data.json")
    days = (
        _text(_content(settings / "daily-notes.json"), "folder"),
        *(_text(periods.get(name), "folder") for name in _PERIODS),
    )
    return ObsidianFolders(tuple(_given(templates)), tuple(_given(days)))


def _given(folders: tuple[str, ...]) -> Iterator[str]:
    """Yield folders without slashes around; the vault itself is no folder for one use."""
    for folder in dict.fromkeys(folders):
        if folder.strip("/ "):
            yield folder.strip("/ ")


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(content: object, key: str) -> str:
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""
