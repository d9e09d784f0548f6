"""`thesis report list`, `show` and `new`: the templates, packaged and the student's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.completion import complete_template
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session
    from vault_sync.content.catalogue import CatalogueEntry

NOWHERE = "-"


@click.command(cls=Command, name="list")
@json_option
@pass_session
def list_templates(session: Session, *, as_json: bool) -> None:
    """List the templates, and where their blocks live in the vault."""
    del as_json
    from vault_sync.content.catalogue import list_templates as entries

    emit(session, "report-list", [tell(entry) for entry in entries(session.workspace)], view_list)


def tell(entry: CatalogueEntry) -> dict[str, Any]:
    """Tell what a template is, and each of its blocks."""
    return {
        "template": entry.name,
        "origin": "own" if entry.own else "packaged",
        "about": entry.about,
        "blocks": [
            {
                "block": place.block,
                "note": place.note,
                "line": place.line or None,
                "standing": bool(place.line),
                "deleted": place.deleted,
                "adopted": place.adopted,
                **markers(place.block, entry.name),
            }
            for place in entry.places
        ],
    }


def markers(block: str, template: str) -> dict[str, str]:
    """Give the two lines between which a block stands."""
    begin = f"<!-- thesis:begin id={block} template={template} -->"
    return {"begin": begin, "end": f"<!-- thesis:end id={block} -->"}


def view_list(rows: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the blocks of each template."""
    cells = []
    for row in rows:
        blocks = row["blocks"] or [None]
        for place, block in enumerate(blocks):
            first = [row["template"], row["origin"]] if not place else ["", ""]
            cells.append([*first, block["block"] if block else NOWHERE, where(block)])
    hint = "see one: thesis report show TEMPLATE|BLOCK; start your own: thesis report new NAME"
    return [Grid(["template", "origin", "block", "~where"], cells), *missing(rows), hint]


def missing(rows: list[dict[str, Any]]) -> list[Block]:
    """Show the markers of blocks that a note which is there does not hold."""
    names = [
        block
        for row in rows
        for block in row["blocks"]
        if not (block["standing"] or block["deleted"] or block["adopted"])
    ]
    if not names:
        return []
    lines = [f"  {block['begin']} {block['end']}" for block in names]
    told = "not there yet; put both markers on lines of their own, where the block should stand:"
    return ["\n".join([told, *lines])]


def where(block: dict[str, Any] | None) -> str:
    """Say where a block stands, or why it does not."""
    if block is None:
        return "where you put its marker"
    if block["standing"]:
        return f"{block['note']}:{block['line']}"
    if block["adopted"]:
        return f"{block['note']} (yours since you adopted it)"
    if block["deleted"]:
        return f"{block['note']} (you deleted it)"
    return f"{block['note']} (not there yet)"


@click.command(cls=Command)
@click.argument("name", metavar="TEMPLATE|BLOCK", shell_complete=complete_template)
@click.option("--runs", default="", help="Which runs it is about: selectors with commas between.")
@json_option
@pass_session
def show(session: Session, name: str, runs: str, *, as_json: bool) -> None:
    """Print what a block or template gives now.

    Markdown goes to stdout; the vault is not touched.
    """
    del as_json
    from vault_sync.content.catalogue import show as render

    shown = render(session.workspace, name, {"runs": runs} if runs else {})
    for warning in shown.warnings:
        session.warn(warning)
    if not shown.text:
        session.note(f"{shown.block} has nothing to say yet: no finished run concerns it")
    answer = {
        "template": shown.template,
        "block": shown.block,
        "note": shown.note or None,
        "markdown": shown.text,
    }
    emit(session, "report-show", answer, view_shown)


def view_shown(data: dict[str, Any]) -> list[Block]:
    """Print the Markdown as it is."""
    return [data["markdown"]] if data["markdown"] else []


@click.command(cls=Command)
@click.argument("name")
@json_option
@pass_session
def new(session: Session, name: str, *, as_json: bool) -> None:
    """Start a template of your own.

    It is written to templates/NAME.jinja, with an example that renders at once.
    """
    del as_json
    from vault_sync.reports import REPORTS
    from vault_sync.user_templates.files import start

    path = start(session.workspace, name, frozenset(REPORTS))
    answer = {
        "template": name,
        "file": path,
        **markers(name, name),
    }
    emit(session, "report-new", answer, view_new)


def view_new(data: dict[str, Any]) -> list[Block]:
    """Tell what to do with the new template."""
    return [
        f"written: {data['file']}",
        f"see what it gives: thesis report show {data['template']}",
        "put these lines into a note, then run thesis report sync:",
        f"\n{data['begin']}\n{data['end']}",
    ]
