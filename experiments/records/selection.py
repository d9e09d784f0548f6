"""Which run a selector means: the latest of those that measured most widely.

One rule for milestones, chapters, numbers in prose, comparisons and everything else that takes a
selector:

- `v2@3`, `@last`, `v2@last` and a label mean exactly that run.
- `v2` means the finished run whose evaluation has the widest `Scope`, the latest of equals. A run
  that measured less (a part of the images, a synthetic set beside a real one, nothing), on a
  disturbed machine, with another program's predictions, or under one of `TAGS`, never replaces it.
  What is later and was passed over so is told, each with its reason.
- `v2@best` means the best by its primary metric of the runs that share the widest scope and are
  comparable; how many they were is told, as the choice was made on the numbers that it reports.

`v2` so stands for one training, and no table mixes two of them. `experiments.claims.candidate_runs`
says where a metric is read that this run has not measured itself.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from experiments.metrics import DISTURBED, OVERLAP, SYNTHETIC
from experiments.wording.phrases import Sentence
from featherface.errors import DataError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.metrics import Metric
    from experiments.records.run import Run

TAGS = ("smoke", "demo")
"""Tags of runs that show that something works; no chapter or claim speaks of them by itself."""


@dataclass(frozen=True, order=True)
class Scope:
    """How much a run's measurement of a metric says; the greater is the wider.

    The order of the fields is their weight.
    """

    serious: bool
    """Whether the run has none of TAGS."""
    own: bool
    """Whether this record's network made the number; False where it was imported."""
    measured: bool
    real: bool
    """Whether it was taken on other than drawn pictures."""
    undisturbed: bool
    held_out: bool
    """Whether it was taken on pictures that the network was not trained on."""
    images: int
    complete: bool


@dataclass(frozen=True)
class SelectionNote(Sentence):
    """What must be said of a choice: a later run passed over and why, or out of how many."""

    TABLE = "selection"


@dataclass(frozen=True)
class Selection:
    """The run that a selector means, and what must be said of the choice."""

    selector: str
    run: Run
    passed_over: tuple[SelectionNote, ...] = ()
    """Later finished runs that measured less."""
    chosen_from: int = 0
    """Out of how many runs `@best` was chosen; 0 where nothing was compared."""

    @property
    def notes(self) -> tuple[SelectionNote, ...]:
        """Whatever a reader of the run's numbers must know of the choice."""
        if self.chosen_from < 2:
            return self.passed_over
        values = {"selector": self.selector, "run": self.run.id, "n": self.chosen_from}
        return (SelectionNote("best", values), *self.passed_over)


def latest(selector: str, runs: Sequence[Run]) -> Selection:
    """Return the run that the bare SELECTOR means among RUNS, the later ones last.

    Raises:
        NotFoundError: none of them is finished.
    """
    sealed = _sealed(selector, runs)
    scopes = {run: _scope_or_none(run) for run in sealed}
    if scopes[sealed[-1]] is None:  # whoever uses it refuses it by name; an older one is no answer
        return Selection(selector, sealed[-1])
    widest = max(known for known in scopes.values() if known is not None)
    chosen = next(run for run in reversed(sealed) if scopes[run] == widest)
    return Selection(selector, chosen, _passed_over(chosen, sealed))


def best(selector: str, runs: Sequence[Run]) -> Selection:
    """Return the best of RUNS by its primary metric, and out of how many it was chosen.

    Only values of the widest scope that were taken alike are compared; of several kinds of such
    values the latest counts. Where no run has measured its primary metric, this is `latest`.

    Raises:
        NotFoundError: none of them is finished.
    """
    sealed = _sealed(selector, runs)
    scored = [(metric, run) for run in sealed if (metric := _primary(run)) is not None]
    if not scored:
        return latest(selector, runs)
    scopes = {run: scope(run) for _, run in scored}
    widest = max(scopes.values())
    newest = max(
        (pair for pair in scored if scopes[pair[1]] == widest), key=lambda pair: started(pair[1])
    )
    alike = [
        pair for pair in scored if scopes[pair[1]] == widest and _kind(pair[0]) == _kind(newest[0])
    ]
    sign = 1 if newest[0].kind.higher_is_better else -1
    chosen = max(alike, key=lambda pair: (sign * pair[0].value, started(pair[1])))[1]
    return Selection(selector, chosen, chosen_from=len(alike))


def scope(run: Run, name: str = "") -> Scope:
    """Return how widely RUN measured the metric NAME; without one, what its evaluation is of.

    Raises:
        DataError: its record can't be read.
    """
    metric = run.metric(name) if name else evaluated(run)
    on_data = metric is not None and bool(metric.dataset)
    return Scope(
        serious=not trial_tag(run),
        own=metric is None or metric.evidence == "measured",
        measured=metric is not None,
        real=metric is not None and metric.dataset != SYNTHETIC,
        undisturbed=metric is None or DISTURBED not in metric.marks,
        held_out=metric is None or (metric.split != "train" and OVERLAP not in metric.marks),
        images=metric.n if metric is not None and on_data else 0,
        complete=metric is None or metric.complete,
    )


def started(run: Run) -> tuple[str, str, int]:
    """Return what puts runs in the order in which they began; one that can't be read is first."""
    try:
        return (run.record.created, run.experiment, run.version)
    except DataError:
        return ("", run.experiment, run.version)


def trial_tag(run: Run) -> str:
    """Return the one of TAGS that RUN has; empty without any, or where its record is damaged."""
    try:
        return next((tag for tag in TAGS if tag in run.tags), "")
    except DataError:
        return ""


def evaluated(run: Run) -> Metric | None:
    """Return the metric that tells what RUN was evaluated on: its primary one, else any on data."""
    primary = run.primary
    if primary is not None:
        return primary
    return next((metric for metric in run.metrics if metric.dataset), None)


def refuse_tagged(selection: Selection, names: Sequence[str]) -> None:
    """Refuse a choice by a bare selector that can only mean runs under TAGS.

    Args:
        selection: what the selector means.
        names: the experiments that have runs, to tell their bare names from labels.

    Raises:
        RefusedError: naming the run to write instead.
    """
    run, name = selection.run, selection.selector.removesuffix("@best")
    tag = trial_tag(run)
    if tag and name in names and name == run.experiment:
        raise RefusedError(
            f"every finished run of {name} is tagged {tag}: it shows that the program works and"
            " counts as no result",
            f"to speak of it all the same, name the version: {run.id}",
        )


def _sealed(selector: str, runs: Sequence[Run]) -> list[Run]:
    sealed = [run for run in runs if run.sealed]
    if not sealed:
        raise NotFoundError(f"{selector}: no run is finished", "thesis runs list")
    return sealed


def _primary(run: Run) -> Metric | None:
    """Return the primary metric of RUN; None where its record is too damaged to tell."""
    try:
        return run.primary
    except DataError:
        return None


def _scope_or_none(run: Run) -> Scope | None:
    try:
        return scope(run)
    except DataError:
        return None


def _kind(metric: Metric) -> tuple[object, ...]:
    return (metric.name, metric.context)


def _passed_over(chosen: Run, sealed: Sequence[Run]) -> tuple[SelectionNote, ...]:
    """Say of each run after CHOSEN why it is not the one."""
    return tuple(_reason(chosen, run) for run in sealed[sealed.index(chosen) + 1 :])


def _reason(chosen: Run, run: Run) -> SelectionNote:
    """Name the first respect in which RUN measured less than CHOSEN."""
    values: dict[str, object] = {"run": run.id, "chosen": chosen.id}
    narrower = _scope_or_none(run)
    if narrower is None:
        return SelectionNote("damaged", values)
    metric, other = evaluated(run), evaluated(chosen)
    values["tag"] = trial_tag(run)
    if metric is not None:
        values |= {"n": metric.n, "maker": metric.maker, "dataset": metric.dataset}
        values |= {"split": metric.split, "whole": other.n if other else metric.n}
    wider = astuple(scope(chosen))
    pairs = zip(REASONS, wider, astuple(narrower), strict=True)
    code = next(code for code, more, less in pairs if more > less)
    return SelectionNote(code, values)


REASONS = (
    *("tagged", "imported", "unmeasured", "synthetic"),
    *("disturbed", "trained_on", "images", "partial"),
)
"""Reason for being passed over, for each field of `Scope`."""
