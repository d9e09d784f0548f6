"""The styles of exported Word documents: pandoc's own, on A4, with small tables and callouts."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from vault_sync.export.references import word_numbering

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}
_FOOTER = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<w:ftr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    '<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:ftr>'
)
_FOOTER_PART = "footer1.xml"
_FOOTER_ID = "rId901"
_RELATION = (
    f'<Relationship Id="{_FOOTER_ID}" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    f'relationships/footer" Target="{_FOOTER_PART}"/></Relationships>'
)
_TYPE = (
    f'<Override PartName="/word/{_FOOTER_PART}" ContentType="application/vnd.openxmlformats-'
    'officedocument.wordprocessingml.footer+xml"/></Types>'
)
_PAGE = (
    f'<w:sectPr><w:footerReference w:type="default" r:id="{_FOOTER_ID}"/><w:pgSz '
    'w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1418" w:bottom="1418" w:left="1418" '
    'w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>'
)
_SMALL = (
    '<w:style w:type="character" w:customStyle="1" w:styleId="Table{id}">'
    '<w:name w:val="Table {points}"/><w:basedOn w:val="DefaultParagraphFont"/>'
    '<w:rPr><w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr></w:style>'
)
_CALLOUT = (
    '<w:style w:type="paragraph" w:customStyle="1" w:styleId="Callout"><w:name w:val="Callout"/>'
    '<w:basedOn w:val="BodyText"/><w:pPr><w:pBdr><w:left w:val="single" w:sz="18" w:space="8" '
    'w:color="3F6596"/></w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="F2F5F9"/>'
    '<w:spacing w:before="60" w:after="60"/><w:ind w:left="284" w:right="170"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:customStyle="1" w:styleId="CalloutTitle">'
    '<w:name w:val="Callout Title"/><w:basedOn w:val="Callout"/><w:pPr><w:keepNext/></w:pPr>'
    "<w:rPr><w:b/></w:rPr></w:style>"
)
_FIRST_ROW = '<w:tblStylePr w:type="firstRow">'
_RULES = (
    '<w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    '<w:insideH w:val="single" w:sz="4" w:space="0" w:color="D5DAE0"/></w:tblBorders>'
)


def write_reference(original: bytes, language: str, path: Path, sizes: tuple[float, ...]) -> None:
    """Write to PATH the document whose styles pandoc takes over: ORIGINAL is pandoc's own.

    SIZES are the letters of small tables, in points.
    """
    changes = {
        "word/styles.xml": lambda text: _styles(text, language, sizes),
        "word/theme/theme1.xml": _fonts,
        "word/document.xml": _page,
        "word/_rels/document.xml.rels": lambda text: text.replace("</Relationships>", _RELATION),
        "[Content_Types].xml": lambda text: text.replace("</Types>", _TYPE),
    }
    path.write_bytes(_rewritten(original, changes, {f"word/{_FOOTER_PART}": _FOOTER}))


def finish(path: Path) -> None:
    """Give the sections around turned pages the footer that the last section has."""

    def change(text: str) -> str:
        footer = re.findall(r"<w:footerReference\b[^>]*/>", text)[-1:]
        return re.sub(r"<w:sectPr>(?=<w:type)", f"<w:sectPr>{''.join(footer)}", text)

    path.write_bytes(_rewritten(path.read_bytes(), {"word/document.xml": change}, {}))


def number_document(path: Path) -> None:
    """Have Word count the headings of the document at PATH."""
    with zipfile.ZipFile(path) as archive:
        styles = word_numbering.heading_styles(archive.read("word/styles.xml").decode("utf-8"))
    changes = {
        "word/document.xml": word_numbering.number_headings,
        "word/numbering.xml": lambda text: word_numbering.add_lists(text, styles),
        "word/styles.xml": word_numbering.number_styles,
    }
    path.write_bytes(_rewritten(path.read_bytes(), changes, {}))


def _rewritten(
    original: bytes, changes: Mapping[str, Callable[[str], str]], added: Mapping[str, str]
) -> bytes:
    """Return the archive ORIGINAL with the text of some parts changed, and others added."""
    archive = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(original)) as source,
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename in changes:
                content = changes[entry.filename](content.decode("utf-8")).encode("utf-8")
            target.writestr(entry, content)
        for name, text in added.items():
            target.writestr(name, text.encode("utf-8"))
    return archive.getvalue()


def _styles(text: str, language: str, sizes: tuple[float, ...]) -> str:
    text = re.sub(r'<w:lang w:val="[^"]*"', f'<w:lang w:val="{_LANGUAGES[language]}"', text)
    own = _CALLOUT + "".join(
        _SMALL.format(
            id=f"{points:g}".replace(".", "-"), points=f"{points:g}", half=round(points * 2)
        )
        for points in sizes
    )
    text = re.sub(
        r'(<w:docDefaults>.*?<w:sz w:val=)"24"', r'\1"22"', text, count=1, flags=re.DOTALL
    )
    text = _within(text, "Table", "<w:tblCellMar>", f"{_RULES}<w:tblCellMar>")
    text = _within(text, "Heading1", "<w:keepLines />", "<w:keepLines /><w:pageBreakBefore/>")
    return text.replace("</w:styles>", f"{own}</w:styles>")


def _within(text: str, style: str, old: str, new: str) -> str:
    """Replace OLD in one style; where a version of pandoc lays it out anew, it stays as it is."""
    match = re.search(rf'<w:style\b[^>]*w:styleId="{style}"[^>]*>.*?</w:style>', text, re.DOTALL)
    if match is None:
        return text
    changed = match[0].replace(old, new, 1)
    return text[: match.start()] + changed + text[match.end() :]


def _fonts(text: str) -> str:
    """Choose letters that every system has, or has the like of."""
    return re.sub(r'(<a:latin typeface=)"Aptos[^"]*"', r'\1"Times New Roman"', text)


def _page(text: str) -> str:
    """Set the page; pandoc takes it over with its margins."""
    return re.sub(r"<w:sectPr\b.*?</w:sectPr>|<w:sectPr\s*/>", _PAGE, text, flags=re.DOTALL)
