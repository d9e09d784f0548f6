"""Have a document written by pandoc, and set by typst where it is a PDF."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.export import format_specific
from vault_sync.export.appearance import appearance, preamble
from vault_sync.export.front_matter import handing_over
from vault_sync.export.front_matter.look import page_break, show
from vault_sync.export.front_matter.pages import LANGUAGES, title_page
from vault_sync.export.page_breaks import break_pages, name_parts
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import API, plain, raw
from vault_sync.export.references.reference_style import LISTED
from vault_sync.export.wide_tables import split_wide
from vault_sync.export.word_styles import begins_pages, finish, number_document
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.assembly import Document
    from vault_sync.export.formats import DocumentFormat
    from vault_sync.export.front_matter.details import DocumentDetails
    from vault_sync.export.front_matter.pages import FrontPage
    from vault_sync.export.front_matter.templates import OwnTemplates
    from vault_sync.export.reading.pandoc_ast import Node

_CONTENTS = "\\clearpage\\setcounter{tocdepth}{2}\\tableofcontents"
_ROMAN, _ARABIC = "\\pagenumbering{roman}", "\\clearpage\\pagenumbering{arabic}"
_FIRST_PAGE = '#set page(numbering: "1")\n#counter(page).update(1)'
"""The first chapter is page 1, after the contents and the lists."""
_CLASS_TITLE = (
    "\\ifdefined\\thesistitlepage\\thesistitlepage\\else",
    "\\fi",
    "\\ifdefined\\thesisfrontpages\\thesisfrontpages\\else",
)
"""Where a class defines these macros, they make the pages in place of ours."""


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export, besides the notes."""

    to: str = "pdf"
    output: Path | None = None
    bibliography: Path | None = None
    style: Path | None = None
    """A CSL file for citations; None: that of thesis.toml, else Chicago, author and date."""
    engine: str = "typst"
    with_runs: bool = False
    force: bool = False
    """Write over a file that was changed since it was exported, and show altered numbers."""
    lists: tuple[str, ...] | None = None
    """Kinds, `figure` and `table`, that are listed behind the contents; None: as thesis.toml says,
    of a whole thesis."""


@dataclass(frozen=True)
class DocumentFace:
    """What stands before the first chapter, and what shapes the document."""

    details: DocumentDetails
    templates: OwnTemplates
    pages: list[FrontPage] = field(default_factory=list)
    logo: str = ""
    """Its file, beside the source of the document; empty without one."""


class DocumentWriter:
    """Has pandoc, and typst for PDF, write a document into the folder BUILD."""

    def __init__(
        self,
        workspace: Workspace,
        build: Path,
        options: ExportOptions,
        form: DocumentFormat,
        face: DocumentFace,
    ) -> None:
        self.workspace = workspace
        self.build = build
        self.options = options
        self.form = form
        self.face = face
        self.language = workspace.language
        self.layout = form.layout
        self.titled = False
        """Whether the document has got a title page."""

    def write(self, document: Document) -> list[str]:
        """Write `thesis` with the suffix of the format; return the warnings of the programs."""
        whole = self.titled = self._whole(document)
        arguments = appearance(
            self.layout, self.build, self.face.templates, self.language, whole=whole
        )
        tree = {
            "pandoc-api-version": API,
            "meta": self._meta(document, whole=whole),
            "blocks": self._blocks(document, whole=whole),
        }
        text = json.dumps(tree, ensure_ascii=False)
        (self.build / "thesis.json").write_text(text, encoding="utf-8")
        set_by_typst = self.layout == "typst"
        output = "thesis.typ" if set_by_typst else f"thesis{self.form.suffix}"
        arguments += ["--from", "json", "--to", self.form.writer, "--standalone"]
        arguments += ["--output", output, "--variable", f"language={self.language}"]
        if self.layout != "latex":
            arguments += ["--wrap=none", *(["--toc", "--toc-depth=3"] if whole else [])]
        elif self.options.to == "pdf":
            arguments += [f"--pdf-engine={self.options.engine}"]
        arguments += ["--variable", "chapters=yes"] if whole else []
        arguments += [*self._citations(document), "thesis.json"]
        _, warnings = pandoc.run_pandoc(arguments, self.build)
        if set_by_typst:
            warnings += pandoc.compile_typst(self.build / output, self.build / "thesis.pdf")
        if self.layout == "docx":
            finish(self.build / output, titled=whole)
            number_document(self.build / output)
        return [warning for warning in warnings if "Citeproc: citation" not in warning]

    def _whole(self, document: Document) -> bool:
        """Whether it is a book: with pages of its own before the first of several chapters."""
        return document.whole or (not document.title and bool(self.face.pages))

    def _blocks(self, document: Document, *, whole: bool) -> list[Node]:
        """Return the document as the format shows it, behind what stands before its text."""
        layout = format_specific.LAYOUTS[self.layout]
        style = layout.references(document.numbers, Words(self.language))
        blocks = document.blocks
        if self.layout != "html5":
            blocks = split_wide(blocks, str(Words(self.language).say("export.continued")))
        blocks = name_parts(break_pages(blocks, self.layout), self.layout, self.language)
        blocks = format_specific.lay_out(blocks, layout, style)
        opening = style.opening(self._lists(whole=whole))
        if whole and self.layout == "latex":
            return [*self._latex_front(opening), *blocks]
        if whole and self.layout == "docx" and not begins_pages(self.build / "reference.docx"):
            return [*opening, page_break(self.layout), *blocks]
        if whole and self.layout == "typst" and self.face.templates.typst_template is None:
            return [*opening, raw("typst", _FIRST_PAGE), *blocks]
        return [*opening, *blocks]

    def _lists(self, *, whole: bool) -> tuple[str, ...]:
        """Return what is listed behind the contents."""
        if self.options.lists is not None:
            return self.options.lists
        wanted = self.workspace.settings["export.lists"] if whole else ()
        return tuple(kind for kind in LISTED if f"{kind}s" in wanted)

    def _front(self) -> tuple[list[Node], list[Node]]:
        """Return the blocks of the title page, and of the pages after it."""
        title = title_page(self.face.details, self.face.logo)
        pages = handing_over.shown_pages(self.face.pages, self.language)
        return show(title, self.layout), show(pages, self.layout)

    def _latex_front(self, lists: list[Node]) -> list[Node]:
        """Return what stands before the first chapter, LISTS behind the contents.

        pandoc would put the contents first.
        """
        title, pages = self._front()
        instead, end, instead_of_pages = (raw("latex", text) for text in _CLASS_TITLE)
        return [
            *(instead, *title, end, raw("latex", _ROMAN)),
            *(instead_of_pages, *pages, end),
            *(raw("latex", _CONTENTS), *lists, raw("latex", _ARABIC)),
        ]

    def _meta(self, document: Document, *, whole: bool) -> dict[str, Node]:
        language, details = Words(self.language), self.face.details
        title = document.title or details["title"]
        contents = str(language.say("export.contents"))
        meta: dict[str, Node] = {
            "pagetitle": {"t": "MetaString", "c": plain(title)},
            "title-meta": {"t": "MetaString", "c": plain(title)},
            "lang": {"t": "MetaString", "c": LANGUAGES[language.language]},
            "toc-title": {"t": "MetaString", "c": contents},
        }
        if details["author"] and not (whole and self.layout == "docx"):
            inlines = {"t": "MetaInlines", "c": details["author"]}
            meta["author"] = {"t": "MetaList", "c": [inlines]}
        if not whole or self.layout in ("typst", "latex"):
            meta["title"] = {"t": "MetaInlines", "c": title}
        if self.layout == "latex":
            meta["header-includes"] = self._latex_preamble(whole=whole)
        elif whole:
            title_blocks, pages = self._front()
            front = [*title_blocks, *pages]
            front += [page_break(self.layout)] if self.layout == "docx" else []
            meta["include-before"] = {"t": "MetaBlocks", "c": front}
        if self.layout == "typst":
            face = self.face
            data = handing_over.typst_data(face.details, face.pages, face.logo)
            meta["data"] = {"t": "MetaMap", "c": {**data, "title": meta["title"]}}
        return meta

    def _latex_preamble(self, *, whole: bool) -> Node:
        """Return the preamble with the macros of the front matter; ours makes the title page."""
        face = self.face
        macros = handing_over.latex_macros(face.details, face.pages, face.logo)
        rows = [*macros, raw("latex", preamble(face.templates))]
        if whole:
            rows.append(
                raw("latex", "\\let\\ThesisClassTitle\\maketitle\\renewcommand{\\maketitle}{}")
            )
        return {"t": "MetaBlocks", "c": rows}

    def _citations(self, document: Document) -> list[str]:
        if not document.cited:
            return []
        entries = "\n\n".join(document.cited.values())
        (self.build / "cited.bib").write_text(f"{entries}\n", encoding="utf-8")
        style = self.face.templates.csl
        named = [] if style is None else ["--csl", str(style)]
        return ["--citeproc", "--bibliography", "cited.bib", *named]
