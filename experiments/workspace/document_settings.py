"""The tables `document` and `export` of thesis.toml: the face of the document, and what goes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.workspace import document_values as values
from experiments.workspace.paths import check
from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class DocumentKey:
    """One key of `document` or `export`."""

    read: Callable[[Any], Any]
    """Makes the value of what TOML holds; a ValueError says what the value must be."""
    default: Any
    about: str
    example: str
    """Shown to who got it wrong, as TOML writes it."""


def read(key: str, value: Any, where: str) -> Any:
    """Return VALUE of dotted KEY as the program uses it; WHERE names the file that set it.

    Raises:
        UsageError: it is no value for that key; the hint shows one.
    """
    entry = KEYS[key]
    table, _, name = key.partition(".")
    try:
        made = entry.read(value)
    except ValueError as error:
        head, mark, tail = str(error).partition(";")
        raise UsageError(
            f"{where}: {key} {head}, not {value!r}{mark}{tail}",
            f"under [{table}], write it like: {name} = {entry.example}",
        ) from error
    if key in PATHS:
        check(where, key, made)
    return made


def _text(about: str, example: str) -> DocumentKey:
    return DocumentKey(values.read_text, "", about, example)


def _texts(about: str, example: str) -> DocumentKey:
    return DocumentKey(values.read_texts, (), about, example)


def _people(about: str, example: str) -> DocumentKey:
    return DocumentKey(values.read_people, (), about, example)


def _day(about: str) -> DocumentKey:
    return DocumentKey(values.read_day, "", about, "2026-06-30")


_DOCUMENT = {
    "subtitle": _text("second line of the title", '"A study on small faces"'),
    "institution": _text("university or school", '"University of Lyon"'),
    "faculty": _text("faculty, department or doctoral school", '"Faculty of Science"'),
    "laboratory": _text("where the work was done", '"Computer Vision Laboratory"'),
    "degree": DocumentKey(
        values.read_degree,
        "",
        f"what the document is: {', '.join(values.DEGREES)}, or their French names",
        '"master"',
    ),
    "degree_line": _text(
        "what the title page calls it, in words of your own", '"Master 2 thesis in Informatics"'
    ),
    "discipline": _text("field of the degree", '"Informatics"'),
    "supervisors": _people(
        "who supervises it: names, or tables with name, role, affiliation",
        '["A. Martin, University of Lyon"]',
    ),
    "jury": _people(
        "the jury: tables with name, role, affiliation",
        '[{ name = "B. Roy", role = "Examiner", affiliation = "CNRS" }]',
    ),
    "place": _text("city of the defence", '"Lyon"'),
    "deposit": _day("day on which it is handed in"),
    "defence": _day("day of the defence"),
    "logo": _text("picture on the title page, from the workspace", '"logo.png"'),
    "abstract": _text("abstract in English: a note, or the text", '"Front/Abstract"'),
    "resume": _text("abstract in French: a note, or the text", '"Front/Abstract in French"'),
    "keywords": _texts("keywords in English", '["face detection", "edge devices"]'),
    "mots_cles": _texts("keywords in French", '["vision", "attention"]'),
    "acknowledgements": _text("a note, or the text", '"Front/Thanks"'),
    "declarations": _texts("notes or texts, each on its page", '["Front/Own work"]'),
    "dedication": _text("a note, or the text", '"To my parents."'),
}
_EXPORT = {
    "include": _texts("globs of the notes that go in, and no others", '["Chapters/**"]'),
    "exclude": _texts("globs of notes that stay out", '["**/Drafts/**"]'),
    "order": _texts("globs of the notes and folders that come first, in this order", '["Intro"]'),
    "parts": DocumentKey(
        values.read_parts, {}, "parts of the document: titles, each with its chapters", '["01-*"]'
    ),
    "appendices": _texts("globs of the notes and folders that are appendices", '["Annexes/**"]'),
    "lists": DocumentKey(
        values.read_lists, values.LISTS, "lists after the contents: figures, tables", '["figures"]'
    ),
    "macros": _texts("TeX files with the macros of your formulas", '["macros.tex"]'),
    "csl": _text("citation style, a CSL file", '"styles/university.csl"'),
    "reference_docx": _text("Word document whose styles are taken", '"university.docx"'),
    "reference_pptx": _text("PowerPoint document whose layouts are taken", '"university.pptx"'),
    "latex_class": _text("LaTeX class: a .cls file, or a name that TeX knows", '"university.cls"'),
    "latex_preamble": _text("TeX file read at the end of the preamble", '"preamble.tex"'),
    "typst_template": _text("Typst file that defines thesis(data, body)", '"university.typ"'),
}
KEYS: dict[str, DocumentKey] = {
    **{f"document.{name}": key for name, key in _DOCUMENT.items()},
    **{f"export.{name}": key for name, key in _EXPORT.items()},
}
"""Dotted key of thesis.toml -> what it may hold."""
PATHS = frozenset(
    {
        "document.logo",
        *(f"export.{name}" for name in ("csl", "reference_docx", "reference_pptx")),
        *(f"export.{name}" for name in ("latex_class", "latex_preamble")),
        *(f"export.{name}" for name in ("typst_template", "macros")),
    }
)
"""Those that hold paths."""
