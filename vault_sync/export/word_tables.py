"""Tables of a Word document that stay readable at the end of a page."""

from __future__ import annotations

import re

SHORT = 12
"""Rows of a table that is not parted."""
_TABLE = re.compile(r"<w:tbl>(?:(?!<w:tbl>).)*?</w:tbl>", re.DOTALL)
_FIXED = re.compile(r'<w:tblLayout w:type="fixed"\s*/>')
_EQUATION = "<m:oMathPara>"
"""Formulas stand in tables of their own, beside their number."""
_ROW = re.compile(r"<w:tr\b[^>]*>.*?</w:tr>", re.DOTALL)
_START = re.compile(r"(<w:tr\b[^>]*>\s*)(<w:trPr>)?(?!\s*<w:cantSplit)")
_PARAGRAPH = re.compile(
    r"(<w:p>\s*)(?:(<w:pPr>\s*(?:<w:pStyle\b[^>]*/>\s*)?)(?!<w:keepNext)|(?!<w:pPr>))"
)


def keep_rows(document: str) -> str:
    """Return the XML DOCUMENT with rows that are not parted, nor are tables of few rows.

    Columns may grow to their longest word: Word's letters may be wider than those reckoned with.
    """
    return _TABLE.sub(lambda match: _kept(match[0]), document)


def _kept(table: str) -> str:
    if _EQUATION in table:
        return table
    whole = _START.sub(_unparted, _FIXED.sub('<w:tblLayout w:type="autofit"/>', table))
    rows = list(_ROW.finditer(whole))
    if not 1 < len(rows) <= SHORT:
        return whole
    end = rows[-1].start()
    return _PARAGRAPH.sub(_with_next, whole[:end]) + whole[end:]


def _unparted(match: re.Match[str]) -> str:
    properties = "<w:trPr><w:cantSplit/>" + ("" if match[2] else "</w:trPr>")
    return f"{match[1]}{properties}"


def _with_next(match: re.Match[str]) -> str:
    if match[2]:
        return f"{match[1]}{match[2]}<w:keepNext/>"
    return f"{match[1]}<w:pPr><w:keepNext/></w:pPr>"
