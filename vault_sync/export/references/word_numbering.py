"""Headings that Word counts by itself: a list of several levels, and one with letters behind it."""

from __future__ import annotations

import re

from vault_sync.export.references.numbering import DEEPEST

HEADING_MARK = "<!--thesis-heading:{}-->"
"""Stands in the paragraph of a heading: `chapter`, `appendix` or `none`."""
LIST_STYLE = "TableofFigures"
"""Word's own style for the entries of a list of figures or tables."""
CHAPTERS, LETTERS = 98_001, 98_002
"""Numbers of the two lists; pandoc's begin at a thousand."""
_LISTS = {"chapter": CHAPTERS, "appendix": LETTERS, "none": 0}
_MARK = re.compile(r"<!--thesis-heading:(\w+)-->")
_HEADING = re.compile(
    r'<w:style\b(?:(?!</w:style>).)*?<w:name w:val="heading ([1-9])"\s*/>.*?</w:style>',
    re.DOTALL | re.IGNORECASE,
)
_BASED = re.compile(
    r'<w:style\b(?:(?!</w:style>).)*?<w:name w:val="([^"]*)"\s*/>.*?</w:style>', re.DOTALL
)
_NONE = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>'
_BEFORE = re.compile(
    r"<w:pPr>(?:\s*<w:(?:pStyle|keepNext|keepLines|pageBreakBefore|framePr|widowControl)\b[^>]*/>)*"
)
_ENTRY = (
    f'<w:style w:type="paragraph" w:styleId="{LIST_STYLE}"><w:name w:val="table of figures"/>'
    '<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:uiPriority w:val="99"/><w:pPr><w:tabs>'
    '<w:tab w:val="right" w:leader="dot" w:pos="9060"/></w:tabs><w:spacing w:after="60"/>'
    '<w:ind w:left="0" w:right="567" w:firstLine="0"/></w:pPr></w:style>'
)
_INDENTS = (567, 907, 1191)
"""Room for the number of a heading, in twentieths of a point."""


def number_headings(text: str) -> str:
    """Give the headings of `word/document.xml` their lists, where a mark stands in them."""
    done: list[str] = []
    end = 0
    for mark in _MARK.finditer(text):
        before = text[end : mark.start()]
        end = mark.end()
        style = list(re.finditer(r"<w:pStyle\b[^>]*/>", before))
        number = _LISTS.get(mark[1], CHAPTERS)
        if number == CHAPTERS or not style:
            done.append(before)
            continue
        level = (re.findall(r"(\d)\"", style[-1][0]) or ["1"])[0]
        place = style[-1].end()
        done += [before[:place], _list_of(int(level), number), before[place:]]
    return "".join([*done, text[end:]])


def add_lists(text: str, styles: dict[int, str]) -> str:
    """Add the two lists to `word/numbering.xml`; STYLES are the ids of the styles of headings."""
    kept = "".join(_definition(number, styles) for number in (CHAPTERS, LETTERS))
    used = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="{number}"/></w:num>'
        for number in (CHAPTERS, LETTERS)
    )
    first = re.search(r"<w:num\b", text)
    place = first.start() if first else text.index("</w:numbering>")
    text = text[:place] + kept + text[place:]
    return text.replace("</w:numbering>", f"{used}</w:numbering>")


def heading_styles(text: str) -> dict[int, str]:
    """Return level -> id of the styles of headings that have numbers, in `word/styles.xml`."""
    found = {}
    for style in _HEADING.finditer(text):
        name = re.search(r'w:styleId="([^"]+)"', style[0])
        if name and int(style[1]) <= DEEPEST:
            found[int(style[1])] = name[1]
    return found


def number_styles(text: str) -> str:
    """Have the styles of headings count by the first list, unless they count already."""

    def change(style: re.Match[str]) -> str:
        if int(style[1]) > DEEPEST or "<w:numPr>" in style[0]:
            return style[0]
        numbers = _list_of(int(style[1]), CHAPTERS)
        if "<w:pPr>" not in style[0]:
            return style[0].replace("</w:style>", f"<w:pPr>{numbers}</w:pPr></w:style>")
        return _BEFORE.sub(lambda start: start[0] + numbers, style[0], count=1)

    text = _HEADING.sub(change, text)
    text = _BASED.sub(_uncounted, text)
    if f'w:styleId="{LIST_STYLE}"' in text:
        return text
    return text.replace("</w:styles>", f"{_ENTRY}</w:styles>")


def _uncounted(style: re.Match[str]) -> str:
    """Keep the title of the contents, which looks like a heading, out of the count."""
    if style[1].lower() != "toc heading" or "<w:numPr>" in style[0]:
        return style[0]
    if "<w:pPr>" not in style[0]:
        return style[0].replace("</w:style>", f"<w:pPr>{_NONE}</w:pPr></w:style>")
    return _BEFORE.sub(lambda start: start[0] + _NONE, style[0], count=1)


def _list_of(level: int, number: int) -> str:
    return f'<w:numPr><w:ilvl w:val="{level - 1}"/><w:numId w:val="{number}"/></w:numPr>'


def _definition(number: int, styles: dict[int, str]) -> str:
    levels = "".join(_level(number, level, styles) for level in range(1, DEEPEST + 1))
    return (
        f'<w:abstractNum w:abstractNumId="{number}"><w:multiLevelType w:val="multilevel"/>'
        f"{levels}</w:abstractNum>"
    )


def _level(number: int, level: int, styles: dict[int, str]) -> str:
    shape = "upperLetter" if number == LETTERS and level == 1 else "decimal"
    text = ".".join(f"%{part}" for part in range(1, level + 1))
    linked = number == CHAPTERS and level in styles
    style = f'<w:pStyle w:val="{styles[level]}"/>' if linked else ""
    indent = _INDENTS[level - 1]
    return (
        f'<w:lvl w:ilvl="{level - 1}"><w:start w:val="1"/><w:numFmt w:val="{shape}"/>{style}'
        f'<w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/><w:pPr><w:ind w:left="{indent}" '
        f'w:hanging="{indent}"/></w:pPr></w:lvl>'
    )
