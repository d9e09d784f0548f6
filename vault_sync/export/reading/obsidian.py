"""From Obsidian's Markdown to CommonMark: what only Obsidian understands is resolved.

Links, embeds and citations become links to places that later steps know (`thesis-link:0.3`);
comments, markers and plugin code vanish; code and formulas are never touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.export.reading import citation_links
from vault_sync.export.reading.citation_links import Citation
from vault_sync.export.reading.reference_tokens import ReferenceScanner
from vault_sync.export.reading.syntax import (
    BAR,
    BLANK,
    DRAWINGS,
    INLINE_QUERY,
    PART,
    QUERIES,
    TOKEN,
)

if TYPE_CHECKING:
    from collections.abc import Container

    from vault_sync.export.reading.labels import CrossReference

LINK, EMBED, CITE = "thesis-link", "thesis-embed", "thesis-cite"
"""Schemes of the links that stand for what later steps resolve: SCHEME:PREFIX.NUMBER."""
ANCHOR = "thesis-anchor:"
"""Starts the comment that stands for a block id."""


@dataclass(frozen=True)
class ObsidianLink:
    """A link or an embed as the note writes it."""

    target: str
    """Note or file; empty for the note itself."""
    place: str
    """Heading (`Results`, `Results#Speed`) or block (`^abc`) in it; empty for all of it."""
    line: int
    """1-based, in the note's file."""
    embed: bool = False
    """Whether it shows what it names in its place."""
    label: bool = False
    """Whether the link has words of its own."""
    options: tuple[str, ...] = ()
    """What an embed says after its bars: the caption and the size of a picture."""


@dataclass
class Translation:
    """A note in CommonMark, and what stands behind its links."""

    text: str = ""
    references: list[ObsidianLink] = field(default_factory=list)
    citations: list[tuple[Citation, ...]] = field(default_factory=list)
    cross_references: list[CrossReference] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)
    """Names that it gives to its blocks (`^fig4`, `fig:x`), and the line of each."""
    warnings: list[tuple[int, str]] = field(default_factory=list)
    """Line and what was left out there."""


def translate(text: str, prefix: str, known: Container[str] = (), *, first: int = 1) -> Translation:
    """Translate the body of a note (LF line endings, no front matter).

    PREFIX keeps its links apart from those of other notes; KNOWN are the keys of the bibliography,
    so that a bare `@name` is a citation only where it is one; FIRST is the line it starts at.

    Example: ``see [[Note|it]]`` with prefix 0 becomes ``see [it](thesis-link:0.0)``.
    """
    scanner = _Scanner(text, prefix, known, first)
    scanner.translation.text = scanner.scan(0, len(text)) + "".join(scanner.asides)
    return scanner.translation


class _Scanner(ReferenceScanner):
    """Goes through a note once; each kind of token has a method that says what it becomes."""

    def __init__(self, text: str, prefix: str, known: Container[str], first: int) -> None:
        self.translation = Translation()
        super().__init__(text, prefix, known, first)
        self.cross_references = self.translation.cross_references
        self.names = self.translation.names
        self.asides: list[str] = []

    def scan(self, start: int, stop: int) -> str:
        """Translate the text from START to STOP."""
        parts: list[str] = []
        while (match := TOKEN.search(self.text, start, stop)) is not None:
            parts.append(self.text[start : match.start()])
            new, start = getattr(self, f"_{match.lastgroup}")(match, stop)
            parts.append(new)
        parts.append(self.text[start:stop])
        return "".join(parts)

    def warn(self, place: int, message: str) -> None:
        self.translation.warnings.append((self.line(place), message))

    def _keep(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        return match[0], match.end()

    _escape = _target = _url = _keep

    def _fence(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        ticks = match["ticks"]
        close = re.compile(rf"^[ \t>]*{ticks[0]}{{{len(ticks)},}}[ \t]*$", re.MULTILINE)
        end = close.search(self.text, match.end(), stop)
        after = end.end() if end else stop
        language = match["info"].strip().lower().lstrip("{.").rstrip("}").partition(" ")[0]
        if language in QUERIES:
            self.warn(
                match.start(), f"a query of {language} is answered only in Obsidian: left out"
            )
            return match["prefix"], after
        if language in DRAWINGS:
            self.warn(match.start(), f"a drawing of {language} is kept as its code")
        return self.text[match.start() : after], after

    def _indented(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Keep indented code; under a list the same spaces hold ordinary text."""
        before = self.text[max(0, match.start() - 2000) : match.start()]
        if before.strip() and not re.search(r"\n[ \t]*\n\Z", before):
            return match[0], match.end()
        paragraphs = re.findall(r"^[^\n]*\S[^\n]*$", before, re.MULTILINE)
        listed = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)]|\[\^[^\]]+\]:)[ \t]|[ \t]")
        if paragraphs and listed.match(paragraphs[-1]):
            return match[0], match.end()
        code = re.compile(r"(?:(?:[ ]{4}|\t)[^\n]*(?:\n|\Z)|[ \t]*\n(?=[ ]{4}|\t))+")
        indented = code.match(self.text, match.start(), stop)
        return (indented[0], indented.end()) if indented else (match[0], match.end())

    def _task(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Obsidian takes any letter in the box; only x is done."""
        del stop
        done = match[0][-1] in "xX"
        return f"{match[0][:-1]}{'x' if done else ' '}", match.end()

    def _pairs(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        return match[0][:-1], match.end()

    def _pair(self, match: re.Match[str], _: int) -> tuple[str, int]:
        """Of a field in round brackets only the value is shown."""
        value = self.scan(match.start("value"), match.end("value")).strip()
        shown = value if match[0][0] == "(" else f"{match['field'].strip()}: {value}"
        return shown, match.end()

    def _code(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        blank = BLANK.search(self.text, match.end(), stop)
        limit = blank.start() if blank else stop
        close = re.compile(rf"(?<!`){match[0]}(?!`)").search(self.text, match.end(), limit)
        if close is None:
            return match[0], match.end()
        if INLINE_QUERY.match(self.text[match.end() : close.start()].lstrip()):
            self.warn(match.start(), "a query of dataview is answered only in Obsidian: left out")
            return "", close.end()
        return self.text[match.start() : close.end()], close.end()

    def _comment(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        return self._drop(match, "-->", stop)

    def _guard(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Drop what keeps a comment from opening its line: the comment goes as well."""
        del stop
        return "", match.end()

    def _hidden(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        return self._drop(match, "%%", stop)

    def _drop(self, match: re.Match[str], close: str, stop: int) -> tuple[str, int]:
        end = self.text.find(close, match.end(), stop)
        if end < 0:
            self.warn(
                match.start(), f"the comment is never closed with {close}: the rest is left out"
            )
            return "", stop
        return "", end + len(close)

    def _templater(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        self.warn(match.start(), "a command of Templater is run only in Obsidian: left out")
        return "", match.end()

    def _cited(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        works = citation_links.cited_within(match[0], self.known, self.line(match.start()))
        return (self._cite(*works), match.end()) if works else (match[0][:1], match.start() + 1)

    def _link(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        embed = match[0].startswith("!")
        works, end = citation_links.cited_in_row(
            self.text, match.start(), self.known, self.line(match.start())
        )
        if works:
            return f"{works[0].words} {self._cite(*works)}".lstrip(), end
        inner = match[0][3 if embed else 2 : -2]
        target, *options = [part.strip() for part in BAR.split(inner)]
        name, _, place = target.partition("#")
        number = len(self.translation.references)
        line = self.line(match.start())
        self.translation.references.append(
            ObsidianLink(
                name.strip(),
                place.strip(),
                line,
                embed=embed,
                label=bool(options) and not embed,
                options=tuple(options),
            )
        )
        label = "x" if embed else re.sub(r"\\\Z", r"\\\\", "|".join(options)) or "x"
        mark, scheme = ("!", EMBED) if embed else ("", LINK)
        return f"{mark}[{label}]({scheme}:{self.prefix}.{number})", match.end()

    def _aside(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        depth, place = 1, match.end()
        for place in range(match.end(), stop):
            depth += {"[": 1, "]": -1}.get(self.text[place], 0)
            if not depth:
                break
        inner = self.text[match.end() : place]
        if depth or BLANK.search(inner):
            return match[0], match.end()
        note = self.scan(match.end(), place).replace("\n", " ")
        name = f"thesis-aside-{len(self.asides)}"
        self.asides.append(f"\n\n[^{name}]: {note}\n")
        return f"[^{name}]", place + 1

    def _citation(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        cited = []
        pointed: list[re.Match[str]] = []
        for part in match[0][1:-1].split(";"):
            parsed = PART.fullmatch(part)
            if parsed is None:
                return match[0][:1], match.start() + 1
            if self.is_reference(parsed["key"].strip("{}")):
                pointed.append(parsed)
                continue
            mode = "SuppressAuthor" if parsed["bare"] else "NormalCitation"
            cited.append(
                Citation(
                    parsed["key"].strip("{}"),
                    " ".join(parsed["before"].split()),
                    " ".join(parsed["after"].split()),
                    mode,
                    self.line(match.start()),
                )
            )
        written = [self.point(pointed, match.start())] if pointed else []
        written += [self._cite(*cited)] if cited else []
        return " ".join(written), match.end()

    def _handle(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        key = match[0].lstrip("-@").strip("{}")
        if self.is_reference(key):
            return self.refer_to(key, match.start(), bare=match[0].startswith("-")), match.end()
        if key not in self.known:
            return match[0], match.end()
        mode = "SuppressAuthor" if match[0].startswith("-") else "AuthorInText"
        after, end = citation_links.locator_after(self.text, match.end())
        return self._cite(Citation(key, "", after, mode, self.line(match.start()))), end

    def _cite(self, *cited: Citation) -> str:
        self.translation.citations.append(cited)
        return f"[x]({CITE}:{self.prefix}.{len(self.translation.citations) - 1})"

    def _mark(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        blank = BLANK.search(self.text, match.end(), stop)
        limit = blank.start() if blank else stop
        close = re.compile(r"(?<=[^\s=])==(?!=)").search(self.text, match.end(), limit)
        if close is None:
            return match[0], match.end()
        return f"<mark>{self.scan(match.end(), close.start())}</mark>", close.end()

    def _anchor(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        name = match[0].strip()[1:]
        self.name(f"^{name}", match.start())
        comment = f"<!--{ANCHOR}{name}-->"
        alone = match.start() == 0 or self.text[match.start() - 1] == "\n"
        return f"\n{comment}\n" if alone else comment, match.end()

    def _tag(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """A line of tags sorts notes and is no text; a tag in a sentence is a word of it."""
        del stop
        start = self.text.rfind("\n", 0, match.start()) + 1
        end = self.text.find("\n", match.end())
        whole = self.text[start : end if end >= 0 else len(self.text)]
        alone = all(word.startswith("#") for word in whole.strip(" \t>").split())
        return "" if alone else match[0][1:], match.end()
