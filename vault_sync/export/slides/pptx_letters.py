"""The size of letters in a PowerPoint file, and the place of tables.

pandoc leaves letters to PowerPoint, which makes them smaller only where one types; and it gives a
table half of a slide beside any text. Here, both are written out.
"""

from __future__ import annotations

import math
import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LINES, LETTERS, NARROW = 10, 58, 27
"""Of a slide in the usual letters: lines, letters of a line, and of one of two columns."""
SUBTITLE = (4, 46)
"""Lines and letters below the title of the first slide."""
SHRINK = (100, 90, 80, 70, 62, 55, 48)
"""Per cent of the usual letters, largest first."""
TABLE_LETTERS = ((46, 1600), (66, 1400), (92, 1200), (130, 1000), (10**6, 900))
"""Letters in the longest row of a table -> size of its letters, in hundredths of a point."""
CAPTION = 1200
"""Size of the letters of captions."""
LEFT, WIDTH = 0.05, 0.9
TOP, LINE, BOTTOM, CAPTION_TOP = 0.23, 0.085, 0.84, 0.86
"""Places of what stands above a table, of the table and its caption: shares of the slide."""
MOST_ABOVE = 0.36
"""Share of the slide that a text above a table takes at most."""
_SLIDE = re.compile(r"ppt/slides/slide\d+\.xml")
_SHAPE = re.compile(r"<p:sp>.*?</p:sp>", re.DOTALL)
_FRAME = re.compile(r"<p:graphicFrame>.*?</p:graphicFrame>", re.DOTALL)
_PLACE = re.compile(r'<a:off x="(\d+)" y="(\d+)"\s*/>\s*<a:ext cx="(\d+)" cy="(\d+)"\s*/>')


def shrink_letters(path: Path) -> None:
    """Write into each slide how much smaller its letters are, that they fit their place."""
    with zipfile.ZipFile(path) as archive:
        parts = [(info, archive.read(info)) for info in archive.infolist()]
    by_name = {info.filename: content for info, content in parts}
    size = _size(by_name["ppt/presentation.xml"].decode("utf-8"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in parts:
            is_slide = _SLIDE.fullmatch(info.filename)
            text = _fitted(content.decode("utf-8"), size).encode("utf-8") if is_slide else content
            archive.writestr(info, text)


def _size(presentation: str) -> tuple[int, int]:
    """Return width and height of a slide, in EMU."""
    found = re.search(r'<p:sldSz[^>]*?cx="(\d+)"[^>]*?cy="(\d+)"', presentation)
    return (int(found[1]), int(found[2])) if found else (9144000, 5143500)


def _fitted(slide: str, size: tuple[int, int]) -> str:
    """Return a slide with the sizes of its letters, its table below its text."""
    table = _FRAME.search(slide)
    if table and "<a:tbl>" in table[0]:
        slide = _stacked(slide, table[0], size)
    halves = len(re.findall(r'<p:ph [^>]*sz="half"', slide)) > 1 or "<p:pic>" in slide
    letters = NARROW if halves and 'sz="half"' in slide and not table else LETTERS
    lines = MOST_ABOVE / LINE if table else LINES
    slide = _SHAPE.sub(lambda found: _small_shape(found[0], lines, letters), slide)
    return re.sub(
        r"<a:tbl>.*?</a:tbl>", lambda found: _small_table(found[0]), slide, flags=re.DOTALL
    )


def _stacked(slide: str, frame: str, size: tuple[int, int]) -> str:
    """Put what stands beside a table above it, and give both the width of the slide."""
    width, height = size
    lines = [
        math.ceil(len(text) / LETTERS) for shape in _SHAPE.findall(slide)
        if 'sz="half"' in shape for text in _paragraphs(shape)
    ]  # fmt: skip
    top = TOP + min(sum(lines) * LINE, MOST_ABOVE)
    slide = slide.replace(frame, _placed(_widened(frame, round(WIDTH * width)), size, top, BOTTOM))

    def place(found: re.Match[str]) -> str:
        shape = found[0]
        if 'txBox="1"' in shape:
            return _placed(shape, size, CAPTION_TOP, CAPTION_TOP + 0.07)
        if 'sz="half"' not in shape:
            return shape
        box = (
            f'<a:off x="{round(LEFT * width)}" y="{round(TOP * height)}"/>'
            f'<a:ext cx="{round(WIDTH * width)}" cy="{round((top - TOP) * height)}"/>'
        )
        where = f"<p:spPr><a:xfrm>{box}</a:xfrm></p:spPr>"
        return re.sub(r"<p:spPr\s*/>", where, shape, count=1)

    return _SHAPE.sub(place, slide)


def _placed(part: str, size: tuple[int, int], top: float, bottom: float) -> str:
    width, height = size
    box = (
        f'<a:off x="{round(LEFT * width)}" y="{round(top * height)}" />'
        f'<a:ext cx="{round(WIDTH * width)}" cy="{round((bottom - top) * height)}" />'
    )
    return _PLACE.sub(box, part, count=1)


def _widened(frame: str, width: int) -> str:
    """Give the columns of a table the width that they share."""
    columns = [int(one) for one in re.findall(r'<a:gridCol w="(\d+)"', frame)]
    factor = width / max(sum(columns), 1)
    return re.sub(
        r'<a:gridCol w="(\d+)"',
        lambda found: f'<a:gridCol w="{math.floor(int(found[1]) * factor)}"',
        frame,
    )


def _small_shape(shape: str, lines: float, letters: int) -> str:
    if re.search(r'<p:ph type="(?:title|ctrTitle|sldNum|dt|ftr)"', shape):
        return shape
    if 'txBox="1"' in shape:
        return _sized(shape, CAPTION)
    if 'type="subTitle"' in shape:
        lines, letters = SUBTITLE
    texts = _paragraphs(shape.replace("<a:br />", "<a:p>").replace("<a:br/>", "<a:p>"))
    percent = next((one for one in SHRINK if _fits(texts, lines, letters, one)), SHRINK[-1])
    if percent == SHRINK[0]:
        return shape
    fit = f'<a:bodyPr><a:normAutofit fontScale="{percent}000" lnSpcReduction="10000"/></a:bodyPr>'
    empty = r"<a:bodyPr\s*/>|<a:bodyPr>\s*(?:<a:normAutofit\s*/>)?\s*</a:bodyPr>"
    return re.sub(empty, fit, shape, count=1)


def _paragraphs(shape: str) -> list[str]:
    """Return the text of each paragraph."""
    rows = shape.split("<a:p>")[1:]
    return ["".join(re.findall(r"<a:t>([^<]*)</a:t>", row)) for row in rows]


def _fits(texts: list[str], lines: float, letters: int, percent: int) -> bool:
    taken = sum(math.ceil(max(len(text), 1) * percent / 100 / letters) + 0.2 for text in texts)
    return taken * percent / 100 <= lines


def _small_table(table: str) -> str:
    rows = re.findall(r"<a:tr .*?</a:tr>", table, flags=re.DOTALL)
    longest = max((sum(map(len, _paragraphs(row))) for row in rows), default=0)
    return _sized(table, next(size for most, size in TABLE_LETTERS if longest <= most))


def _sized(part: str, size: int) -> str:
    return re.sub(r"<a:rPr(?![^>]*\bsz=)", f'<a:rPr sz="{size}"', part)
