"""Make a weekly report: a note for a fixed period, which later syncs keep up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.commands.dry_run import find_vault
from vault_sync.commands.writing import write_notes
from vault_sync.content.bodies import block_body
from vault_sync.content.catalogue import open_composer
from vault_sync.engine.disk.names import note_path
from vault_sync.engine.plans import Write
from vault_sync.engine.text.markers import write_block
from vault_sync.engine.text.properties import write_front_matter
from vault_sync.rendering.jinja import render
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.periods import DAYS, default_period

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace
    from vault_sync.content.composing import Composer

CHAPTER = "weekly"
TEMPLATE = "weekly"


@dataclass(frozen=True)
class WeeklyNote:
    """A weekly report in the vault."""

    note: str
    """Path from the vault."""
    since: date
    until: date
    written: bool
    """False where it was there already; syncs keep it true."""


def write_weekly(
    workspace: Workspace, since: date | None = None, until: date | None = None
) -> WeeklyNote:
    """Make the note of a period, or tell where it is.

    Raises:
        UsageError: the period ends before it begins.
        NotFoundError: there is no vault.
        RefusedError: the path of thesis.toml is none inside the vault, or something else stands
            there.
    """
    first, last = default_period(since, until)
    vault = find_vault(workspace)
    composer = open_composer(workspace, vault)
    identity = identify(first, last)
    carriers = composer.snapshot.by_id.get(identity, [])
    if carriers:
        return WeeklyNote(carriers[0].path, first, last, written=False)
    path = _free_path(workspace, composer, first, last)
    outcome = write_notes(workspace, vault, [_plan(composer, path, first, last)], "report weekly")
    if path not in outcome.written:
        raise RefusedError(f"{path} was made by someone else meanwhile", "thesis report weekly")
    return WeeklyNote(path, first, last, written=True)


def identify(first: date, last: date) -> str:
    """Return the `thesis_id` of a period's note."""
    return f"weekly/{first}.{last}"


def week(day: date) -> str:
    """Name the week of DAY as ISO 8601 does: `2026-W47`."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


def place(workspace: Workspace, name: str) -> str:
    """Return the path of the report called NAME, as thesis.toml asks."""
    pattern = workspace.chapters[CHAPTER]
    path = pattern.replace("{week}", name) if "{week}" in pattern else f"{pattern}/{name}"
    return note_path(path, f"chapters.{CHAPTER}")


def _free_path(workspace: Workspace, composer: Composer, first: date, last: date) -> str:
    """Name the note by its week; by its days where that is taken, or they are no whole week."""
    names = [f"{first}_{last}"]
    if last - first == timedelta(days=DAYS - 1):
        names.insert(0, week(last))
    paths = [place(workspace, name) for name in names]
    free = [path for path in paths if composer.snapshot.collision(path) is None]
    if not free:
        raise RefusedError(
            f"{paths[-1]} is there already and is no report of these days",
            "rename that note, then: thesis report weekly",
        )
    return free[0]


def _plan(composer: Composer, path: str, first: date, last: date) -> Write:
    """Lay out the whole note."""
    block_id = f"weekly.{first}.{last}"
    attributes = {"since": str(first), "until": str(last)}
    body = block_body(composer.page(block_id, attributes, path), TEMPLATE)
    block = Safe(write_block(block_id, TEMPLATE, body, attributes).decode())
    words = composer.sources.words
    values = {
        "block": lambda _: block,
        "block_id": block_id,
        "since": words.date(str(first)),
        "until": words.date(str(last)),
    }
    identity = identify(first, last)
    front = write_front_matter({"thesis_id": identity})
    text = f"{front}\n{render(words.language, 'notes/weekly', values)}"
    return Write(path, None, text.encode(), identity, {block_id: body})
