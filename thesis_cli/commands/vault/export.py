"""`thesis vault export`: the thesis as one document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from vault_sync.export.formats import ENGINES, FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from thesis_cli.session import Session

WORDS = {
    "measured": "proved",
    "imported": "imported",
    "cited": "cited",
    "target": "planned",
    "own": "the author's own",
    "unbacked": "unbacked",
    "stale": "stale",
    "altered": "altered by hand",
}
"""What a number can be -> the word for it."""
PAGES = {
    "title-page": "title page",
    "declarations": "declaration",
    "dedication": "dedication",
    "acknowledgements": "acknowledgements",
    "abstract": "abstract in English",
    "resume": "abstract in French",
}
"""Page before the first chapter -> what it is called."""
REASONS = {
    "runs": "run notes (--with-runs adds them)",
    "galleries": "galleries of pictures",
    "management": "project management",
    "weekly": "weekly notes",
    "templates": "templates",
    "days": "notes of days and weeks",
    "drawings": "drawings and boards",
    "readmes": "read-me files",
    "slides": "notes of slides (--to slides)",
    "attachments": "attachments",
    "archive": "archive",
    "property": "notes that say export: false",
    "excluded": "excluded in thesis.toml",
    "not-included": "not included in thesis.toml",
}
"""Why a note is left out -> the words for it."""
MOST = 4
"""Notes of a kind that are named; of more only folders are."""
FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[NOTES]...")
@click.option("--to", type=click.Choice(list(FORMATS)), default="pdf", show_default=True)
@click.option("--output", type=FILE, help="The file; default: export/ in the workspace.")
@click.option("--bibliography", type=FILE, help="A BibTeX file, before the one of thesis.toml.")
@click.option("--csl", "style", type=FILE, help="A citation style; default: Chicago, author-date.")
@click.option(
    "--pdf-engine",
    "engine",
    type=click.Choice(ENGINES),
    default="typst",
    show_default=True,
    help="What sets the PDF; all but typst are programs of your own.",
)
@click.option("--with-runs", is_flag=True, help="Add the notes of the runs as an appendix.")
@click.option("--force", is_flag=True, help="Write over a changed document; show altered numbers.")
@click.option("--notes", "handout", is_flag=True, help="Print speaker's notes below each slide.")
@click.option("--dry-run", is_flag=True, help="Only list what would go in, in order.")
@json_option
@pass_session
def export(
    session: Session,
    /,
    *,
    names: tuple[str, ...],
    dry_run: bool,
    handout: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Export the thesis, or some NOTES and folders, as one document; or a note of slides.

    Nothing is written into the vault. Blocks and bound numbers that were altered by hand are
    refused (exit code 7), unless with --force.
    """
    del as_json
    slides = FORMATS[options["to"]].slides
    _check_slides(options, slides=slides, handout=handout, dry_run=dry_run)
    if dry_run:
        from vault_sync.export.planning import outline

        plan, rows = outline(session.workspace, names, with_runs=options["with_runs"])
        told = {
            "outline": [vars(row) for row in rows],
            "front_empty": () if names else plan.front_empty,
            "left_out": plan.selection.left_out,
            "reasons": dict(plan.selection.reasons),
        }
        emit(session, "vault-outline", told, outline_view)
        return
    from vault_sync.export.document_writer import ExportOptions
    from vault_sync.export.exporting import export as make

    if slides:
        from vault_sync.export.slides.exporting import export_slides

        done = export_slides(session.workspace, names, ExportOptions(**options), handout=handout)
    else:
        done = make(session.workspace, names, ExportOptions(**options))
    for warning in done.warnings:
        session.warn(warning)
    answer = {name: value for name, value in vars(done).items() if name != "warnings"}
    emit(session, "vault-export", answer, view)


def _check_slides(
    options: Mapping[str, Any], *, slides: bool, handout: bool, dry_run: bool
) -> None:
    """Make sure that no option of documents is asked of slides, or the other way round."""
    from featherface.errors import UsageError

    if slides and (options["with_runs"] or options["engine"] != "typst" or dry_run):
        raise UsageError(
            "--with-runs, --pdf-engine and --dry-run are of documents, and slides know none",
            f"thesis vault export --to {options['to']}",
        )
    if handout and not slides:
        raise UsageError(
            f"--notes prints what is said to slides; --to {options['to']} has none",
            "thesis vault export --to slides --notes",
        )


def view(data: dict[str, Any]) -> Iterator[Block]:
    """Tell what was made, of what."""
    pages = f", {count(data['pages'], 'page')}" if data["pages"] else ""
    slides = f", {count(data['slides'], 'slide')}" if data["slides"] else ""
    yield f"written: {data['output']}{slides or pages}"
    yield (
        ", ".join(
            count(len(data[name]) if isinstance(data[name], tuple) else data[name], singular)
            for name, singular in (("notes", "note"), ("figures", "figure"), ("tables", "table"))
        )
        + f"; works cited: {len(data['citations'])}"
    )
    if data["front"]:
        named = dict.fromkeys(PAGES.get(page, page) for page in data["front"])
        yield f"before the first chapter: {', '.join(named)}"
    yield from still_empty(data)
    if data["empty_sections"]:
        sections = count(len(data["empty_sections"]), "section")
        yield f"empty, and not printed: {sections}, named in the warnings"
    yield numbers(data)
    yield from left_out(data)


def outline_view(data: dict[str, Any]) -> Iterator[Block]:
    """List what would go in, each under its chapter, and what would not."""
    appended = False
    for row in data["outline"]:
        if row["kind"] == "appendix" and not appended:
            appended = True
            yield "appendices:"
        title = PAGES.get(row["title"], row["title"]) if row["kind"] == "front" else row["title"]
        indent = "  " * max(row["level"] - 1, 0)
        path = row["path"] if row["path"].endswith(".md") else ""
        yield f"{indent}{title}" + (f"  ({path})" if path else "")
    yield from still_empty(data)
    yield from left_out(data)
    yield "nothing was written: leave --dry-run away to make the document"


def still_empty(data: dict[str, Any]) -> Iterator[str]:
    """Say what the front matter lacks."""
    if data["front_empty"]:
        yield f"still empty under [document] in thesis.toml: {', '.join(data['front_empty'])}"


def left_out(data: dict[str, Any]) -> Iterator[str]:
    """Say what was left out, by reason; many notes of a kind are counted."""
    groups: dict[str, list[str]] = {}
    for path, reason in data["reasons"].items():
        groups.setdefault(reason, []).append(path)
    if groups:
        yield "left out:"
    for reason, text in REASONS.items():
        paths = groups.get(reason, [])
        if len(paths) > MOST:
            folders = dict.fromkeys(path.rpartition("/")[0] or "the vault" for path in paths)
            places = ", ".join([*folders][:MOST]) + (", …" if len(folders) > MOST else "")
            yield f"  {text}: {count(len(paths), 'note')} in {places}"
        elif paths:
            yield f"  {text}: {', '.join(paths)}"


def numbers(data: dict[str, Any]) -> str:
    """Say on what the numbers of the document rest."""
    told = [
        f"{data['numbers'][name]} {word}" for name, word in WORDS.items() if data["numbers"][name]
    ]
    text = f"numbers: {', '.join(told) or 'none in the prose'}"
    text += f"; {count(data['blocks'], 'generated block')}" if data["blocks"] else ""
    weak = data["numbers"]["unbacked"] or data["numbers"]["stale"] or data["numbers"]["altered"]
    return f"{text}; see: thesis check numbers" if weak else text


def count(number: int, singular: str) -> str:
    """Write a number with its noun."""
    return f"{number} {singular}" if number == 1 else f"{number} {singular}s"
