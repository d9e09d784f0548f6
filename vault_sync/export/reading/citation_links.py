"""Citations that are written as links to the notes of works: `[[@key]]`, `[see [[@key]], p. 3]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.export.reading.syntax import BAR, KEY, PART

if TYPE_CHECKING:
    from collections.abc import Container

_LINK = re.compile(r"\[\[(?P<inner>[^\[\]\n]+)\]\]")
_NEXT = re.compile(r"[ \t]*[;,]?[ \t]*(?P<link>\[\[[^\[\]\n]+\]\])")
_BETWEEN = re.compile(r"(?<=\]\])[ \t]*(?:,[ \t]*|,?[ \t]+(?:and|et|&)[ \t]+)(?=\[\[)")
LOCATOR = re.compile(
    r"\s*(?:,\s*)?(?:(?:pp?|ch|chap|chapter|chapitre|sec|section|fig|figure|eq|tab|table|vol|no?)\b\.?"
    r"|§+)?\s*\d[\w.,–-]*(?:\s*(?:ff?|sqq?)\.)?\s*",
    re.IGNORECASE,
)
"""Where in a work: `p. 3`, `chap. 2`, `12–14`."""


@dataclass(frozen=True)
class Citation:
    """One work within a citation."""

    key: str
    before: str
    after: str
    mode: str
    """pandoc's word: NormalCitation, SuppressAuthor or AuthorInText."""
    line: int
    words: str = ""
    """What a link calls it in the sentence; the citation follows."""


def cited_by(link: str, known: Container[str], line: int) -> Citation | None:
    """Return the work of KNOWN keys that `[[@key|words]]` cites; None where it is another link."""
    match = _LINK.fullmatch(link)
    target, *options = [part.strip() for part in BAR.split(match["inner"])] if match else [""]
    name = target.partition("#")[0].strip().rpartition("/")[2].removesuffix(".md")
    key = name[1:].strip("{}")
    if not name.startswith("@") or key not in known:
        return None
    words = "|".join(options)
    if words.lstrip("@") in ("", key):
        return Citation(key, "", "", "NormalCitation", line)
    if LOCATOR.fullmatch(words):
        return Citation(key, "", f", {words.lstrip(', ')}", "NormalCitation", line)
    return Citation(key, "", "", "SuppressAuthor", line, words)


def cited_in_row(
    text: str, start: int, known: Container[str], line: int
) -> tuple[list[Citation], int]:
    """Return the works of the links that follow each other from START, and where they end."""
    works: list[Citation] = []
    match = _LINK.match(text, start)
    while match is not None:
        work = cited_by(match[0], known, line)
        if work is None or (works and (work.words or works[-1].words)):
            break
        works.append(work)
        start = match.end()
        following = _NEXT.match(text, start)
        match = _LINK.match(text, following.start("link")) if following else None
    return works, start


def cited_within(text: str, known: Container[str], line: int) -> list[Citation] | None:
    """Return the works of `[see [[@a]], p. 3; @b]` or `([[@a]], [[@b]])`; None where it is no such.

    Each part must cite one work; in round brackets, which hold other words as well, a known one.
    """
    plain = _LINK.sub(lambda match: _as_key(match[0]), _BETWEEN.sub("; ", text[1:-1]))
    works: list[Citation] = []
    for part in plain.split(";"):
        parsed = PART.fullmatch(part)
        key = parsed["key"].strip("{}") if parsed else ""
        if parsed is None or "@" in parsed["after"] or (text[0] == "(" and key not in known):
            return None
        before, after = (" ".join(parsed[side].split()) for side in ("before", "after"))
        mode = "SuppressAuthor" if parsed["bare"] else "NormalCitation"
        works.append(Citation(key, before, after, mode, line))
    return works


def locator_after(text: str, start: int) -> tuple[str, int]:
    """Return the locator of `@key [p. 3]` that begins at START, and where it ends."""
    match = re.compile(r"[ \t]\[([^\[\]\n]+)\](?![(\[:])").match(text, start)
    if match is None or not LOCATOR.match(match[1]):
        return "", start
    return f", {match[1].lstrip(', ')}", match.end()


def _as_key(link: str) -> str:
    """Return `@key` for a link to the note of a work; another link stays."""
    target = BAR.split(link[2:-2])[0].partition("#")[0].strip()
    name = target.rpartition("/")[2].removesuffix(".md")
    return name if re.fullmatch(rf"@{KEY}", name) else link
