"""Blocks of the title page and of the pages after it; each line carries what it is as a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.wording import catalogue
from vault_sync.export.front_matter.sources import ABSTRACTS
from vault_sync.export.reading.pandoc_ast import block, div, plain, string
from vault_sync.export.reading.pandoc_ast import words as inlines_of
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vault_sync.export.front_matter.details import DocumentDetails, Inlines
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.selecting.outline import DocumentEntry

PREFIX = "front-"
"""Starts the class of each division of the front matter."""
TITLE_PAGE, PAGE = f"{PREFIX}title-page", f"{PREFIX}page"
LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}


@dataclass(frozen=True)
class FrontPage:
    """A page before the first chapter."""

    role: str
    """`declarations`, `dedication`, `acknowledgements`, `abstract` or `resume`."""
    title: Inlines
    """Empty for a dedication."""
    body: list[Node]
    keywords: Inlines
    language: str


def line(name: str, *content: Node) -> Node:
    """Make a line of the title page: NAME is what it is."""
    return div([block("Para", list(content))], "", f"{PREFIX}{name}")


def title_page(details: DocumentDetails, logo: str) -> list[Node]:
    """Return the blocks of the title page; LOGO is the file of the picture, if any.

    Nothing stands there of what is not told.
    """
    words = Words(details.language)
    rows: list[Node] = []
    if logo:
        picture = {"t": "Image", "c": [["", [], [["height", "2.2cm"]]], [], [logo, ""]]}
        rows.append(line("logo", picture))
    rows += _told(details, "institution", "faculty", "laboratory", "degree")
    if details["discipline"]:
        rows.append(line("discipline", *_phrase(words, "discipline", name=details["discipline"])))
    rows += [line("title", *details["title"]), *_told(details, "subtitle")]
    rows.append(div([], "", f"{PREFIX}space"))
    if details["author"]:
        rows.append(line("label", *_phrase(words, "by")))
        rows += _told(details, "author")
    rows += _people(words, details)
    rows += [line("date", *inlines) for inlines in _dates(words, details)]
    return [div(rows, "", TITLE_PAGE)]


def front_pages(
    entries: Iterable[DocumentEntry],
    bodies: Mapping[str, list[Node]],
    details: DocumentDetails,
) -> list[FrontPage]:
    """Return the pages of ENTRIES; BODIES holds the blocks of each by its path, heading first.

    A page without words is none; keywords without an abstract stand alone.
    """
    pages = []
    for entry in entries:
        heading, *body = bodies[entry.path]
        keywords = details[ABSTRACTS[entry.front][1]] if entry.front in ABSTRACTS else []
        if _says_something(body):
            title = _title(entry, heading["c"][2])
            pages.append(FrontPage(entry.front, title, body, keywords, entry.language))
    return pages


def page_blocks(page: FrontPage, language: str) -> list[Node]:
    """Return the blocks of one page of a document in LANGUAGE."""
    rows = [div([block("Para", page.title)], "", f"{PREFIX}heading")] if page.title else []
    words = Words(page.language)
    if page.role == "dedication":
        rows.append(div(page.body, "", f"{PREFIX}dedication"))
    else:
        rows += page.body
    if page.keywords:
        label = block("Strong", _phrase(words, "keywords"))
        rows.append(line("keywords", label, {"t": "Space"}, *page.keywords))
    if page.language != language:
        rows = [div(rows, lang=LANGUAGES[page.language])]
    return [div(rows, "", PAGE)]


def _title(entry: DocumentEntry, heading: Inlines) -> Inlines:
    """Return what a page is called: declarations by their notes, the others by what they are."""
    words = Words(entry.language)
    if entry.front == "dedication":
        return []
    if entry.front in ABSTRACTS:
        return _phrase(words, "abstract")
    if entry.front == "acknowledgements":
        return _phrase(words, "acknowledgements")
    named = plain(heading).strip()
    return heading if named and named not in entry.path else _phrase(words, "declaration")


def _says_something(blocks: Iterable[Node]) -> bool:
    return any(plain(node).strip() for node in blocks)


def _phrase(words: Words, key: str, **values: Inlines) -> Inlines:
    """Return a phrase of the group `front`; its values are no Markdown, and are not escaped."""
    filled = {name: plain(value) for name, value in values.items()}
    text = catalogue.fill(f"front.{key}", words.language, filled)
    return inlines_of(text)


def _told(details: DocumentDetails, *names: str) -> Iterator[Node]:
    yield from (line(name, *details[name]) for name in names if details[name])


def _people(words: Words, details: DocumentDetails) -> Iterator[Node]:
    supervisors, jury = details.people["supervisors"], details.people["jury"]
    if supervisors:
        yield line("label", *_phrase(words, "supervisors"))
        yield from (line("person", *_in_one(person)) for person in supervisors)
    if jury:
        yield line("label", *_phrase(words, "jury"))
        yield div([_table([list(person.values()) for person in jury])], "", f"{PREFIX}jury")


def _in_one(person: Mapping[str, Inlines]) -> Inlines:
    parts = [person["name"], person["role"], person["affiliation"]]
    told = [part for part in parts if part]
    row = list(told[0])
    for part in told[1:]:
        row += [string(","), {"t": "Space"}, *part]
    return row


def _dates(words: Words, details: DocumentDetails) -> Iterator[Inlines]:
    if details["defence"]:
        date, place = details["defence"], details["place"]
        told = _phrase(words, "defence_at", date=date, place=place)
        yield told if place else _phrase(words, "defence", date=date)
    if details["deposit"]:
        yield _phrase(words, "deposit", date=details["deposit"])
    if details["place"] and not details["defence"]:
        yield details["place"]


def _table(rows: list[list[Inlines]]) -> Node:
    """Make a table without head; columns in which nobody has a word are left out."""
    kept = [at for at in range(len(rows[0])) if any(row[at] for row in rows)]
    # Name, affiliation, role: as juries are printed.
    kept.sort(key=lambda at: (0, 2, 1)[at])

    def cell(content: Inlines) -> list[object]:
        inner = [block("Plain", content)] if content else []
        return [["", [], []], {"t": "AlignDefault"}, 1, 1, inner]

    made = [[["", [], []], [cell(row[at]) for at in kept]] for row in rows]
    specs = [[{"t": "AlignLeft"}, {"t": "ColWidth", "c": round(1 / len(kept), 4)}] for _ in kept]
    empty: list[object] = [["", [], []], []]
    body = [["", [], []], 0, [], made]
    return {"t": "Table", "c": [["", [], []], [None, []], specs, empty, [body], empty]}
