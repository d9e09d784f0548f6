"""What the first slide says below the title of the talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.wording import catalogue
from vault_sync.export.reading.pandoc_ast import string
from vault_sync.export.reading.pandoc_ast import words as inlines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault_sync.export.front_matter.details import DocumentDetails, Inlines

JOINED = "\u00a0· "


def opening_lines(details: DocumentDetails) -> Iterator[tuple[str, Inlines]]:
    """Yield (what it is, inlines) of each line that `document` of thesis.toml fills, in order."""
    for name in ("subtitle", "author", "degree"):
        if details[name]:
            yield name, details[name]
    if people := details.people["supervisors"]:
        names = [person["name"] for person in people]
        label = str(catalogue.phrase("front.supervisors", details.language))
        colon = str(catalogue.phrase("colon", details.language))
        lead = [string(f"{label}{colon.rstrip()}"), {"t": "Space"}]
        yield "supervisors", [*lead, *_row(names, ", ")]
    places = [details[name] for name in ("laboratory", "faculty", "institution") if details[name]]
    if places:
        yield "institution", _row(places, JOINED)
    if details["defence"]:
        yield "date", _row([part for part in (details["place"], details["defence"]) if part], ", ")


def _row(parts: list[Inlines], between: str) -> Inlines:
    row = list(parts[0])
    for part in parts[1:]:
        comma = [string(","), {"t": "Space"}]
        row += [*(comma if between == ", " else inlines_of(between)), *part]
    return row
