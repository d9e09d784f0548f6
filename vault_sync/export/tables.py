"""Tables that fit the page: column widths, the size of their letters, and when to turn the page."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.pandoc_ast import plain, rewrite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault_sync.export.reading.pandoc_ast import Node

PAGE, TURNED = 160.0, 247.0
"""Width of the text in mm, on a page and on a turned page."""
LETTER = 0.17
"""Width of a letter in mm, for each point of its size: an average that errs to the wide side."""
_WIDTHS = {
    **dict.fromkeys("mwMW@%", 1.6),
    **dict.fromkeys("iljtfrI.,:;'!|()[]-/", 0.7),
    **dict.fromkeys("\u200b\u202f\u2009", 0.4),
}
"""Letters that are wider or narrower than the average."""
BOLD = 1.15
"""How much wider the words above a column are."""
LONGEST_WORD = 14
"""Letters of a word that may stand in a narrow column unbroken."""
LINE = 0.46
"""Height of a line in mm, for each point of its letters."""
CAPTION = 20.0
"""Mm of what stands above a table, and of the space around both."""
SHORT = 125.0
"""Mm of a table that is not parted at the end of a page."""
START = 45.0
"""Mm that the head and the first rows of a longer table take."""
BREAK = "\u200b"
"""Where a long word may be broken."""


@dataclass(frozen=True)
class TableSize:
    """A size in which tables are set: points of the letters, and whether the page is turned."""

    name: str
    points: float
    gap: float
    """Mm that a column needs besides its text."""
    turned: bool = False

    @property
    def room(self) -> float:
        """Mm for all columns."""
        return TURNED if self.turned else PAGE


SMALLEST = 8.0
"""Points of the smallest letters that are read with ease on paper."""
NORMAL = TableSize("normal", 11, 4.4)
SIZES = (
    NORMAL,
    TableSize("small", 9, 3),
    TableSize("tiny", SMALLEST, 3),
    TableSize("turned", 9, 3, turned=True),
    TableSize("turned", SMALLEST, 3, turned=True),
)
"""Tried in this order; the last takes what fits nowhere."""
SPLIT = "split"
"""Class of a part of a table: all parts have small letters."""
UPRIGHT = "upright"
"""Class of a table that stands where no page can be turned: in a list, a quotation, a callout."""


@dataclass(frozen=True)
class TableFit:
    """A size, and the share of the width that each column takes; none: as wide as the text."""

    size: TableSize
    shares: tuple[float, ...] = ()


def fit(table: Node) -> TableFit:
    """Choose the size of a table and the widths of its columns."""
    columns = column_texts(table)
    if SPLIT in table["c"][0][1]:
        return TableFit(SIZES[1], tuple(_share(columns, SIZES[1])))
    if not columns or _whole(columns, NORMAL) <= PAGE:
        return TableFit(NORMAL)
    sizes = [size for size in SIZES if not (size.turned and UPRIGHT in table["c"][0][1])]
    size = next((size for size in sizes if has_room(columns, size)), sizes[-1])
    return TableFit(size, tuple(_share(columns, size)))


def needed(table: Node, padding: float) -> float:
    """Return the mm of a page that a table should find before it begins: all of a short one.

    PADDING are the mm that a row takes besides its text.
    """
    chosen = fit(table)
    rows, size = cells(table), chosen.size
    shares = chosen.shares or [1.0] * len(column_texts(table))
    lines = sum(
        max(
            (
                _height(_lines_of(cell), share * size.room - size.gap, size)
                for cell, share in zip(row, shares, strict=False)
            ),
            default=1,
        )
        for row in rows
    )
    height = lines * LINE * size.points + len(rows) * padding + CAPTION
    return height if height <= SHORT else START


def has_room(columns: list[list[str]], size: TableSize, lost: float = 0) -> bool:
    """Whether a table of COLUMNS fits in SIZE: its words whole, its cells not too high.

    LOST are mm of the line that something else takes.
    """
    least = [_least(column, size) for column in columns]
    highest = 14 if size.turned else 10
    fits = sum(least) <= (size.room - lost) * 0.93
    return fits and _lines(columns, size, lost) <= highest


def breakable(tree: Any, longest: int = LONGEST_WORD) -> Any:
    """Let the words of more than LONGEST letters break where they hold punctuation."""
    return rewrite(tree, inlines=lambda row: [_broken(node, longest) for node in row])


def cells(table: Node) -> list[list[Node]]:
    """Return the rows of a table, each a list of cells."""
    _, _, _, head, bodies, foot = table["c"]
    rows = list(head[1])
    for body in bodies:
        rows += [*body[2], *body[3]]
    return [row[1] for row in [*rows, *foot[1]]]


def with_widths(table: Node, shares: Sequence[float]) -> Node:
    """Set the widths of the columns, as shares of the line."""
    attrs, legend, specs, *rest = table["c"]
    widths = [{"t": "ColWidth", "c": round(share, 4)} for share in shares]
    specs = [[align, width] for (align, _), width in zip(specs, widths, strict=True)]
    return {"t": "Table", "c": [attrs, legend, specs, *rest]}


def column_texts(table: Node) -> list[list[str]]:
    """Return the texts of each column; cells that span columns are left out."""
    columns: list[list[str]] = [[] for _ in table["c"][2]]
    for row in cells(table):
        for column, cell in zip(columns, row, strict=False):
            column.append(_lines_of(cell))
    return columns


def _lines_of(cell: Node) -> str:
    """Return the longest line of a cell: `<br>` ends one."""

    def change(row: list[Node]) -> list[Node]:
        return [{"t": "Str", "c": "\n"} if node["t"] == "LineBreak" else node for node in row]

    return plain(rewrite(cell, inlines=change))


def _whole(columns: list[list[str]], size: TableSize) -> float:
    """Mm of the table with no line broken."""
    longest = [
        max((len(line) for text in column for line in text.split("\n")), default=0)
        for column in columns
    ]
    return sum(count * LETTER * size.points + size.gap for count in longest)


def _least(column: list[str], size: TableSize) -> float:
    """Mm of the longest word that should stay whole."""
    words = (word for text in column for word in re.split(r"[ \n]", text))
    longest = max((_letters(word[:LONGEST_WORD]) for word in words), default=1)
    return longest * LETTER * size.points + size.gap


def _letters(word: str) -> float:
    """Return how many average letters a word is as wide as: no line of it evens them out."""
    return sum(_WIDTHS.get(letter, 1.3 if letter.isupper() else 1) for letter in word)


def _share(columns: list[list[str]], size: TableSize, lost: float = 0) -> list[float]:
    """Give each column its longest word, and the rest by how much text it holds."""
    least = [max(_least(column, size), _least(column[:1], size) * BOLD) for column in columns]
    spare = max(size.room - lost - sum(least), 0)
    wants = [
        max(_wide(column, size) - low, 0.01) for column, low in zip(columns, least, strict=True)
    ]
    grown = [low + spare * want / sum(wants) for low, want in zip(least, wants, strict=True)]
    return [width / sum(grown) for width in grown]


def _wide(column: list[str], size: TableSize) -> float:
    """Mm that a column would like: its longest line; of a sentence less, for it may be broken."""
    longest = max((len(line) for text in column for line in text.split("\n")), default=1)
    return float(min(longest, 30) + max(longest - 30, 0) ** 0.8) * LETTER * size.points + size.gap


def _lines(columns: list[list[str]], size: TableSize, lost: float = 0) -> float:
    """Lines of the highest cell."""
    shares, room = _share(columns, size, lost), size.room - lost
    return max(
        (len(text) * LETTER * size.points / max(share * room - size.gap, 1))
        for column, share in zip(columns, shares, strict=True)
        for text in column or [""]
    )


def _height(text: str, room: float, size: TableSize) -> int:
    """Return the lines that a cell takes in ROOM mm."""
    return sum(
        max(1, math.ceil(len(line) * LETTER * size.points / max(room, 1)))
        for line in text.split("\n")
    )


def _broken(node: Node, longest: int) -> Node:
    if node["t"] == "Str" and len(node["c"]) > longest:
        return {"t": "Str", "c": _soft(node["c"])}
    if node["t"] == "Code" and max(map(len, node["c"][1].split() or [""])) > longest:
        return {"t": "Code", "c": [node["c"][0], _soft(node["c"][1])]}
    return node


def _soft(text: str) -> str:
    return re.sub(r"(?<=[^\s\d])([/._:@=+-])(?=\w)", rf"\1{BREAK}", text)
