"""Pictures and tables with their captions and names, as figures and tables that can be numbered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.labels import TABLE, kind_of
from vault_sync.export.reading.marks import (
    is_mark,
    italics,
    lines_of,
    part,
    pictures,
    strip,
)
from vault_sync.export.reading.pandoc_ast import block, div, plain, rewrite, span, string
from vault_sync.export.references import equations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault_sync.export.reading.pandoc_ast import Node

COUNTED = "counted"
"""Class of a figure or a table that has a number."""
_ASIDE = "Aside"
_FILE = re.compile(r"\S.*\.(?:png|jpe?g|gif|bmp|webp|tiff?|avif|svg|pdf)", re.IGNORECASE)
_TYPED = re.compile(r"(?:figure|fig\.?|table|tableau|tab\.?)\s*\d[\d.]*\s*[:.–—-]", re.IGNORECASE)


def compose(blocks: list[Node]) -> list[Node]:
    """Make figures of pictures, captions of the lines beside them, and numbered formulas.

    A picture that stands alone on its line is a figure where it has words or a name: a line in
    italics below it, else its own words. A table has the caption of a `: …` line beside it, or of a
    line in italics beside it where it has a name; pictures in its cells are no figures. Marks that
    name neither name what they stand at.
    """
    cells: list[list[Any]] = []
    emptied = rewrite(blocks, blocks=lambda row: [_without_cells(node, cells) for node in row])
    composed = rewrite(emptied, blocks=lambda row: _Composer(row).blocks())
    filled = rewrite(composed, blocks=lambda row: [_with_cells(node, cells) for node in row])
    done: list[Node] = rewrite(filled, inlines=lambda row: [_unmarked(node) for node in row])
    return done


def _without_cells(table: Node, cells: list[list[Any]]) -> Node:
    """Put the cells of a table aside: a picture in one is no figure."""
    if table["t"] != "Table":
        return table
    cells.append(table["c"][3:])
    return block("Table", [*table["c"][:3], block(_ASIDE, len(cells) - 1)])


def _with_cells(table: Node, cells: list[list[Any]]) -> Node:
    if table["t"] != "Table" or table["c"][3]["t"] != _ASIDE:
        return table
    return block("Table", [*table["c"][:3], *cells[table["c"][3]["c"]]])


def _unmarked(node: Node) -> Node:
    return span([], node["c"][0][0]) if is_mark(node) else node


class _Composer:
    """Goes through one row of blocks; `place` is the next that is not in a figure or a table."""

    def __init__(self, row: list[Node]) -> None:
        self.row = [piece for node in row for piece in _pieces(node)]
        self.place = 0
        self.done: list[Node] = []

    def blocks(self) -> list[Node]:
        while self.place < len(self.row):
            node = self.row[self.place]
            self.place += 1
            line = _line(node)
            if is_mark(node) and node["t"] == "Div":
                self._name(node["c"][0][0])
            elif line and pictures(line):
                self._figures(line)
            elif node["t"] == "Table":
                self._table(node, None, [])
            elif not self._caption(line):
                self._other(node, line)
        return self.done

    def _marks(self) -> list[str]:
        """Take the marks that follow; return their ids."""
        ids: list[str] = []
        while self.place < len(self.row) and _is_between(self.row[self.place]):
            ids.append(self.row[self.place]["c"][0][0])
            self.place += 1
        return ids

    def _figures(self, line: list[Node]) -> None:
        shown, ids = pictures(line), part(line)[1]
        ids += self._marks()
        words = self._words_below(own=bool(_own_words(shown[-1])))
        if words is not None:
            row, more = words
            ids += [*more, *self._marks()]
            together = not any(map(_own_words, shown[:-1]))
            single, last = ([], shown) if together else (shown[:-1], shown[-1:])
            self.done += [_figure([one], _own_words(one), []) for one in single]
            self.done.append(_figure(last, row, ids))
            return
        self.done += [_figure([one], _own_words(one), []) for one in shown[:-1]]
        self.done.append(_figure(shown[-1:], _own_words(shown[-1]), ids))

    def _words_below(self, *, own: bool) -> tuple[list[Node], list[str]] | None:
        """Take the line in italics that follows; one above a table with a name may be its own."""
        line = _line(self.row[self.place]) if self.place < len(self.row) else []
        words = italics(line)
        if words is None:
            return None
        ids = part(line)[1]
        if _names_table(ids) or (own and self._is_of_table(self.place + 1)):
            return None
        self.place += 1
        return words, ids

    def _is_of_table(self, start: int) -> bool:
        """Whether a table stands at START, and has a name before it or after it."""
        place = start
        while place < len(self.row) and _is_between(self.row[place]):
            place += 1
        named = place > start
        if place >= len(self.row) or self.row[place]["t"] != "Table":
            return False
        after = self.row[place + 1 : place + 2]
        return named or any(map(_is_between, after))

    def _caption(self, line: list[Node]) -> bool:
        """Take a caption and the table below it."""
        typed, words = _typed(line), italics(line)
        if typed is None and words is None:
            return False
        ids = part(line)[1]
        tabled = self._is_of_table(self.place)
        follows = self.row[self.place : self.place + 1]
        if not tabled and not (follows and follows[0]["t"] == "Table" and (ids or typed)):
            return False
        ids += self._marks()
        table = self.row[self.place]
        self.place += 1
        self._table(table, typed or words, ids)
        return True

    def _table(self, table: Node, words: list[Node] | None, ids: list[str]) -> None:
        ids = [*ids, *self._marks()]
        if words is None and self.place < len(self.row):
            line = _line(self.row[self.place])
            typed, slanted = _typed(line), italics(line)
            below = part(line)[1]
            after = self.row[self.place + 1 : self.place + 2]
            below += [node["c"][0][0] for node in after if _is_between(node)]
            if typed is not None or (slanted and _names_table([*ids, *below])):
                words = typed or slanted
                self.place += 1
                ids += [*part(line)[1], *self._marks()]
        self.done.append(_captioned(table, words, ids))

    def _other(self, node: Node, line: list[Node]) -> None:
        if line and any(map(equations.is_displayed, line)):
            names = self._marks() if equations.ends_in_formula(line) else []
            self.done += equations.split(node, names)
        elif node["t"] == "Header":
            level, (name, kinds, pairs), content = node["c"]
            rest, ids = part(content)
            ids += self._marks()
            pairs = [*pairs, ["aliases", " ".join(ids)]] if ids else pairs
            self.done.append({"t": "Header", "c": [level, [name, kinds, pairs], rest]})
        else:
            self.done.append(node)

    def _name(self, identity: str) -> None:
        """Give an id to the block before."""
        self.done = [*self.done[:-1], div(self.done[-1:], identity)]


def _pieces(node: Node) -> list[Node]:
    """Part a paragraph where a line of it is a picture that has words, a name or a caption."""
    if node["t"] not in ("Para", "Plain") or not any(part["t"] == "Image" for part in node["c"]):
        return [node]
    lines = [piece for line in lines_of(node["c"]) for piece in _beside(line)]
    alone = all(not strip(line) or pictures(line) or italics(line) for line in lines)
    pieces: list[Node] = []
    text: list[Node] = []
    taken = False
    for place, line in enumerate(lines):
        follows = lines[place + 1 : place + 2]
        captioned = bool(follows) and italics(follows[0]) is not None
        figure = bool(pictures(line)) and (alone or captioned or _stands(line))
        if figure or (taken and italics(line) is not None):
            pieces += [block(node["t"], text)] if text else []
            pieces.append(block("Para", line))
            text = []
        else:
            text += [*([{"t": "SoftBreak"}] if text else []), *line]
        taken = figure
    return [*pieces, *([block(node["t"], text)] if strip(text) else [])]


def _beside(line: list[Node]) -> list[list[Node]]:
    """Part a line of a picture and words in italics behind it."""
    rest, _ = part(line)
    slanted = rest[-1:] if rest and rest[-1]["t"] == "Emph" else []
    before = [node for node in line if node not in slanted] if slanted else []
    if not before or not pictures(before):
        return [line]
    place = line.index(slanted[0])
    return [line[:place], line[place:]]


def _stands(line: list[Node]) -> bool:
    """Whether a line of pictures has words or a name."""
    return bool(part(line)[1]) or any(map(_own_words, pictures(line)))


def _line(node: Node) -> list[Node]:
    return node["c"] if node["t"] in ("Para", "Plain") else []


def _is_between(node: Node) -> bool:
    return node["t"] == "Div" and is_mark(node)


def _names_table(ids: Sequence[str]) -> bool:
    return any(kind_of(name) == TABLE for name in ids)


def _own_words(picture: Node) -> list[Node]:
    """Return the words of a picture; the name of its file is none."""
    words: list[Node] = picture["c"][1]
    return [] if _FILE.fullmatch(plain(words).strip()) else words


def _typed(line: list[Node]) -> list[Node] | None:
    """Return the caption in a `: …` or `Table: …` line."""
    rest, _ = part(line)
    if len(rest) < 3 or rest[0] not in (string(":"), string("Table:")):
        return None
    return strip(rest[1:])


def _figure(shown: list[Node], words: list[Node], ids: list[str]) -> Node:
    if not plain(words).strip() and not ids:
        return block("Para", _spaced(shown))
    words = _unnumbered(words)
    images = []
    for picture in shown:
        attrs, alt, target = picture["c"]
        images.append(block("Image", [attrs, alt or words, target]))
    legend = [None, [block("Plain", words)]]
    return block("Figure", [_named(ids, [COUNTED]), legend, [block("Plain", _spaced(images))]])


def _captioned(table: Node, words: list[Node] | None, ids: list[str]) -> Node:
    (name, kinds, pairs), legend, *rest = table["c"]
    if words is not None:
        legend = [None, [block("Plain", _unnumbered(words))]]
    if not (plain(legend[1]).strip() or _names_table(ids)):
        return div([table], ids[0]) if ids else table
    legend = legend if legend[1] else [None, [block("Plain", [])]]
    ids = [*([name] if name else []), *ids]
    (name, _, aliases) = _named(ids, [])
    return block("Table", [[name, [*kinds, COUNTED], [*pairs, *aliases]], legend, *rest])


def _named(ids: list[str], kinds: list[str]) -> list[Any]:
    return [ids[0] if ids else "", kinds, [["aliases", " ".join(ids[1:])]] if ids[1:] else []]


def _spaced(row: list[Node]) -> list[Node]:
    spaced = [piece for node in row for piece in (node, {"t": "Space"})]
    return spaced[:-1]


def _unnumbered(words: list[Node]) -> list[Node]:
    """Drop a number that was typed before a caption: it has one of its own."""
    for place, node in enumerate(words[:5]):
        if node["t"] not in ("Str", "Space"):
            break
        if _TYPED.fullmatch(plain(words[: place + 1])):
            return strip(words[place + 1 :]) or words
    return words
