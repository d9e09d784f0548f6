"""The rendering context of one block, and runs grouped by the data they were measured on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.metrics import OVERLAP
from vault_sync.rendering.labels import (
    FIGURE,
    TABLE,
    captioned_picture,
    captioned_table,
    new_label,
)
from vault_sync.rendering.markdown import Safe, table
from vault_sync.rendering.sources import run_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from functools import partial

    from experiments.metrics import Metric
    from experiments.records.run import Run
    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.state import State
    from vault_sync.rendering.figures import Figures
    from vault_sync.rendering.links import Links
    from vault_sync.rendering.sources import Sources
    from vault_sync.rendering.words import Words

MODEL_METRICS = (
    "params.total",
    "params.paper_counted",
    "macs.640",
    "latency.cpu.median_ms",
    "size.fp32_mb",
    "memory.peak_mb",
)


USUAL = "original"
"""The protocol that ids leave out."""


@dataclass(frozen=True)
class Page:
    """Rendering context of one block: its data, its marker, and the links of the note around it."""

    sources: Sources
    links: Links
    figures: Figures
    block_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    """Printed after the sync; reports append to them."""
    snapshot: Snapshot | None = None
    """The notes of the vault; None where a block is rendered outside of one."""
    state: State | None = None
    """The state that the last sync stored."""
    scope: str = ""
    """Which data the part speaks of that is being written, for the ids of its tables."""
    data: Safe = Safe("")  # noqa: RUF009 - an immutable string
    """The same in a few words, for captions."""
    labels: set[str] = field(default_factory=set)
    """The ids that tables and figures of the block have been given, whichever part."""

    @property
    def words(self) -> Words:
        """The words of the workspace's language."""
        return self.sources.words

    @property
    def selectors(self) -> list[str]:
        """Which runs the block is about: `runs=` in its marker, or the end of its id."""
        named = self.attributes.get("runs", "")
        return [selector for selector in named.split(",") if selector]

    @property
    def experiment(self) -> str:
        """Which experiment it is about: `experiment=` or `runs=` in its marker, or its id's end."""
        if named := self.attributes.get("experiment"):
            return named
        if self.selectors:
            return self.sources.select(self.selectors[:1])[0].experiment
        return self.block_id.partition(".")[2]

    def run(self, run: Run) -> Safe:
        """Link to the note of a run, in a table cell; beside it who made its predictions."""
        return Safe(self.links.cell(run_identity(run), run.id) + self._maker(run))

    def run_in_prose(self, run: Run) -> Safe:
        """Link to the note of a run, in prose; beside it who made its predictions."""
        return Safe(self.links.to(run_identity(run), run.id) + self._maker(run))

    def _maker(self, run: Run) -> str:
        if run.id in self.sources.unreadable or run.id in self.sources.damage or not run.maker:
            return ""
        return f" ({self.words.say('evidence.imported', maker=run.maker)})"

    def named_run(self, run_id: str) -> Safe:
        """Link to the note of a run known by its id only, in a table cell."""
        return self.links.cell(f"run/{run_id}", run_id)

    def within(self, members: Group) -> Page:
        """Return the page for a part about MEMBERS alone, whose captions and ids say so."""
        return self.about(members.scope, members.short)

    def about(self, scope: str, data: Safe = Safe("")) -> Page:  # noqa: B008 - an immutable string
        """Return the page for the part SCOPE of the block, which speaks of DATA."""
        return replace(self, scope=scope, data=data)

    def table(
        self,
        name: str,
        headers: Sequence[object],
        rows: Iterable[Sequence[object]],
        numeric: Sequence[int] = (),
        **values: object,
    ) -> Safe:
        """Lay out a table with its caption above and its id below; columns NUMERIC flushed right.

        Args:
            name: what it shows: its caption is the phrase `caption.NAME`, and its id ends in it.
            headers: of its columns.
            rows: their cells.
            numeric: places of the columns of numbers.
            values: what the caption names besides `data`, the data of this part.
        """
        caption = self.words.say(f"caption.{name}", data=self.data, **values)
        return self.label_table(name, table(headers, rows, numeric), caption)

    def label_table(self, name: str, laid_out: Safe, caption: Safe) -> Safe:
        """Give a table that is LAID_OUT its CAPTION, and an id that ends in NAME."""
        label = new_label(self.labels, TABLE, self.block_id, name, self.scope)
        return captioned_table(laid_out, caption, label)

    def picture(
        self,
        name: str,
        caption: Safe,
        inputs: Sequence[str],
        draw: partial[bytes],
        shows: Sequence[str] = (),
    ) -> Safe:
        """Show a picture of this page, its caption and id below; empty where nothing is drawn.

        INPUTS hold all that it shows; DRAW is one of `vault_sync.rendering.pictures`; SHOWS says in
        words what its id ends in, which may be the same for the pictures of later runs.
        """
        path = self.figures.add(self.links.note, name, inputs, draw)
        if path is None:
            return Safe("")
        label = new_label(self.labels, FIGURE, self.block_id, *shows, self.scope)
        return captioned_picture(self.links.picture(path, caption), caption, label)

    def cell(self, metric: Metric | None) -> Safe:
        """Write a measured value, or that there is none."""
        return self.words.say("not_measured") if metric is None else self.words.value(metric)


@dataclass(frozen=True)
class Group:
    """Runs evaluated on the same data by the same protocol: only these may share a table."""

    claim: Safe
    """What data the measurements speak of."""
    runs: tuple[Run, ...]
    evaluated: bool = True
    short: Safe = Safe("")  # noqa: RUF009 - an immutable string
    """The same in a few words, for captions."""

    @cached_property
    def scope(self) -> str:
        """The same as the ids of tables have it: `widerface-val`; empty without evaluation."""
        metric = evaluation(self.runs[0])
        if metric is None:
            return ""
        parts = [metric.dataset, metric.split, "" if metric.complete else "part"]
        parts += ["" if metric.conditions.protocol == USUAL else metric.conditions.protocol]
        return "-".join(filter(None, [*parts, "seen" if OVERLAP in metric.marks else ""]))


def evaluation(run: Run) -> Metric | None:
    """Return a metric that tells what data a run was evaluated on; None without evaluation."""
    primary = run.primary
    if primary is not None and primary.dataset:
        return primary
    return next((metric for metric in run.metrics if metric.dataset), None)


def measured_on(run: Run) -> tuple[object, ...] | None:
    """Return what must agree for two runs to share a table; None without evaluation."""
    metric = evaluation(run)
    if metric is None:
        return None
    return (*metric.context, metric.n, metric.fingerprint, OVERLAP in metric.marks)


def group(runs: Iterable[Run], words: Words) -> list[Group]:
    """Part RUNS by data set and its version, split, protocol, completeness, and what they saw.

    Those evaluated on the pictures that they were trained on share no table with others.
    """
    parted: dict[object, list[tuple[Run, Metric | None]]] = {}
    for run in runs:
        parted.setdefault(measured_on(run), []).append((run, evaluation(run)))
    groups = []
    for members in parted.values():
        metric = members[0][1]
        claim = words.say("claim.none") if metric is None else words.claim(metric)
        short = words.say("short.none") if metric is None else words.short(metric)
        chosen = tuple(run for run, _ in members)
        groups.append(Group(claim, chosen, metric is not None, short))
    return groups
