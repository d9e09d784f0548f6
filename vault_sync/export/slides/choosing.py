"""Which note holds the slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, UsageError
from vault_sync.export.selecting.outline import DocumentEntry
from vault_sync.export.selecting.rules import is_slides
from vault_sync.export.selecting.selection import DocumentSelection, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.rendering.words import Words


def choose_slides(
    index: LinkIndex, chapters: Mapping[str, str], words: Words, names: Sequence[str]
) -> DocumentSelection:
    """Choose the one note that NAMES mean; without a name that with the property `slides: true`.

    Raises:
        NotFoundError: there is no such note.
        UsageError: there are several.
    """
    if names:
        chosen = select(index, chapters, words, names)
        paths = list(chosen.notes)
    else:
        paths = [path for path in sorted(index.notes) if is_slides(index, path)]
    if not paths:
        raise NotFoundError(
            f"no note of the vault {index.root} has the property slides: true",
            "thesis vault slides writes one to begin with; or name a note of yours:"
            " thesis vault export NOTE --to slides",
        )
    if len(paths) > 1:
        raise UsageError(
            f"slides are made from one note; these are {len(paths)}: {', '.join(paths[:6])}",
            f'thesis vault export "{paths[0]}" --to slides',
        )
    return DocumentSelection((DocumentEntry(paths[0], 0),), bare_headings=True)
