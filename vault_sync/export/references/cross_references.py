"""References to numbered things, in words: `figure 3.2`, `équation (4)`, `sections 2.1 and 2.3`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.labels import EQUATION, SECTION, canonical, kind_of
from vault_sync.export.reading.linking import REFERENCE
from vault_sync.export.reading.pandoc_ast import attributes, block, span, string, words
from vault_sync.export.reading.reference_tokens import REFER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vault_sync.export.reading.anchors import Anchors
    from vault_sync.export.reading.labels import CrossReference
    from vault_sync.export.reading.pages import SourcePage, SourcePages
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.references.numbering import Numbered, Numbers
    from vault_sync.rendering.words import Words

NUMBER = "number"
"""Class of the span that holds the number in a reference; its attribute `of` is the id."""
MISSING = "??"
_BOUND = "\u00a0"
_IN_FORMULA = re.compile(rf"\\(eqref|ref|autoref|[cC]ref)\{{({REFER}:\d+\.\d+)\}}")


class CrossReferences:
    """Puts words and numbers in the place of references; the warnings name note and line."""

    def __init__(
        self, pages: SourcePages, anchors: Anchors, language: Words, warn: Callable[[str], None]
    ) -> None:
        self.pages = pages
        self.anchors = anchors
        self.language = language
        self.warn = warn

    def rewriter(self, numbers: Numbers) -> Callable[[list[Node]], list[Node]]:
        """Return the function that resolves the references in a row of inlines."""

        def change(row: list[Node]) -> list[Node]:
            return [piece for node in row for piece in self._resolve(node, numbers)]

        return change

    def _resolve(self, node: Node, numbers: Numbers) -> list[Node]:
        if node["t"] == "Math":
            return [self._formula(node, numbers)]
        if node["t"] != "Link":
            return [node]
        target = node["c"][2][0]
        if REFERENCE in node["c"][0][1]:
            return self._named(node, numbers)
        known = self.pages.cross_reference(target) if target.startswith(f"{REFER}:") else None
        return [node] if known is None else self._written(*known, numbers)

    def _named(self, node: Node, numbers: Numbers) -> list[Node]:
        """Word a link without words of its own: what it leads to may have no number."""
        (_, _, pairs), content, (target, _) = node["c"]
        missing = dict(pairs).get("missing", "")
        if missing:
            return self._missing(missing.removeprefix("^"))
        entry = numbers.find(target[1:])
        if entry is None:
            return [block("Link", [attributes(), content, [target, ""]])]
        return self._group([entry], self._noun(self._word(entry, numbers)))

    def _written(self, page: SourcePage, reference: CrossReference, numbers: Numbers) -> list[Node]:
        """Word a reference of pandoc-crossref's kind or of LaTeX's."""
        groups: dict[str, list[Numbered]] = {}
        pieces: list[list[Node]] = []
        for name in reference.names:
            entry = self._find(page, name, reference.line, numbers)
            if entry is None:
                pieces.append(self._missing(name, bare=reference.form != "full"))
            else:
                groups.setdefault(self._word(entry, numbers), []).append(entry)
        for word, entries in groups.items():
            noun = self._noun(word, len(entries)) if reference.form == "full" else ""
            noun = reference.before if reference.before and len(groups) == 1 else noun
            brackets = reference.form == "brackets"
            pieces.append(self._group(_in_order(entries), noun, brackets=brackets))
        row = self._joined(pieces)
        if reference.capital:
            row = _capital(row)
        gap = [] if reference.after[:1] in ("", ",", ".", ";", ":") else [{"t": "Space"}]
        return [*row, *gap, *words(reference.after)] if reference.after else row

    def _find(self, page: SourcePage, name: str, line: int, numbers: Numbers) -> Numbered | None:
        identity = self.anchors.labelled(name, page.path)
        entry = numbers.find(identity) if identity else None
        if identity is None:
            self.warn(f"{page.path}:{line}: nothing in the document is called {name!r}")
        elif entry is None:
            self.warn(f"{page.path}:{line}: what is called {name!r} has no number")
        return entry

    def _missing(self, name: str, *, bare: bool = False) -> list[Node]:
        word = "" if bare else self._noun(kind_of(name) or "any")
        return [block("Strong", [string(f"{word}{_BOUND}{MISSING}" if word else MISSING)])]

    def _word(self, entry: Numbered, numbers: Numbers) -> str:
        """Return what a reference calls an entry: the key of a word."""
        if entry.kind != SECTION or entry.level > 1 or not (numbers.by_chapter or entry.appendix):
            return entry.kind
        return "appendix" if entry.appendix else "chapter"

    def _noun(self, word: str, count: int = 1) -> str:
        return str(self.language.name("several" if count > 1 else "reference", word))

    def _group(self, entries: list[Numbered], noun: str, *, brackets: bool = False) -> list[Node]:
        """Write the numbers of entries of one kind, with the NOUN before them."""
        start = f"{noun}{_BOUND}" if noun else ""
        enclosed = entries[0].kind == EQUATION and (brackets or bool(noun))
        if len(entries) == 1:
            return [_link(entries[0], start, enclosed=enclosed)]
        runs = [
            [_link(run[0], "", enclosed=enclosed)]
            if len(run) == 1
            else [
                _link(run[0], "", enclosed=enclosed),
                string("–"),
                _link(run[-1], "", enclosed=enclosed),
            ]
            for run in _runs(entries)
        ]
        return [*([string(start)] if start else []), *self._joined(runs)]

    def _joined(self, pieces: list[list[Node]]) -> list[Node]:
        """List pieces as a sentence does: `a, b and c`."""
        row: list[Node] = []
        for place, piece in enumerate(pieces):
            if place and place == len(pieces) - 1:
                conjunction = words(str(self.language.say("references.and")))
                row += [{"t": "Space"}, *conjunction, {"t": "Space"}]
            elif place:
                row += [string(","), {"t": "Space"}]
            row += piece
        return row

    def _formula(self, node: Node, numbers: Numbers) -> Node:
        """Put the numbers of other formulas into a formula."""

        def number(match: re.Match[str]) -> str:
            known = self.pages.cross_reference(match[2])
            if known is None:
                return ""
            page, reference = known
            found = [self._find(page, name, reference.line, numbers) for name in reference.names]
            text = ", ".join(entry.number if entry else MISSING for entry in found)
            return f"\\text{{({text})}}" if match[1] == "eqref" else f"\\text{{{text}}}"

        kind, text = node["c"]
        return {"t": "Math", "c": [kind, _IN_FORMULA.sub(number, text)]}


def repeated(pages: Iterable[SourcePage]) -> list[str]:
    """Return a warning for each name that is given twice: block ids in a note, others anywhere."""
    warnings: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    for page in pages:
        for name, line in page.translation.names:
            scope = page.path if name.startswith("^") else ""
            key = (scope, name.lower() if scope else canonical(name))
            if key in seen:
                warnings.append(
                    f"{page.path}:{line}: the name {name!r} is already given at {seen[key]}; "
                    "references mean that one"
                )
            seen.setdefault(key, f"{page.path}:{line}")
    return warnings


def _link(entry: Numbered, start: str, *, enclosed: bool) -> Node:
    opening, closing = ("(", ")") if enclosed else ("", "")
    before = [string(f"{start}{opening}")] if start or opening else []
    after = [string(closing)] if closing else []
    number = span([string(entry.number)], "", NUMBER, of=entry.identity)
    content = [*before, number, *after]
    return block("Link", [attributes("", (REFERENCE,)), content, [f"#{entry.identity}", ""]])


def _parts(entry: Numbered) -> tuple[tuple[int, int | str], ...]:
    parts = re.split(r"[.]", entry.number)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def _in_order(entries: list[Numbered]) -> list[Numbered]:
    unique = {entry.identity: entry for entry in entries}
    return sorted(unique.values(), key=_parts)


def _runs(entries: list[Numbered]) -> list[list[Numbered]]:
    """Part entries in order into runs of three or more that follow each other, and single ones."""
    runs: list[list[Numbered]] = []
    for entry in entries:
        last = runs[-1][-1] if runs else None
        follows = last is not None and entry.count and last.count == entry.count - 1
        if follows and last is not None and last.within == entry.within:
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return [part for run in runs for part in ([run] if len(run) > 2 else [[one] for one in run])]


def _capital(row: list[Node]) -> list[Node]:
    """Begin a row with a capital."""
    first, *rest = row
    if first["t"] == "Str":
        return [string(first["c"][:1].upper() + first["c"][1:]), *rest]
    if first["t"] in ("Link", "Strong"):
        content = first["c"][1] if first["t"] == "Link" else first["c"]
        done = _capital(content) if content else content
        changed = [first["c"][0], done, *first["c"][2:]] if first["t"] == "Link" else done
        return [block(first["t"], changed), *rest]
    return row
