"""Whether a slide holds more than its page shows, estimated where no program measures it.

typst measures what it sets (`typst_deck`). A browser and PowerPoint set slides when nobody of ours
looks on: there, lines of text are counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.pandoc_ast import find, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.slides.deck import Deck


@dataclass(frozen=True)
class SlideRoom:
    """What a slide takes in the smallest letters that its format shrinks to."""

    lines: int
    letters: int
    """Of a line."""
    picture: int
    """Lines that a picture takes, made as small as it still says something."""


HTML = SlideRoom(lines=24, letters=120, picture=9)
"""570 of 720 pixels in letters of 16, as `slides.html` has them."""
PPTX = SlideRoom(lines=17, letters=100, picture=7)
"""267 points in letters of 12."""


def overfull(deck: Deck, room: SlideRoom) -> list[str]:
    """Warn of each slide that holds more than ROOM."""
    return [
        told(deck.name(number))
        for number, slide in enumerate(deck.slides, 1)
        if count_lines(slide.blocks, room) > room.lines
    ]


def told(name: str) -> str:
    """Word the warning of the slide called NAME."""
    return f"{name}: more than its page shows, even in small letters: part it with a line ---"


def count_lines(blocks: list[Node], room: SlideRoom) -> float:
    """Return about how many lines BLOCKS take."""
    return sum(_lines(node, room) for node in blocks)


def _lines(node: Node, room: SlideRoom) -> float:
    kind: str = node["t"]
    content: Any = node.get("c")
    inner = SlideRoom(room.lines, max(room.letters - 4, 10), room.picture)
    counted: dict[str, Callable[[], float]] = {
        "BulletList": lambda: sum(count_lines(item, inner) for item in content),
        "OrderedList": lambda: sum(count_lines(item, inner) for item in content[1]),
        "Div": lambda: count_lines(content[1], room) + 0.5,
        "BlockQuote": lambda: count_lines(content, inner) + 0.5,
        "Table": lambda: _table_lines(node, room),
        "CodeBlock": lambda: len(str(content[1]).splitlines()) + 0.5,
        "Figure": lambda: room.picture + math.ceil(len(plain(content[1])) / room.letters),
    }
    return counted.get(kind, lambda: _text_lines(node, room))()


def _text_lines(node: Node, room: SlideRoom) -> float:
    """Count the lines of a paragraph; a picture or a formula in it takes its own."""
    if any(find(node, "Image")):
        return room.picture
    formulas = sum(1 for one in find(node, "Math") if one["c"][0]["t"] == "DisplayMath")
    text = len(plain(node).strip()) if node["t"] in ("Para", "Plain", "Header") else 0
    return math.ceil(text / room.letters) + 1.5 * formulas + (0.4 if text else 0)


def _table_lines(node: Node, room: SlideRoom) -> float:
    """Count the lines of a table whose columns share the width by their letters."""
    _, legend, _, head, bodies, _ = node["c"]
    rows = [row[1] for row in head[1]] + [row[1] for body in bodies for row in body[3]]
    cells = [[len(plain(cell[4]).strip()) for cell in row] for row in rows]
    widths = [max(column) for column in zip(*cells, strict=False)]
    whole = max(sum(widths) + 3 * len(widths), 1)
    shared = [max(1.0, room.letters * (width + 3) / whole) for width in widths]
    heights = [
        max((math.ceil(n / width) for n, width in zip(row, shared, strict=False)), default=1)
        for row in cells
    ]
    return sum(1.2 * max(height, 1) for height in heights) + math.ceil(
        len(plain(legend[1])) / room.letters
    )
