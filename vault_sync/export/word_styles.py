"""The styles of exported Word documents: pandoc's own, on A4, with small tables and callouts."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from vault_sync.export.front_matter.word_contents import fill_contents, style_ids
from vault_sync.export.front_matter.word_styles import missing_styles
from vault_sync.export.references import word_numbering
from vault_sync.export.word_tables import keep_rows

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
    '<w:style w:type="paragraph" w:customStyle="1" w:styleId="Table{id}">'
    '<w:name w:val="Table {points}"/><w:basedOn w:val="Compact"/>'
    '<w:pPr><w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/></w:pPr>'
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
_LEAD = (
    '<w:style w:type="paragraph" w:customStyle="1" w:styleId="TableLead">'
    '<w:name w:val="Table Lead"/><w:basedOn w:val="BodyText"/><w:pPr><w:keepNext/></w:pPr>'
    "</w:style>"
)
_NAME = r'<w:name w:val="([^"]+)"'
_RULES = (
    '<w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="0" w:color="auto"/>'
    '<w:insideH w:val="single" w:sz="4" w:space="0" w:color="D5DAE0"/></w:tblBorders>'
)
_MARGINS = '<w:left w:w="57" w:type="dxa"/><w:right w:w="57" w:type="dxa"/>'
_CODE = r'(<w:style\b[^>]*w:styleId="VerbatimChar"(?:(?!</w:style>).)*?)<w:sz\b[^>]*/>'
"""Code has the size of the words around it, in small tables too."""
_KEPT = "<w:keepNext />"
_FIRST_ROW = '<w:tblStylePr w:type="firstRow">'
_COLOUR = re.compile(r'<w:color\b[^>]*w:themeColor="accent1"[^>]*/>')
"""The blue of Word's headings; the other formats' are black."""
_TABLE = (
    '<w:style w:type="table" w:customStyle="1" w:styleId="Table"><w:name w:val="Table"/><w:tblPr>'
    f'<w:tblInd w:w="0" w:type="dxa"/>{_RULES}<w:tblCellMar>{_MARGINS}</w:tblCellMar></w:tblPr>'
    f'{_FIRST_ROW}<w:rPr><w:b/></w:rPr><w:tcPr><w:tcBorders><w:bottom w:val="single"/>'
    "</w:tcBorders></w:tcPr></w:tblStylePr></w:style>"
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


def complete_reference(original: bytes, path: Path, sizes: tuple[float, ...]) -> None:
    """Write to PATH a university's document ORIGINAL, with the styles of ours that it lacks.

    Its own styles, page, header and footer stay as they are.
    """

    def change(text: str) -> str:
        own = re.split(r"(?=<w:style )", _own_styles(sizes) + _TABLE)
        added = [
            style
            for style in own
            if style and f'w:val="{re.search(_NAME, style)[1]}"' not in text  # type: ignore[index]
        ]
        return text.replace("</w:styles>", f"{''.join(added)}{missing_styles(text)}</w:styles>")

    path.write_bytes(_rewritten(original, {"word/styles.xml": change}, {}))


def begins_pages(path: Path) -> bool:
    """Whether the first level of headings in the document of styles at PATH begins a page."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("word/styles.xml").decode("utf-8")
    identity = style_ids(text).get("heading 1", "Heading1")
    heading = rf'<w:style\b[^>]*w:styleId="{re.escape(identity)}"[^>]*>.*?</w:style>'
    match = re.search(heading, text, re.DOTALL)
    return match is not None and "<w:pageBreakBefore" in match[0]


def finish(path: Path, *, titled: bool = False) -> None:
    """Make the sections around turned pages like the last one: its margins, header and footer.

    The table of contents is filled, and tables are not parted within a row.
    With TITLED the first page, that of the title, has neither header nor footer.
    """
    with zipfile.ZipFile(path) as archive:
        styles = archive.read("word/styles.xml").decode("utf-8")

    def change(text: str) -> str:
        last = re.findall(r"<w:sectPr\b.*?</w:sectPr>", text, re.DOTALL)[-1:]
        whole = "".join(last)
        shown = "".join(re.findall(r"<w:(?:header|footer)Reference\b[^>]*/>", whole))
        text = re.sub(r"<w:sectPr>(?=<w:type)", f"<w:sectPr>{shown}", text)
        text = keep_rows(fill_contents(_same_pages(text, whole), styles))
        return _titled(text) if titled else text

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


def _same_pages(text: str, last: str) -> str:
    """Give all sections the size and margins of the LAST, turned where they are turned."""
    size = re.search(r"<w:pgSz\b[^>]*/>", last)
    margins = re.search(r"<w:pgMar\b[^>]*/>", last)
    sides = [re.search(rf'w:{side}="(\d+)"', size[0]) for side in "wh"] if size else []
    if margins is None or not all(sides):
        return text
    wide, high = (side[1] for side in sides if side)

    def change(match: re.Match[str]) -> str:
        turned = "landscape" in match[0]
        one, other = (high, wide) if turned else (wide, high)
        orient = ' w:orient="landscape"' if turned else ""
        return f'<w:pgSz w:w="{one}" w:h="{other}"{orient}/>{margins[0]}'

    return re.sub(r"<w:pgSz\b[^>]*/>\s*<w:pgMar\b[^>]*/>", change, text)


def _titled(text: str) -> str:
    """Keep header and footer from the first page of the first section."""
    place = text.find("</w:sectPr>")
    if place < 0 or "<w:titlePg" in text[text.rfind("<w:sectPr", 0, place) : place]:
        return text
    start = text.rfind("<w:sectPr", 0, place)
    inner = text[start:place]
    # The order of the schema: what follows the title page's mark.
    after = re.search(r"<w:(?:textDirection|bidi|rtlGutter|docGrid|printerSettings)\b", inner)
    at = start + after.start() if after else place
    return f"{text[:at]}<w:titlePg/>{text[at:]}"


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
    own = _own_styles(sizes) + missing_styles("")
    text = re.sub(
        r'(<w:docDefaults>.*?<w:sz w:val=)"24"', r'\1"22"', text, count=1, flags=re.DOTALL
    )
    text = _within(text, "Table", "<w:tblCellMar>", f"{_RULES}<w:tblCellMar>")
    for wide in re.findall(r'<w:(?:left|right) (?=[^>]*w:type="dxa")[^>]*w:w="108"[^>]*/>', text):
        text = _within(text, "Table", wide, wide.replace('"108"', '"57"'))
    text = _within(text, "Table", _FIRST_ROW, f"{_FIRST_ROW}<w:rPr><w:b/></w:rPr>")
    text = _COLOUR.sub("", text)
    text = re.sub(_CODE, r"\1", text, flags=re.DOTALL)
    text = _within(text, "CaptionedFigure", _KEPT, f'{_KEPT}<w:spacing w:before="200"/>')
    text = _within(text, "Heading1", "<w:keepLines />", "<w:keepLines /><w:pageBreakBefore/>")
    return text.replace("</w:styles>", f"{own}</w:styles>")


def _own_styles(sizes: tuple[float, ...]) -> str:
    return (
        _CALLOUT
        + _LEAD
        + "".join(
            _SMALL.format(
                id=f"{points:g}".replace(".", "-"), points=f"{points:g}", half=round(points * 2)
            )
            for points in sizes
        )
    )


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
