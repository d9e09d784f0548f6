"""Have a document written by pandoc, and set by typst where it is a PDF."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError
from vault_sync.export import format_specific, tables
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import API, plain, words
from vault_sync.export.references.reference_style import LISTED
from vault_sync.export.word_styles import finish, number_document, write_reference
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.assembly import Document
    from vault_sync.export.formats import DocumentFormat
    from vault_sync.export.reading.pandoc_ast import Node


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export, besides the notes."""

    to: str = "pdf"
    output: Path | None = None
    bibliography: Path | None = None
    style: Path | None = None
    """A CSL file for citations; None: Chicago, author and date."""
    engine: str = "typst"
    with_runs: bool = False
    lists: tuple[str, ...] | None = None
    """What is listed after the contents: `figure`, `table`; None: both in a whole thesis."""
    force: bool = False
    """Write over a file that was changed since it was exported, and show altered numbers."""


class DocumentWriter:
    """Has pandoc, and typst for PDF, write a document into the folder BUILD."""

    def __init__(
        self, workspace: Workspace, build: Path, options: ExportOptions, form: DocumentFormat
    ) -> None:
        self.workspace = workspace
        self.build = build
        self.options = options
        self.form = form
        self.layout = form.writer.partition("-")[0]

    def write(self, document: Document) -> list[str]:
        """Write `thesis` with the suffix of the format; return the warnings of the programs."""
        tree = {
            "pandoc-api-version": API,
            "meta": self._meta(document),
            "blocks": self._blocks(document),
        }
        text = json.dumps(tree, ensure_ascii=False)
        (self.build / "thesis.json").write_text(text, encoding="utf-8")
        set_by_typst = self.layout == "typst"
        output = "thesis.typ" if set_by_typst else f"thesis{self.form.suffix}"
        whole = document.whole
        arguments = ["--from", "json", "--to", self.form.writer, "--standalone", "--output", output]
        arguments += ["--variable", f"language={self.workspace.language}"]
        arguments += ["--toc", "--toc-depth=3"] if whole else []
        arguments += [] if self.layout == "latex" else ["--wrap=none"]
        arguments += ["--variable", "chapters=yes"] if whole else []
        arguments += [*self._appearance(whole=whole), *self._citations(document), "thesis.json"]
        _, warnings = pandoc.run_pandoc(arguments, self.build)
        if set_by_typst:
            warnings += pandoc.compile_typst(self.build / output, self.build / "thesis.pdf")
        if self.layout == "docx":
            finish(self.build / output)
            number_document(self.build / output)
        return [warning for warning in warnings if "Citeproc: citation" not in warning]

    def _blocks(self, document: Document) -> list[Node]:
        """Return the document as the format shows it, lists of figures and tables before it."""
        layout = format_specific.LAYOUTS[self.layout]
        style = layout.references(document.numbers, Words(self.workspace.language))
        lists = self.options.lists
        if lists is None:
            lists = LISTED if document.whole else ()
        blocks = format_specific.lay_out(document.blocks, layout, style)
        return [*style.opening(lists), *blocks]

    def _meta(self, document: Document) -> dict[str, Node]:
        settings, language = self.workspace.settings, Words(self.workspace.language)
        title = document.title or words(settings["title"] or self.workspace.root.name)
        author = settings["author"].strip()
        meta: dict[str, Node] = {
            "title": {"t": "MetaInlines", "c": title},
            "pagetitle": {"t": "MetaString", "c": plain(title)},
            "lang": {"t": "MetaString", "c": {"fr": "fr-FR", "en": "en-GB"}[language.language]},
            "toc-title": {"t": "MetaString", "c": str(language.say("export.contents"))},
        }
        if author:
            inlines = {"t": "MetaInlines", "c": words(author)}
            meta["author"] = {"t": "MetaList", "c": [inlines]}
        return meta

    def _appearance(self, *, whole: bool) -> list[str]:
        """Return the arguments that say what the document looks like."""
        if self.layout == "typst":
            return ["--template", self._copy("thesis.typ")]
        if self.layout == "html5":
            return ["--template", self._copy("thesis.html"), "--mathml", "--embed-resources"]
        if self.layout == "docx":
            original, _ = pandoc.run_pandoc(
                ["--print-default-data-file", "reference.docx"], self.build
            )
            sizes = tuple(dict.fromkeys(size.points for size in tables.SIZES))
            path = self.build / "reference.docx"
            write_reference(original, self.workspace.language, path, sizes)
            return ["--reference-doc", path.name]
        return self._latex(whole=whole)

    def _latex(self, *, whole: bool) -> list[str]:
        look = {
            "documentclass": "report" if whole else "article",
            "papersize": "a4",
            "geometry": "margin=2.5cm",
            "fontsize": "11pt",
            "colorlinks": "true",
            "linkcolor": "black",
            "secnumdepth": "2" if whole else "3",
        }
        arguments = [f"--variable={key}={value}" for key, value in look.items()]
        arguments += ["--include-in-header", self._copy("preamble.tex"), "--number-sections"]
        arguments += [f"--top-level-division={'chapter' if whole else 'section'}"]
        if self.options.to == "pdf":
            arguments += [f"--pdf-engine={self.options.engine}"]
        return arguments

    def _citations(self, document: Document) -> list[str]:
        if not document.cited:
            return []
        entries = "\n\n".join(document.cited.values())
        (self.build / "cited.bib").write_text(f"{entries}\n", encoding="utf-8")
        arguments = ["--citeproc", "--bibliography", "cited.bib"]
        if self.options.style is not None:
            if not self.options.style.is_file():
                raise NotFoundError(
                    f"there is no citation style {self.options.style}", "correct --csl"
                )
            arguments += ["--csl", str(self.options.style.resolve())]
        return arguments

    def _copy(self, name: str) -> str:
        text = (
            resources.files(format_specific.__package__).joinpath("layout", name).read_text("utf-8")
        )
        (self.build / name).write_text(text, encoding="utf-8")
        return name
