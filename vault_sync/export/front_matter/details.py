"""What `[document]` says in single values, as inlines in the language of the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.pandoc_ast import words as inlines_of
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace
    from vault_sync.export.reading.pandoc_ast import Node

Inlines = list["Node"]
Typeset = Callable[[str], Callable[[Inlines], Inlines]]
"""Gives, for a language, what sets a row of inlines as it wants it."""
SINGLE = (
    *("title", "subtitle", "author", "institution", "faculty", "laboratory", "degree"),
    *("discipline", "place", "deposit", "defence", "keywords", "mots_cles", "logo"),
)
"""Names of the values, as templates get them."""


@dataclass(frozen=True)
class DocumentDetails:
    """The values of the title page; what says nothing is empty."""

    single: dict[str, Inlines]
    """By the names of SINGLE."""
    people: dict[str, list[dict[str, Inlines]]]
    """`supervisors` and `jury`: of each person name, role and affiliation."""
    language: str

    def __getitem__(self, name: str) -> Inlines:
        """Return a single value."""
        return self.single[name]


def read_details(workspace: Workspace, typeset: Typeset) -> DocumentDetails:
    """Take the values out of the settings: dates in words, lists as lines, set by TYPESET."""
    settings, words = workspace.settings, Words(workspace.language)

    def text(name: str) -> Any:
        return settings[f"document.{name}"]

    degree = text("degree")
    values = {
        **{name: text(name) for name in SINGLE if f"document.{name}" in settings.values},
        "title": settings["title"] or workspace.root.name,
        "author": settings["author"],
        "degree": text("degree_line") or (str(words.name("degree", degree)) if degree else ""),
        "deposit": day(text("deposit"), words),
        "defence": day(text("defence"), words),
        "keywords": ", ".join(text("keywords")),
        "mots_cles": ", ".join(text("mots_cles")),
    }
    own = typeset(words.language)
    other = {"keywords": "en", "mots_cles": "fr"}
    single = {
        name: typeset(other.get(name, words.language))(inlines_of(" ".join(value.split())))
        for name, value in values.items()
    }
    people = {
        name: [{key: own(inlines_of(value)) for key, value in one.items()} for one in text(name)]
        for name in ("supervisors", "jury")
    }
    return DocumentDetails(single, people, words.language)


def day(value: str, words: Words) -> str:
    """Write an ISO date as a title page does: `5 juin 2026`, `June 2026`."""
    year, _, rest = value.partition("-")
    month, _, number = rest.partition("-")
    if not month:
        return year
    name = words.name("month", month)
    if not number:
        return str(words.say("front.month", month=name, year=year))
    first = str(words.say("front.first")) if number == "01" else str(int(number))
    return str(words.say("front.day", day=first, month=name, year=year))
