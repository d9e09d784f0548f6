"""Which templates there are, which blocks they make, and where those live in the vault."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, UsageError, unknown
from vault_sync.content.bodies import render_body
from vault_sync.content.composing import Composer
from vault_sync.engine.notes import Snapshot
from vault_sync.engine.state import State, read_state, state_path
from vault_sync.engine.vault_reader import read_vault
from vault_sync.rendering.periods import default_period
from vault_sync.rendering.sources import Sources
from vault_sync.reports import REPORTS
from vault_sync.user_templates.files import own_templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from experiments.workspace.workspace import Workspace

MOST = 5
"""Blocks that an error names."""


@dataclass(frozen=True)
class BlockPlace:
    """Where a block stands, or would."""

    block: str
    note: str
    """Path from the vault."""
    line: int = 0
    """Of the begin marker; 0 where the block does not stand there yet."""
    deleted: bool = False
    """Whether the student deleted the block or its note."""
    adopted: bool = False
    """Whether the student made its text prose of their own."""

    def __str__(self) -> str:
        return f"{self.note}:{self.line}" if self.line else self.note


@dataclass(frozen=True)
class CatalogueEntry:
    """A report template, and the blocks that it makes."""

    name: str
    about: str
    """In one sentence; of an own template its file."""
    own: bool
    places: tuple[BlockPlace, ...]


@dataclass(frozen=True)
class RenderedBlock:
    """The text of a block, rendered as a sync would write it."""

    template: str
    block: str
    note: str
    """Where it stands or would; empty where a template was shown by itself."""
    text: str
    """Markdown; empty where there is nothing to say yet."""
    warnings: tuple[str, ...] = ()


def open_composer(workspace: Workspace, vault: Path | None = None) -> Composer:
    """Look at the vault, which may not exist yet, as a sync would; nothing is written."""
    vault = vault or workspace.vault
    there = vault.is_dir()
    state = read_state(state_path(workspace.state, vault, workspace.vault)) if there else State()
    snapshot = read_vault(vault) if there else Snapshot()
    return Composer(Sources(workspace), snapshot, state, vault, recreate=False)


def list_templates(workspace: Workspace) -> list[CatalogueEntry]:
    """Return all templates, the packaged ones first, each with its blocks."""
    composer = open_composer(workspace)
    places = _places(composer)
    own = own_templates(workspace)
    return [
        CatalogueEntry(
            name=name,
            about=_about(name) if name in REPORTS else f"templates/{own[name].name}",
            own=name not in REPORTS,
            places=tuple(place for place, template in places if template == name),
        )
        for name in composer.templates
    ]


def show(workspace: Workspace, name: str, attributes: Mapping[str, str]) -> RenderedBlock:
    """Render the block or template called NAME; nothing is written.

    ATTRIBUTES are those of a marker, such as `runs`.

    Raises:
        NotFoundError: there is no block or template of that name.
        UsageError: a template makes several blocks; the message names some.
        RefusedError: it can't be rendered.
    """
    composer = open_composer(workspace)
    places = {place.block: (place, template) for place, template in _places(composer)}
    block_of_run = f"{name}.{attributes.get('runs', '')}"
    if name in places or block_of_run in places:
        place, template = places.get(name) or places[block_of_run]
        return _rendered(composer, template, place.block, place.note, attributes)
    if name not in composer.templates:
        known = list(dict.fromkeys([*composer.templates, *places]))
        raise NotFoundError(unknown("template or block", name, known), "thesis report list")
    blocks = [place for place, template in places.values() if template == name]
    if len(blocks) > 1 and not attributes:
        some = ", ".join(place.block for place in blocks[:MOST])
        raise UsageError(
            f"the template {name!r} makes {len(blocks)} blocks; choose one of them: {some}"
            f"{', ...' if len(blocks) > MOST else ''}",
            f"thesis report show {blocks[0].block}",
        )
    if len(blocks) == 1:
        return _rendered(composer, name, blocks[0].block, blocks[0].note, attributes)
    return _rendered(composer, name, name, "", attributes)


def _rendered(
    composer: Composer, template: str, block: str, note: str, attributes: Mapping[str, str]
) -> RenderedBlock:
    standing = composer.snapshot.blocks.get(block)
    marked = standing[0][1].attributes if standing else {}
    if template == "weekly" and "since" not in marked:
        since, until = default_period()
        marked = {**marked, "since": str(since), "until": str(until)}
    page = composer.page(block, {**marked, **attributes}, note or "Note.md")
    text = render_body(page, template).decode()
    return RenderedBlock(template, block, note, text, tuple(dict.fromkeys(composer.warnings)))


def _places(composer: Composer) -> list[tuple[BlockPlace, str]]:
    """Return each block with its template: those that stand, then those to come."""
    snapshot = composer.snapshot
    standing_blocks = [
        (BlockPlace(block.id, note.path, block.line), block.template)
        for standing in snapshot.blocks.values()
        for note, block in standing
    ]
    return [*standing_blocks, *_to_come(composer)]


def _to_come(composer: Composer) -> Iterator[tuple[BlockPlace, str]]:
    for planned in composer.planned:
        for block, template in planned.blocks:
            if block in composer.snapshot.blocks:
                continue
            path = composer.places[planned.id]
            adopted = block in composer.state.adopted
            deleted = not adopted and (path is None or block in composer.state.blocks)
            place = BlockPlace(block, path or planned.path, deleted=deleted, adopted=adopted)
            yield place, template


def _about(template: str) -> str:
    """Say in one sentence what a packaged report is, as its module does."""
    about = sys.modules[REPORTS[template].__module__].__doc__ or ""
    return about.split("\n", 1)[0].strip()
