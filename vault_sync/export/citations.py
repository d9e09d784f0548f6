"""Citations `[@key]`, resolved by pandoc's citeproc from the bibliography."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.records.bibliography import parse_bibtex, read_references
from featherface.errors import DataError, NotFoundError, UsageError
from vault_sync.export.reading.obsidian import CITE
from vault_sync.export.reading.pandoc_ast import block, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.reading.citation_links import Citation
    from vault_sync.export.reading.pages import SourcePages
    from vault_sync.export.reading.pandoc_ast import Node

SUFFIX = ".bib"


def read_bibliography(workspace: Workspace, file: Path | None) -> dict[str, str]:
    """Return key -> entry: ours, those of the `bibliography` setting, those of FILE, which wins.

    Raises:
        NotFoundError: a file is not there.
        UsageError: FILE is no BibTeX file.
        DataError: an entry can't be read; the message names file and line.
    """
    entries = read_references(workspace)
    return entries if file is None else entries | _read(file)


def _written(cited: Iterable[Citation]) -> str:
    """Write a citation about as long as citeproc will: tables are measured before it does."""
    works = (f"{citation.before} {citation.key} {citation.after}".strip() for citation in cited)
    return f"({'; '.join(works)})"


def _read(file: Path) -> dict[str, str]:
    if file.suffix.lower() != SUFFIX:
        raise UsageError(
            f"the bibliography {file} is no BibTeX file", f"name a file that ends with {SUFFIX}"
        )
    try:
        return parse_bibtex(file.read_text(encoding="utf-8-sig"), file.name)
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text", "save it as UTF-8") from error
    except OSError as error:
        raise NotFoundError(
            f"can't read the bibliography {file}: {error.strerror}", "correct --bibliography"
        ) from error


@dataclass
class Citer:
    """Turns citations into pandoc's Cite nodes, and gathers the entries of the cited works."""

    pages: SourcePages
    entries: Mapping[str, str]
    warn: Callable[[str], None]
    cited: dict[str, str] = field(default_factory=dict)
    """Key -> entry of the works that are cited, in the order they first are."""

    def resolve_citations(self, row: list[Node]) -> list[Node]:
        """Resolve the citations in a row of inlines."""
        return [self._cite(node) if node["t"] == "Link" else node for node in row]

    def _cite(self, node: Node) -> Node:
        target = node["c"][2][0]
        resolved = self.pages.citation(target) if target.startswith(f"{CITE}:") else None
        if resolved is None:
            return node
        page, cited = resolved
        return block(
            "Cite",
            [[self._citation(page.path, citation) for citation in cited], words(_written(cited))],
        )

    def _citation(self, path: str, citation: Citation) -> Node:
        if citation.key in self.entries:
            self.cited[citation.key] = self.entries[citation.key]
        else:
            self.warn(f"{path}:{citation.line}: no work {citation.key!r} is in the bibliography")
        return {
            "citationId": citation.key,
            "citationPrefix": words(citation.before),
            "citationSuffix": words(citation.after),
            "citationMode": {"t": citation.mode},
            "citationNoteNum": 0,
            "citationHash": 0,
        }
