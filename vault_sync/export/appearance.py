"""What a document looks like, as pandoc's arguments: templates, styles, classes, variables."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from vault_sync.export import layout as layout_files
from vault_sync.export import tables
from vault_sync.export.front_matter.templates import copy_beside
from vault_sync.export.reading import pandoc
from vault_sync.export.word_styles import complete_reference, write_reference

if TYPE_CHECKING:
    from pathlib import Path

    from vault_sync.export.front_matter.templates import OwnTemplates

OUR_CLASS = {
    "papersize": "a4",
    "geometry": "margin=2.5cm",
    "fontsize": "11pt",
    "colorlinks": "true",
    "linkcolor": "black",
}
"""Variables of pandoc's template of LaTeX that a class of one's own decides about itself."""


def layout_text(name: str) -> str:
    """Return a file of the folder `layout`."""
    return resources.files(layout_files).joinpath(name).read_text("utf-8")


def appearance(
    layout: str, build: Path, own: OwnTemplates, language: str, *, whole: bool
) -> list[str]:
    """Put what the document needs into the folder BUILD; return the arguments that name it.

    WHOLE says whether it has chapters.

    Raises:
        UsageError: the folder of a template is too large.
    """
    copy_beside(own.beside(layout), build)
    if layout == "typst":
        _copy("front.typ", build)
        template = own.typst_template
        named = [] if template is None else ["--variable", f"university={template.name}"]
        return ["--template", _copy("thesis.typ", build), *named]
    if layout == "html5":
        return ["--template", _copy("thesis.html", build), "--mathml", "--embed-resources"]
    if layout == "docx":
        return ["--reference-doc", _reference(build, own, language)]
    return _latex(own, whole=whole)


def preamble(own: OwnTemplates) -> str:
    """Return what goes into the preamble of LaTeX besides pandoc's own."""
    last = f"\\input{{{own.latex_preamble.name}}}" if own.latex_preamble else ""
    return "\n".join([layout_text("preamble.tex"), layout_text("front.tex"), last])


def _reference(build: Path, own: OwnTemplates, language: str) -> str:
    sizes = tuple(dict.fromkeys(size.points for size in tables.SIZES))
    path = build / "reference.docx"
    if own.reference_docx is not None:
        complete_reference(own.reference_docx.read_bytes(), path, sizes)
    else:
        original, _ = pandoc.run_pandoc(["--print-default-data-file", "reference.docx"], build)
        write_reference(original, language, path, sizes)
    return path.name


def _latex(own: OwnTemplates, *, whole: bool) -> list[str]:
    look = {
        "documentclass": own.class_name or ("report" if whole else "article"),
        **({} if own.class_name else OUR_CLASS),
        "secnumdepth": "2" if whole else "3",
    }
    division = "chapter" if whole else "section"
    return [
        *(f"--variable={key}={value}" for key, value in look.items()),
        "--number-sections",
        f"--top-level-division={division}",
    ]


def _copy(name: str, build: Path) -> str:
    (build / name).write_text(layout_text(name), encoding="utf-8")
    return name
