"""Numbers and references in Word: SEQ and STYLEREF in captions, REF in the text, TOC for lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.labels import EQUATION, SECTION
from vault_sync.export.reading.pandoc_ast import block, plain, raw, string
from vault_sync.export.references.cross_references import NUMBER
from vault_sync.export.references.numbering import DEEPEST, FOOT
from vault_sync.export.references.reference_style import (
    LISTED,
    ReferenceStyle,
    listed,
    number_of,
    place_of,
    without,
)
from vault_sync.export.references.word_fields import (
    Bookmarks,
    bookmark,
    field,
    inline,
    reset,
    restarts,
    run,
)
from vault_sync.export.references.word_numbering import HEADING_MARK, LIST_STYLE

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.references.numbering import Numbered, Numbers
    from vault_sync.rendering.words import Words

_EQUATION = (
    '<w:tbl><w:tblPr><w:tblW w:type="pct" w:w="5000"/><w:tblLayout w:type="fixed"/></w:tblPr>'
    '<w:tblGrid><w:gridCol w:w="1000"/><w:gridCol w:w="7070"/><w:gridCol w:w="1000"/></w:tblGrid>'
    '<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:type="dxa" w:w="1000"/></w:tcPr>'
    '<w:p/></w:tc><w:tc><w:tcPr><w:tcW w:type="dxa" w:w="7070"/><w:vAlign w:val="center"/></w:tcPr>'
)
_BESIDE = (
    '</w:tc><w:tc><w:tcPr><w:tcW w:type="dxa" w:w="1000"/><w:vAlign w:val="center"/></w:tcPr>'
    '<w:p><w:pPr><w:jc w:val="right"/></w:pPr>{number}</w:p></w:tc></w:tr></w:tbl>'
)
_BOUND = "\u00a0"


class WordReferences(ReferenceStyle):
    """Writes fields that Word can update and make lists of."""

    def __init__(self, numbers: Numbers, language: Words) -> None:
        super().__init__(numbers, language)
        self.bookmarks = Bookmarks()
        self.restarts = restarts(numbers)

    def opening(self, kinds: tuple[str, ...]) -> list[Node]:
        """Return the lists of KINDS."""
        return [raw("openxml", self._list(kind)) for kind in kinds if self.numbers.of(kind)]

    def heading(self, node: Node) -> Node:
        """Mark a heading for `word_numbering`: Word counts it by itself."""
        level, attrs, content = node["c"]
        entry = self.numbers.entries.get(attrs[0])
        numbered = bool(number_of(attrs))
        kind = "appendix" if numbered and entry and entry.appendix else "chapter"
        marks = [inline(HEADING_MARK.format(kind if numbered else "none"))]
        resets = self._resets() if numbered and level == 1 else []
        content = [*self._within(attrs[0], content), *resets, *(marks if level <= DEEPEST else [])]
        return {"t": "Header", "c": [level, without(attrs), content]}

    def equation(self, node: Node) -> list[Node]:
        """Put a formula and its number side by side, in a table without lines."""
        attrs, content = node["c"]
        number = f"{run('(')}{self._number(EQUATION, attrs)}{run(')')}"
        if place_of(attrs) == FOOT:
            return [*content, block("Para", [inline(number)])]
        return [raw("openxml", _EQUATION), *content, raw("openxml", _BESIDE.format(number=number))]

    def label(self, kind: str, attrs: list[Any], *, colon: bool) -> list[Node]:
        """Return what stands before a caption, with fields that Word can count."""
        start = run(f"{self.word(kind)}{_BOUND}")
        end = [string(self.language.colon.rstrip()), {"t": "Space"}] if colon else []
        return [inline(f"{start}{self._number(kind, attrs)}"), *end]

    def reference(self, node: Node) -> list[Node]:
        """Write a reference with a REF field."""
        _, content, (target, _) = node["c"]
        row: list[Node] = []
        for piece in content:
            numbered = piece["t"] == "Span" and NUMBER in piece["c"][0][1]
            row.append(inline(self._referring(target[1:])) if numbered else piece)
        return row

    def _resets(self) -> list[Node]:
        """Begin the count of figures, tables and formulas anew, where it goes by chapter."""
        kinds = [kind for kind in (*LISTED, EQUATION) if self.numbers.of(kind)]
        return [inline(reset(self.word(kind))) for kind in kinds if self.numbers.by_chapter]

    def _referring(self, identity: str) -> str:
        entry = self.numbers.entries[identity]
        switch = " \\n" if entry.kind == SECTION else ""
        return field(f"REF {bookmark(identity)}{switch} \\h", entry.number)

    def _within(self, identity: str, content: list[Node]) -> list[Node]:
        """Put a heading's words into its bookmark."""
        start, end = self.bookmarks.around(identity, "|").split("|")
        return [inline(start), *content, inline(end)]

    def _number(self, kind: str, attrs: list[Any]) -> str:
        """Return the bookmarked number: fields where Word can count it, else as it is."""
        entry = self.numbers.entries[attrs[0]]
        if not entry.count or entry.place == FOOT:
            return self.bookmarks.around(entry.identity, run(entry.number))
        switches = " \\s 1" if self.numbers.by_chapter else ""
        switches = f" \\r {entry.count}" if entry.identity in self.restarts else switches
        count = field(f"SEQ {self.word(kind)} \\* ARABIC{switches}", str(entry.count))
        chapter = self._chapter(entry)
        return self.bookmarks.around(entry.identity, f"{chapter}{count}")

    def _chapter(self, entry: Numbered) -> str:
        if not entry.within:
            return ""
        last = self._last_heading(entry)
        number = field("STYLEREF 1 \\s", entry.within) if last else run(entry.within)
        return f"{number}{run('.')}"

    def _last_heading(self, entry: Numbered) -> bool:
        """Whether the heading of the first level above ENTRY has a number for STYLEREF to find."""
        found = ""
        for other in self.numbers.entries.values():
            if other.identity == entry.identity:
                break
            if other.kind == SECTION and other.level == 1:
                found = other.number
        return bool(found)

    def _list(self, kind: str) -> str:
        """Return a list as Word makes it: its entries, and the field that makes them anew."""
        entries = self.numbers.of(kind)
        rows = [self._row(entry) for entry in entries]
        code = f' TOC \\h \\z \\c "{self.word(kind)}" '
        begin = (
            '<w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/></w:r>'
            f'<w:r><w:instrText xml:space="preserve">{code}</w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        )
        end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        title = (
            f'<w:p><w:pPr><w:pStyle w:val="TOCHeading"/></w:pPr>{run(self.list_title(kind))}</w:p>'
        )
        rows[0], rows[-1] = begin + rows[0], rows[-1] if len(rows) > 1 else begin + rows[-1]
        rows[-1] += end
        style = f'<w:pPr><w:pStyle w:val="{LIST_STYLE}"/></w:pPr>'
        return title + "".join(f"<w:p>{style}{row}</w:p>" for row in rows)

    def _row(self, entry: Numbered) -> str:
        words = plain(listed(entry)).strip()
        colon = f"{self.language.colon.rstrip()} " if words else ""
        text = f"{self.word(entry.kind)}{_BOUND}{entry.number}{colon}{words}"
        page = field(f"PAGEREF {bookmark(entry.identity)} \\h", "", outdated=True)
        inner = f"{run(text)}<w:r><w:tab/></w:r>{page}"
        return f'<w:hyperlink w:anchor="{bookmark(entry.identity)}">{inner}</w:hyperlink>'
