"""The styles of exported Word documents: pandoc's own, on A4, with small tables and callouts."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}
_PAGE = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1418" '
    'w:bottom="1418" w:left="1418" w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>'
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
_RULES = (
    '<w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    '<w:insideH w:val="single" w:sz="4" w:space="0" w:color="D5DAE0"/></w:tblBorders>'
)


def write_reference(original: bytes, language: str, path: Path, sizes: tuple[float, ...]) -> None:
    """Write to PATH the document whose styles pandoc takes over: ORIGINAL is pandoc's own.

    SIZES are the letters of small tables, in points.
    """
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(original)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "word/styles.xml":
                content = _styles(content.decode("utf-8"), language, sizes).encode("utf-8")
            elif entry.filename == "word/document.xml":
                content = _page(content.decode("utf-8")).encode("utf-8")
            target.writestr(entry, content)
    path.write_bytes(made.getvalue())


def _styles(text: str, language: str, sizes: tuple[float, ...]) -> str:
    text = re.sub(r'<w:lang w:val="[^"]*"', f'<w:lang w:val="{_LANGUAGES[language]}"', text)
    own = _CALLOUT + "".join(
        _SMALL.format(
            id=f"{points:g}".replace(".", "-"), points=f"{points:g}", half=round(points * 2)
        )
        for points in sizes
    )
    text = _ruled(text)
    return text.replace("</w:styles>", f"{own}</w:styles>")


def _ruled(text: str) -> str:
    """Give the style of tables rules above, below and between the rows."""
    style = re.search(r'<w:style\b[^>]*w:styleId="Table"[^>]*>.*?</w:style>', text, re.DOTALL)
    if style is None:
        return text
    ruled = re.sub(r"<w:tblPr>", f"<w:tblPr>{_RULES}", style[0], count=1)
    return text[: style.start()] + ruled + text[style.end() :]


def _page(text: str) -> str:
    """Set the page; pandoc takes it over with its margins."""
    return re.sub(r"<w:sectPr\b.*?</w:sectPr>|<w:sectPr\s*/>", _PAGE, text, flags=re.DOTALL)
