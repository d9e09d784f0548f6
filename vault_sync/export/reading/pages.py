"""The notes of a document as syntax trees, with those that they embed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault_sync.export.reading import html_in_notes
from vault_sync.export.reading.exported_drawings import kind_of
from vault_sync.export.reading.obsidian import EMBED, LINK, ObsidianLink, Translation, translate
from vault_sync.export.reading.pandoc import FRAGMENT, read
from vault_sync.export.reading.pandoc_ast import rewrite
from vault_sync.export.reading.reference_tokens import REFER

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from vault_sync.export.reading.citation_links import Citation
    from vault_sync.export.reading.labels import CrossReference
    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pandoc_ast import Node


@dataclass(frozen=True)
class SourcePage:
    """A note of the document: its path, its translation and its syntax tree."""

    path: str
    translation: Translation
    blocks: list[Node]


@dataclass(frozen=True)
class SourcePages:
    """The notes that were read, and what stands behind the links in their trees."""

    by_path: dict[str, SourcePage]
    """In the order they were read: a link's first number counts them."""
    warnings: tuple[str, ...]

    @property
    def rows(self) -> list[SourcePage]:
        """The notes in order."""
        return list(self.by_path.values())

    def change(
        self, rows: Callable[[SourcePage], Callable[[list[Node]], list[Node]]]
    ) -> SourcePages:
        """Return the notes with what ROWS gives for each applied to its rows of inlines."""
        changed = {
            path: replace(page, blocks=rewrite(page.blocks, inlines=rows(page)))
            for path, page in self.by_path.items()
        }
        return replace(self, by_path=changed)

    def change_blocks(
        self, rows: Callable[[SourcePage], Callable[[list[Node]], list[Node]]]
    ) -> SourcePages:
        """Return the notes with what ROWS gives for each applied to its rows of blocks."""
        changed = {
            path: replace(page, blocks=rewrite(page.blocks, blocks=rows(page)))
            for path, page in self.by_path.items()
        }
        return replace(self, by_path=changed)

    def add(self, page: SourcePage, reference: ObsidianLink) -> str:
        """Add a link to those of a note; return the numbers that a tree calls it by."""
        page.translation.references.append(reference)
        place = list(self.by_path).index(page.path)
        return f"{place}.{len(page.translation.references) - 1}"

    def reference(self, target: str) -> tuple[SourcePage, ObsidianLink] | None:
        """Return what a `thesis-link:` or `thesis-embed:` stands for, and in which note."""
        position = self._behind(target, (LINK, EMBED))
        if position is None or not 0 <= position[1] < len(position[0].translation.references):
            return None
        return position[0], position[0].translation.references[position[1]]

    def citation(self, target: str) -> tuple[SourcePage, tuple[Citation, ...]] | None:
        """Return what a `thesis-cite:` stands for, and in which note."""
        position = self._behind(target, ("thesis-cite",))
        if position is None or not 0 <= position[1] < len(position[0].translation.citations):
            return None
        return position[0], position[0].translation.citations[position[1]]

    def cross_reference(self, target: str) -> tuple[SourcePage, CrossReference] | None:
        """Return what a `thesis-refer:` stands for, and in which note."""
        position = self._behind(target, (REFER,))
        if position is None:
            return None
        page, number = position
        known = page.translation.cross_references
        return (page, known[number]) if number < len(known) else None

    def _behind(self, target: str, schemes: tuple[str, ...]) -> tuple[SourcePage, int] | None:
        scheme, _, numbers = target.partition(":")
        first, _, second = numbers.partition(".")
        if scheme not in schemes or not (first.isdecimal() and second.isdecimal()):
            return None
        rows = self.rows
        return (rows[int(first)], int(second)) if int(first) < len(rows) else None


def read_pages(index: LinkIndex, paths: Iterable[str], known: Container[str] = ()) -> SourcePages:
    """Read the notes at PATHS, and those they embed; KNOWN are the keys of the bibliography.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    translations = _translate(index, list(paths), known)
    trees = read([translation.text for translation in translations.values()])
    texts = list(dict.fromkeys(text for tree in trees for text in html_in_notes.fragments(tree)))
    pieces = dict(zip(texts, read(texts, FRAGMENT), strict=True))
    pages = {
        path: SourcePage(path, translation, html_in_notes.resolve(tree, pieces))
        for (path, translation), tree in zip(translations.items(), trees, strict=True)
    }
    warnings = [
        f"{path}:{line}: {text}"
        for path, translation in translations.items()
        for line, text in translation.warnings
    ]
    return SourcePages(pages, tuple(warnings))


def _translate(index: LinkIndex, paths: list[str], known: Container[str]) -> dict[str, Translation]:
    """Translate notes and, as they come up, those they embed."""
    translations: dict[str, Translation] = {}
    for path in paths:  # it grows while it is gone through
        if path in translations:
            continue
        text, first = index.body(path)
        translations[path] = translate(text, str(len(translations)), known, first=first)
        embedded = (
            index.note(link.target, path)
            for link in translations[path].references
            if link.embed and kind_of(index, link.target, path) is None
        )
        paths += [note for note in embedded if note]
    return translations
