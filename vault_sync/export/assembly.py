"""Assemble one pandoc syntax tree from the notes of a document."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from vault_sync.export.citations import Citer
from vault_sync.export.drawings.fences import DrawnFences
from vault_sync.export.drawings.pictures import Pictures
from vault_sync.export.empty_sections import REFERENCES, EmptySection, EmptySections
from vault_sync.export.maths.formulas import Formulas
from vault_sync.export.page_breaks import part_heading
from vault_sync.export.reading import callouts
from vault_sync.export.reading.anchors import Anchors
from vault_sync.export.reading.linking import Linker
from vault_sync.export.reading.marks import attach
from vault_sync.export.reading.pages import read_pages
from vault_sync.export.reading.pandoc_ast import block, div, find, header, plain, rewrite, words
from vault_sync.export.reading.transclusion import Embedder, flags
from vault_sync.export.references.captions import compose
from vault_sync.export.references.cross_references import CrossReferences, repeated
from vault_sync.export.references.numbering import (
    APPENDICES,
    UNNUMBERED,
    Numbers,
    chapters,
    number,
)
from vault_sync.export.typography import quote, typeset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.selecting.outline import DocumentEntry
    from vault_sync.export.selecting.selection import DocumentSelection
    from vault_sync.rendering.words import Words


@dataclass
class Document:
    """A thesis, ready to be written in any format."""

    blocks: list[Node]
    title: list[Node] = field(default_factory=list)
    """Of the only note of a document; empty where the thesis's own title stands."""
    cited: dict[str, str] = field(default_factory=dict)
    """Key -> BibTeX entry of the works that are cited."""
    warnings: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    """Paths of all notes that it shows, embedded ones too."""
    pictures: tuple[str, ...] = ()
    """Paths of the pictures that it shows."""
    numbers: Numbers = field(default_factory=Numbers)
    """What is numbered in it."""

    @property
    def whole(self) -> bool:
        """Whether it is a thesis of several chapters, rather than a note or two."""
        return len(chapters(self.blocks)) > 1 and not self.title

    front: dict[str, list[Node]] = field(default_factory=dict)
    """Path -> blocks, heading first, of each note that stands before the first chapter."""
    empty: tuple[EmptySection, ...] = ()
    """Headings that head nothing, and are not in it."""

    @property
    def shown(self) -> list[Node]:
        """All that is printed: title, first pages and text."""
        return [*self.title, *chain.from_iterable(self.front.values()), *self.blocks]

    @property
    def figures(self) -> int:
        """How many figures it has."""
        return sum(1 for _ in find(self.blocks, "Figure"))

    @property
    def tables(self) -> int:
        """How many tables it has."""
        return sum(1 for _ in find(self.blocks, "Table"))


def assemble(
    index: LinkIndex,
    selection: DocumentSelection,
    words: Words,
    entries: Mapping[str, str],
    media: tuple[Path, str],
    preamble: str = "",
) -> Document:
    """Make one document of the notes of SELECTION.

    ENTRIES are the works that may be cited; MEDIA is the folder that takes copies of pictures, and
    the name by which the document calls it; PREAMBLE defines the macros of formulas.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    return _Assembler(index, selection, words, entries, media, preamble).document()


class _Assembler:
    """Expands each note in its place, then resolves links and citations across the document."""

    def __init__(
        self,
        index: LinkIndex,
        selection: DocumentSelection,
        words: Words,
        entries: Mapping[str, str],
        media: tuple[Path, str],
        preamble: str,
    ) -> None:
        self.selection = selection
        self.words = words
        self.result = Document([])
        pages = read_pages(index, selection.notes, entries)
        self.result.warnings += [*pages.warnings, *repeated(pages.rows)]
        self.anchors = Anchors()
        self.titles: dict[str, str] = {}
        warn = self.result.warnings.append
        self.linker = Linker(index, pages, self.anchors, self.titles, warn)
        self.pictures = Pictures(index, pages, *media, warn)
        named = pages.change(lambda _: attach)
        formulas = Formulas(index, named, preamble, warn)
        prepared = named.change(self.pictures.picture_rewriter).change(formulas.formula_rewriter)
        prepared = prepared.change_blocks(formulas.block_rewriter)
        fences = DrawnFences(index, pages, self.pictures, warn)
        prepared = prepared.change_blocks(fences.block_rewriter)
        fences.tell()
        self.pages = prepared.change(self.linker.link_rewriter)
        self.linker.shown = prepared
        self.embedder = Embedder(index, self.pages, self.anchors, warn)
        self.citer = Citer(pages, entries, warn)
        self.references = CrossReferences(pages, self.anchors, words, warn)
        self.index = index

    def document(self) -> Document:
        """Expand every note, then resolve what leads from one to another."""
        every = [(entry, self._expand(entry)) for entry in self.selection.entries]
        parts = [(entry, part) for entry, part in every if not entry.front]
        for entry, part in every:
            if entry.front:
                blocks = self._typeset(self._resolve(part), entry.language)
                self.result.front[entry.path] = blocks
        main = self._resolve([node for entry, part in parts if not entry.appendix for node in part])
        rest = self._resolve([node for entry, part in parts if entry.appendix for node in part])
        aside = [div([], "", APPENDICES)] if rest else []
        whole = self._typeset([*main, *self._references(), *aside, *rest])
        self.result.blocks = whole if self.selection.bare_headings else self._filled(whole)
        self._number()
        title = self._typeset([block("Plain", self.result.title)])
        self.result.title = title[0]["c"] if title else []
        self.result.cited = self.citer.cited
        self.result.notes = tuple(self.pages.by_path)
        self.result.pictures = tuple(self.pictures.copies)
        self.result.warnings = list(dict.fromkeys(self.result.warnings))
        return self.result

    def _filled(self, blocks: list[Node]) -> list[Node]:
        """Return BLOCKS without headings that head nothing, which are told."""
        empty = EmptySections(self.index, self.anchors.places)
        kept, self.result.empty = empty.remove(blocks), tuple(empty.found)
        self.result.warnings += empty.warnings()
        return kept

    def _number(self) -> None:
        """Number the document, then write what refers to its numbers."""
        result, new = self.result, self.anchors.new
        blocks, numbers = number(result.blocks, new, by_chapter=result.whole)
        refer = self.references.rewriter(numbers)
        result.blocks = rewrite(blocks, inlines=refer)
        result.numbers = replace(
            numbers,
            entries={
                name: replace(entry, caption=tuple(rewrite(list(entry.caption), inlines=refer)))
                for name, entry in numbers.entries.items()
            },
        )

    def _resolve(self, blocks: list[Node]) -> list[Node]:
        linked = rewrite(blocks, inlines=self.linker.resolve_links)
        done: list[Node] = rewrite(linked, inlines=self.citer.resolve_citations)
        return done

    def _expand(self, entry: DocumentEntry) -> list[Node]:
        if not entry.note:
            name = self.anchors.new(entry.title)
            if entry.number:
                return [part_heading(entry, name)]
            return [header(entry.level, words(entry.title), name)]
        page = self.pages.by_path[entry.path]
        title, blocks = self.embedder.title(page)
        kinds = flags(title)
        title = self.embedder.marked(page, title)
        identity = self.anchors.mark(entry.path, "", plain(title))
        self.anchors.places.setdefault((entry.path, plain(title)), identity)
        if not self.index.identity(entry.path).startswith("run/"):
            self.titles[entry.path] = plain(title)
        body = self.embedder.expand(page, blocks, entry.level + 1, ((entry.path, ""),))
        if entry.level == 0:
            self.result.title = title
            return [div([], identity), *body]
        return [header(entry.level, title, identity, *kinds), *body]

    def _references(self) -> list[Node]:
        if not self.citer.cited:
            return []
        title = words(str(self.words.say("export.bibliography")))
        return [header(1, title, "references", UNNUMBERED), div([], REFERENCES)]

    def _typeset(self, blocks: list[Node], language: str = "") -> list[Node]:
        language = language or self.words.language
        name = lambda kind: str(self.words.name("callout", kind)).capitalize()  # noqa: E731
        blocks = rewrite(blocks, blocks=quote(language))
        blocks = rewrite(blocks, inlines=typeset(language))
        framed = rewrite(blocks, blocks=lambda row: callouts.frame(row, name))
        return compose(framed)
