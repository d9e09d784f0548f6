"""What `thesis milestone list` prints: claims in words, what they ask for once below."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from experiments.claims.predicates import parse
from experiments.earlier_conditions import from_text
from experiments.workspace.milestones import PACKAGED
from thesis_cli.grid import Grid
from thesis_cli.views.claim_text import claim_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from thesis_cli.output import Block

WIDEST = 100
"""Columns of prose beyond a terminal."""
ASKED = {
    "evidence": "evidence {}",
    "dataset": "data {}",
    "protocol": "protocol {}",
    "setting": "time and memory at {}",
    "origin": "written in {}",
}
"""What a claim asks for beside its predicate, and how that is said."""


def list_view(
    rows: Sequence[dict[str, Any]], columns: int | None, *, verbose: bool = False
) -> Iterator[Block]:
    """Yield the claims by group, each in words, and once what most of them ask for.

    A claim that asks for something else says so. VERBOSE: title, predicate and source of each.
    """
    if not rows:
        yield "no milestones; write one under [milestones] in thesis.toml"
        return
    usual = {key: Counter(asked(row, key) for row in rows).most_common(1)[0][0] for key in ASKED}
    if verbose:
        for row in rows:
            yield "\n".join([row["milestone"], *details(row, columns or WIDEST)])
            yield ""
    else:
        yield by_group(rows, usual)
        yield ""
    told = "; ".join(said(key, value) for key, value in usual.items())
    more = "" if verbose else " As they are written, with their sources: --verbose."
    yield textwrap.fill(f"Where nothing else is said: {told}.{more}", columns or WIDEST)


def by_group(rows: Sequence[dict[str, Any]], usual: Mapping[str, str]) -> Grid:
    """Tabulate the claims in words, each group under its name."""
    cells: list[list[str]] = []
    sections = {}
    for group in dict.fromkeys(row["group"] for row in rows):
        sections[len(cells)] = group or "without a group"
        for row in (row for row in rows if row["group"] == group):
            others = departures(row, usual)
            claim = f"{claim_of(row)} ({others})" if others else claim_of(row)
            cells.append([f"  {row['milestone']}", claim])
    return Grid(["milestone", "~claim"], cells, sections=sections)


def said(key: str, value: str) -> str:
    """Say one thing that a claim asks for."""
    if key == "origin" and value == PACKAGED:
        return value
    return ASKED[key].format(value or "any")


def asked(row: Mapping[str, Any], key: str) -> str:
    """Say what a claim asks for: its evidence, data, protocol, setting, where it is written."""
    value = row[key]
    if key == "origin":
        return PurePath(value).name
    return " or ".join(value) if isinstance(value, list) else str(value)


def departures(row: Mapping[str, Any], usual: Mapping[str, str]) -> str:
    """Say what a claim asks for that most don't."""
    others = {key: asked(row, key) for key in ASKED if asked(row, key) != usual[key]}
    return "; ".join(said(key, value) for key, value in others.items())


def claim_of(row: Mapping[str, Any]) -> str:
    """Say a claim in words."""
    return claim_text(parse(row["predicate"]), from_text(row["protocol"]))


def details(row: Mapping[str, Any], columns: int) -> Iterator[str]:
    """Yield all that is known of a claim, one thing a line, broken to COLUMNS."""
    told = {
        "title": row["title"],
        "claim": claim_of(row),
        "predicate": row["predicate"],
        "asks for": "; ".join(said(key, asked(row, key)) for key in ASKED),
        "group": row["group"],
        "source": row["source"],
    }
    for name, value in told.items():
        if value:
            yield textwrap.fill(
                f"{name}: {value}", columns, initial_indent="  ", subsequent_indent="    "
            )
