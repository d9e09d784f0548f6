"""Names, captions and references in a note, as the scanner of its text comes upon them."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from vault_sync.export.reading.labels import (
    CrossReference,
    is_reference,
    parse_attributes,
    reference_name,
)
from vault_sync.export.reading.syntax import LABEL, REFERRING, SHOWN

if TYPE_CHECKING:
    from collections.abc import Container

REFER = "thesis-refer"
"""Scheme of the links that stand for references to numbers: REFER:PREFIX.NUMBER."""
LABELLED = "thesis-label:"
"""Starts the comment that stands for a name and a width in braces: `thesis-label:fig:x 300`."""
_FORMS = {"ref": "number", "eqref": "brackets"}


class ReferenceScanner:
    """The part of a scanner that knows pandoc-crossref's syntax and LaTeX's."""

    def __init__(self, text: str, prefix: str, known: Container[str], first: int) -> None:
        self.text = text
        self.prefix = prefix
        self.known = known
        self.first = first
        self.breaks = [match.start() for match in re.finditer("\n", text)]
        self.cross_references: list[CrossReference] = []
        self.names: list[tuple[str, int]] = []

    def line(self, place: int) -> int:
        """Return the line of a place in the text."""
        return self.first + bisect_right(self.breaks, place - 1)

    def name(self, name: str, place: int) -> None:
        """Note that something at PLACE is given a name."""
        self.names.append((name, self.line(place)))

    def is_reference(self, key: str) -> bool:
        """Whether `@key` means something numbered; a work of that name comes first."""
        return is_reference(key) and key not in self.known

    def refer_to(self, key: str, start: int, *, bare: bool) -> str:
        """Write the reference that `@key` is; of a BARE one only the number is shown."""
        name, capital = reference_name(key)
        form = "number" if bare else "full"
        reference = CrossReference((name,), self.line(start), form, capital=capital)
        return f"[x]({self._refer(reference)})"

    def point(self, parts: list[re.Match[str]], start: int) -> str:
        """Make one reference of those in a pair of brackets."""
        keys = [reference_name(part["key"].strip("{}")) for part in parts]
        form = "number" if parts[0]["bare"] else "full"
        reference = CrossReference(
            tuple(name for name, _ in keys),
            self.line(start),
            form,
            capital=keys[0][1],
            before=" ".join(parts[0]["before"].split()),
            after=" ".join(parts[-1]["after"].split()),
        )
        return f"[x]({self._refer(reference)})"

    def _math(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Note the names in a formula; what it refers to is put in once it has its number."""
        del stop
        for name in LABEL.findall(match[0]):
            self.name(name, match.start())
        alone = REFERRING.fullmatch(match[0].strip("$").strip())
        if alone and not match[0].startswith("$$"):
            return self._referring(alone, match.start()), match.end()

        def pointed(found: re.Match[str]) -> str:
            place = self._refer(self._read_command(found, match.start()))
            return f"\\{found['form']}{{{place}}}"

        return REFERRING.sub(pointed, match[0]), match.end()

    def _command(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        del stop
        found = REFERRING.fullmatch(match[0])
        return (self._referring(found, match.start()) if found else match[0]), match.end()

    def _referring(self, found: re.Match[str], start: int) -> str:
        return f"[x]({self._refer(self._read_command(found, start))})"

    def _read_command(self, found: re.Match[str], start: int) -> CrossReference:
        names = tuple(name.strip() for name in found["names"].split(",") if name.strip())
        form = _FORMS.get(found["form"], "full")
        return CrossReference(names, self.line(start), form, capital=found["form"] == "Cref")

    def _refer(self, reference: CrossReference) -> str:
        self.cross_references.append(reference)
        return f"{REFER}:{self.prefix}.{len(self.cross_references) - 1}"

    def _attributes(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Take `{#fig:x width=50%}` where a picture, a caption, a formula or a heading has it."""
        del stop
        found = parse_attributes(match[0])
        before = self.text[self.text.rfind("\n", 0, match.start()) + 1 : match.start()]
        rest = self.text[match.end() :].partition("\n")[0].strip()
        pictured = [shown.end() for shown in SHOWN.finditer(before)][-1:] == [len(before)]
        heads = re.match(r"#{1,6}[ \t]", before) is not None and rest.strip("#").strip() == ""
        if found is None or not (pictured or heads or is_reference(found.name)):
            return match[0], match.end()
        if found.name:
            self.name(found.name, match.start())
        flag = " unnumbered" if found.unnumbered else ""
        width = f" {found.width}" if found.width else ""
        return f"<!--{LABELLED}{found.name}{width}{flag}-->", match.end()

    def _table(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Part a table from the line above it: in CommonMark it would be a part of that."""
        del stop
        above = self.text[self.text.rfind("\n", 0, match.start()) + 1 : match.start()]
        joined = above.strip(" \t>") and "|" not in above
        return f"\n{match['within'].rstrip()}\n" if joined else "\n", match.end()

    def _caption(self, match: re.Match[str], stop: int) -> tuple[str, int]:
        """Part the line of a caption from the table above: it would be a row of it."""
        del stop
        above = self.text[: match.start()].rstrip("\n").rpartition("\n")[2]
        joined = match.start() > 1 and self.text[match.start() - 2] != "\n" and "|" in above
        gap = f"{match['quoted'].rstrip()}\n" if joined else ""
        return gap + match[0], match.end()
