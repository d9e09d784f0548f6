"""Export a note of slides, as PDF, HTML or PowerPoint."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, UsageError, unknown
from vault_sync.commands.check_numbers import ProseNumbers
from vault_sync.commands.dry_run import find_vault
from vault_sync.export.assembly import assemble
from vault_sync.export.citations import read_bibliography
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.drawings.letters import find_missing
from vault_sync.export.evidence import examine, refuse_altered
from vault_sync.export.exporting import ExportReport, copy_logo, count_pages, deliver, output_path
from vault_sync.export.format_specific import LAYOUTS, lay_out
from vault_sync.export.formats import SLIDES
from vault_sync.export.front_matter.degree_words import name_work
from vault_sync.export.front_matter.details import read_details
from vault_sync.export.front_matter.pages import LANGUAGES
from vault_sync.export.front_matter.templates import check_templates
from vault_sync.export.maths.preamble import read_preamble
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.link_index import LinkIndex
from vault_sync.export.reading.pandoc_ast import API, plain
from vault_sync.export.slides.choosing import choose_slides
from vault_sync.export.slides.deck import Deck, footnotes_below, split
from vault_sync.export.slides.html_deck import html_blocks, write_html
from vault_sync.export.slides.pptx_deck import opening_meta, pptx_blocks, write_pptx
from vault_sync.export.slides.questions import ask, question_slides
from vault_sync.export.slides.typst_deck import typst_blocks, write_typst
from vault_sync.export.typography import typeset
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.assembly import Document
    from vault_sync.export.evidence import DocumentEvidence
    from vault_sync.export.formats import DocumentFormat
    from vault_sync.export.front_matter.templates import OwnTemplates
    from vault_sync.export.reading.pandoc_ast import Node

QUESTIONS = "questions"
"""Property by which a note of slides does without those that may be asked: false."""


@dataclass(frozen=True)
class DeckFormat:
    """How one layout writes a deck."""

    blocks: Callable[[Deck], Iterator[Node]]
    write: Callable[[Deck, Path, list[str]], list[str]]
    """Makes the file in a folder that holds `thesis.json`; returns warnings."""


WRITERS = {
    "typst": DeckFormat(typst_blocks, write_typst),
    "html5": DeckFormat(html_blocks, write_html),
    "pptx": DeckFormat(pptx_blocks, write_pptx),
}
"""Layout of an entry of SLIDES -> what writes it."""


def export_slides(
    workspace: Workspace,
    names: Sequence[str] = (),
    options: ExportOptions | None = None,
    *,
    handout: bool = False,
) -> ExportReport:
    """Export the note of slides that NAMES mean to a file outside the vault.

    With HANDOUT the notes for the speaker are printed, below each slide.

    Raises:
        UsageError: an unknown format, several notes, or a template that is none.
        NotFoundError: there is no such vault, note, bibliography, style or template.
        UnavailableError: pandoc or typst is missing, or failed.
        RefusedError: the output would lie in the vault, or was changed since it was exported; a
            block or a bound number was altered by hand, or is not what the records say.
    """
    options = options or ExportOptions(to="slides")
    if options.to not in SLIDES:
        raise UsageError(unknown("format of slides", options.to, SLIDES))
    form = SLIDES[options.to]
    if form.layout == "typst":
        pandoc.require_typst()
    vault = find_vault(workspace)
    own = check_templates(workspace, form.layout, options.style)
    words = Words(workspace.language)
    index = name_work(LinkIndex.read(vault), workspace.settings["document.degree"], words.language)
    selection = choose_slides(index, workspace.chapters, words, names)
    output = output_path(workspace, vault, selection.notes, options)
    entries = read_bibliography(workspace, options.bibliography)
    with tempfile.TemporaryDirectory(prefix="thesis-slides-") as place:
        build = Path(place)
        logo = copy_logo(own.logo, build, "figures")
        macros = read_preamble(workspace, index)
        media = (build / "figures", "figures")
        document = assemble(index, selection, words, entries, media, macros)
        evidence = examine(workspace, document)
        if not options.force:
            refuse_altered(evidence)
            refuse_outdated(evidence)
        deck = _deck(workspace, index, document, logo, handout=handout)
        warnings = _write(deck, document, form, own, build)
        if form.layout == "typst":
            warnings += find_missing(index, document.notes, document.shown)
        made = build / f"thesis{form.suffix}"
        pages = count_pages(made) if form.layout == "typst" else None
        deliver(workspace, made, output, force=options.force)
    return ExportReport(
        format=options.to,
        output=output,
        notes=selection.notes,
        front=(),
        front_empty=(),
        left_out=(),
        reasons={},
        empty_sections=(),
        pages=pages,
        figures=document.figures,
        tables=document.tables,
        citations=tuple(document.cited),
        numbers=evidence.counts,
        blocks=evidence.blocks,
        warnings=(
            *document.warnings,
            *evidence.altered,
            *evidence.outdated,
            *deck.empty(),
            *warnings,
        ),
        slides=len(deck.slides),
    )


def refuse_outdated(evidence: DocumentEvidence) -> None:
    """Make sure that slides say what the records say now: they are shown, and not read again.

    Raises:
        RefusedError: a bound number or a generated block is stale, or nothing stands behind it.
    """
    if evidence.outdated:
        raise RefusedError(
            "the slides would show what the records do not say:\n  "
            + "\n  ".join(evidence.outdated),
            "thesis report sync --to vault brings blocks up to date, thesis check numbers --fix"
            " numbers; or export them as they stand, with --force",
        )


def _deck(
    workspace: Workspace, index: LinkIndex, document: Document, logo: str, *, handout: bool
) -> Deck:
    """Make slides of the note, and of the questions that its numbers raise."""
    words, details = Words(workspace.language), read_details(workspace, typeset)
    note = document.notes[0]
    slides = split(document.blocks)
    if index.property(note, QUESTIONS).casefold() != "false":
        prose = ProseNumbers(workspace, [str(workspace.vault / note)])
        slides += question_slides(ask(prose.findings, prose.values, words), words)
    named = plain(document.title).strip() not in ("", Path(note).stem)
    return Deck(
        title=document.title if named else details["title"],
        slides=[footnotes_below(slide) for slide in slides],
        details=details,
        language=workspace.language,
        logo=logo,
        handout=handout,
    )


def _write(
    deck: Deck, document: Document, form: DocumentFormat, own: OwnTemplates, build: Path
) -> list[str]:
    """Have the deck written into the folder BUILD; return warnings."""
    writer, layout = WRITERS[form.layout], LAYOUTS[form.layout]
    style = layout.references(document.numbers, Words(deck.language))
    blocks = lay_out(list(writer.blocks(deck)), layout, style)
    tree = {"pandoc-api-version": API, "meta": _meta(deck, form), "blocks": blocks}
    text = json.dumps(tree, ensure_ascii=False)
    (build / "thesis.json").write_text(text, encoding="utf-8")
    arguments = ["--from", "json", "--to", form.writer, "--standalone", "thesis.json"]
    arguments += ["--variable", f"language={deck.language}"]
    if own.reference_pptx is not None:
        arguments += ["--reference-doc", str(own.reference_pptx)]
    if document.cited:
        entries = "\n\n".join(document.cited.values())
        (build / "cited.bib").write_text(f"{entries}\n", encoding="utf-8")
        named = [] if own.csl is None else ["--csl", str(own.csl)]
        arguments += ["--citeproc", "--bibliography", "cited.bib", *named]
    warnings = writer.write(deck, build, arguments)
    return [warning for warning in warnings if "Citeproc: citation" not in warning]


def _meta(deck: Deck, form: DocumentFormat) -> dict[str, Node]:
    meta: dict[str, Node] = {
        "pagetitle": {"t": "MetaString", "c": plain(deck.title)},
        "lang": {"t": "MetaString", "c": LANGUAGES[deck.language]},
        "title": {"t": "MetaInlines", "c": deck.title},
    }
    if form.layout == "pptx":
        return meta | opening_meta(deck)
    if deck.details["author"]:
        author = {"t": "MetaInlines", "c": deck.details["author"]}
        meta["author"] = {"t": "MetaList", "c": [author]}
    return meta
