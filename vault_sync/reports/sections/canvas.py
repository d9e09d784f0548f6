"""The map of the thesis: from hypotheses over runs and claims to chapters, as a JSON Canvas.

https://jsoncanvas.org/spec/1.0. Ids and places follow from what is shown alone, so that the file
changes only where the thesis does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vault_sync.rendering.markdown import escape
from vault_sync.rendering.private_text import public
from vault_sync.rendering.sources import run_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

WIDTH, GAP, STEP, MARGIN = 360, 40, 560, 20
"""Pixels: of a card, between cards, from column to column, inside of a column."""
LETTERS = 38
"""Of a line of a card."""
COLORS = {"pass": "4", "fail": "1", "stale": "2"}
"""State of a claim -> preset colour: green, red, orange."""
CHAPTERS = {
    "accuracy": "performance",
    "baseline": "baseline",
    "budget": "architecture",
    "speed": "documentation",
}
"""Group of claims -> the chapter that rests on it."""
DEFAULT_CHAPTER = "milestones"
"""For claims of other groups."""


@dataclass
class Column:
    """A column of the canvas: cards below each other under one heading."""

    name: str
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Identity -> what is particular to the node."""

    def add(self, identity: str, **card: Any) -> str:
        """Add a card, once; return its identity."""
        self.cards.setdefault(identity, card)
        return identity


def thesis_map(page: Page, outcomes: Sequence[ClaimOutcome]) -> bytes:
    """Return the canvas of the latest runs, those the claims rest on, and the chapters."""
    names = ("hypotheses", "runs", "milestones", "chapters")
    hypotheses, runs, claims, chapters = columns = [Column(name) for name in names]
    edges: dict[tuple[str, str], str] = {}
    mapped = _mapped_runs(page, outcomes)
    for run in mapped:
        node = runs.add(run.id, **_note(page, run_identity(run), run.id))
        if run.hypothesis:
            text = str(page.words.recorded(public(run.hypothesis)))
            edges[hypotheses.add(f"hypothesis {text}", type="text", text=text), node] = ""
    _add_parent_edges(page, mapped, runs, edges)
    for outcome in sorted(outcomes, key=_chapter_of):
        claim = claims.add(f"milestone {outcome.milestone.name}", **_claim(page, outcome))
        for run in outcome.runs:
            if run.id in runs.cards:
                edges[run.id, claim] = ""
        chapter = f"chapter/{_chapter_of(outcome)[1]}"
        if page.links.places.get(chapter):
            edges[claim, chapters.add(chapter, **_note(page, chapter, chapter))] = ""
    return _write(page, columns, edges)


def _chapter_of(outcome: ClaimOutcome) -> tuple[int, str]:
    """Return the place of the chapter that a claim bears on, and its name."""
    chapter = CHAPTERS.get(outcome.milestone.group, DEFAULT_CHAPTER)
    return ([*CHAPTERS.values(), DEFAULT_CHAPTER].index(chapter), chapter)


def _mapped_runs(page: Page, outcomes: Iterable[ClaimOutcome]) -> list[Run]:
    """Return the latest run of each experiment, and those that claims were checked against."""
    sources = page.sources
    observed = {run for outcome in outcomes for run in outcome.runs}
    wanted = {*sources.latest, *observed}
    return [run for run in sources.sound if run in wanted]


def _add_parent_edges(
    page: Page, mapped: Iterable[Run], runs: Column, edges: dict[tuple[str, str], str]
) -> None:
    """Draw who taught whom, and whose weights were taken."""
    for run in mapped:
        for parent in run.record.parents:
            if parent.run in runs.cards:
                edges[parent.run, run.id] = str(page.words.name("setup", parent.role))


def _note(page: Page, identity: str, text: str) -> dict[str, Any]:
    """Return a card that shows a note; its name where the student deleted it."""
    path = page.links.places.get(identity)
    return {"type": "file", "file": path} if path else {"type": "text", "text": str(escape(text))}


def _claim(page: Page, outcome: ClaimOutcome) -> dict[str, Any]:
    title = escape(outcome.milestone.titled(page.words.language))
    text = f"{title}\n\n{page.words.say(f'state.{outcome.state}')}"
    color = COLORS.get(outcome.state)
    return {"type": "text", "text": text, **({"color": color} if color else {})}


def _write(page: Page, columns: Sequence[Column], edges: dict[tuple[str, str], str]) -> bytes:
    """Lay out the columns, each spread over the height of the longest."""
    tallest = max(sum(map(_height, column.cards.values())) for column in columns)
    groups: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for place, column in enumerate(columns):
        groups.append(
            {
                "id": node_id(f"column {column.name}"),
                "type": "group",
                "x": place * STEP - MARGIN,
                "y": -MARGIN,
                "width": WIDTH + 2 * MARGIN,
                "height": tallest + 2 * MARGIN,
                "label": str(page.words.say(f"canvas.{column.name}")),
            }
        )
        nodes += _laid_out(column, place * STEP, tallest)
    lines = [_edge(*ends, label) for ends, label in edges.items()]
    return _json({"nodes": [*groups, *nodes], "edges": lines}).encode()


def _laid_out(column: Column, x: int, tallest: int) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a column from top to bottom."""
    spare = tallest - sum(map(_height, column.cards.values()))
    y = 0
    for place, (identity, card) in enumerate(column.cards.items()):
        shift = spare * (2 * place + 1) // (2 * len(column.cards))
        height = _height(card)
        frame = {"x": x, "y": y + shift, "width": WIDTH, "height": height - GAP}
        yield {"id": node_id(identity), **frame, **card}
        y += height


def _height(card: Mapping[str, Any]) -> int:
    """Return how much of a column a card takes, the gap below it included."""
    if card["type"] == "file":
        return 100 + GAP
    lines = (-(-max(len(line), 1) // LETTERS) for line in card["text"].split("\n"))
    return 40 + 24 * sum(lines) + GAP


def _edge(start: str, end: str, label: str) -> dict[str, Any]:
    inside = bool(label)  # from run to run, in one column
    edge = {
        "id": node_id(f"{start} -> {end}"),
        "fromNode": node_id(start),
        "fromSide": "bottom" if inside else "right",
        "toNode": node_id(end),
        "toSide": "top" if inside else "left",
    }
    return edge | ({"label": label} if label else {})


def node_id(identity: str) -> str:
    """Return the id of what IDENTITY names, always the same."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _json(canvas: dict[str, list[dict[str, Any]]]) -> str:
    """Write the canvas as Obsidian does: one node or edge a line, indented by tabs."""
    parts = []
    for name, items in canvas.items():
        lines = [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items]
        inner = ",\n".join(f"\t\t{line}" for line in lines)
        parts.append(f'\t"{name}":[\n{inner}\n\t]' if inner else f'\t"{name}":[]')
    return "{\n" + ",\n".join(parts) + "\n}"
