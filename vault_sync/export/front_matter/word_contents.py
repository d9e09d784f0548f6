"""The table of contents of a Word document, filled: pandoc leaves it to Word's next update.

Page numbers are Word's to count; the entries stand there, and lead to their places, before.
"""

from __future__ import annotations

import re

DEEPEST = 3
_FIELD = re.compile(
    r'<w:p>\s*<w:r>\s*(<w:fldChar w:fldCharType="begin"[^>]*/>\s*<w:instrText[^>]*>\s*TOC \\o.*?'
    r'</w:instrText>\s*<w:fldChar w:fldCharType="separate"\s*/>)\s*'
    r'<w:fldChar w:fldCharType="end"\s*/>\s*</w:r>\s*</w:p>',
    re.DOTALL,
)
_STYLE = re.compile(r"<w:style\b[^>]*>.*?</w:style>", re.DOTALL)
_PARAGRAPH = re.compile(
    r"(?P<marks>(?:<w:bookmarkStart\b[^>]*/>\s*)*)<w:p>\s*<w:pPr>\s*"
    r'<w:pStyle w:val="(?P<style>[^"]+)"\s*/>(?P<rest>.*?)</w:p>',
    re.DOTALL,
)


def style_ids(styles: str) -> dict[str, str]:
    """Return the name of each style, in small letters -> its id: Word's ids differ by language."""
    ids: dict[str, str] = {}
    for match in _STYLE.finditer(styles):
        name = re.search(r'<w:name\s+w:val="([^"]+)"', match[0])
        identity = re.search(r'\bw:styleId="([^"]+)"', match[0])
        if name and identity:
            ids[name[1].lower()] = identity[1]
    return ids


def fill_contents(document: str, styles: str) -> str:
    """Return the XML DOCUMENT with an entry in its contents for each heading of three levels."""
    field = _FIELD.search(document)
    if field is None:
        return document
    ids = style_ids(styles)
    levels = {
        ids[name]: level for level in range(1, DEEPEST + 1) if (name := f"heading {level}") in ids
    }
    entries = [
        (levels[match["style"]], match)
        for match in _PARAGRAPH.finditer(document, field.end())
        if match["style"] in levels and _text(match["rest"])
    ]
    if not entries:
        return document
    begin = f"<w:r>{field[1]}</w:r>"
    rows = [
        _entry(ids.get(f"toc {level}", ""), match, "" if at else begin)
        for at, (level, match) in enumerate(entries)
    ]
    end = '<w:p><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    return f"{document[: field.start()]}{''.join(rows)}{end}{document[field.end() :]}"


def _entry(style: str, match: re.Match[str], begin: str) -> str:
    named = re.search(r'w:name="([^"]+)"', match["marks"])
    run = f'<w:r><w:t xml:space="preserve">{_text(match["rest"])}</w:t></w:r>'
    linked = f'<w:hyperlink w:anchor="{named[1]}">{run}</w:hyperlink>' if named else run
    shape = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{shape}{begin}{linked}</w:p>"


def _text(paragraph: str) -> str:
    """Return the words of a paragraph, still as XML writes them."""
    parts = re.findall(r"<w:t\b[^>]*>([^<]*)</w:t>|(<w:tab\s*/>)", paragraph)
    return "".join(text or " " for text, _ in parts).strip()
