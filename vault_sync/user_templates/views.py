"""Read-only template views of runs and their metrics.

Every property is documented in docs/templates.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.page import evaluation
from vault_sync.rendering.private_text import public

if TYPE_CHECKING:
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from vault_sync.rendering.markdown import Safe
    from vault_sync.rendering.page import Page


class TemplateView:
    """Base of the objects that a template may print and whose public properties it may read."""

    @property
    def shown(self) -> Safe:
        """What printing it gives."""
        raise NotImplementedError


class RunView(TemplateView):
    """A finished run."""

    def __init__(self, page: Page, run: Run) -> None:
        self._page = page
        self._run = run

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunView) and other._run == self._run

    def __hash__(self) -> int:
        return hash(self._run)

    @property
    def shown(self) -> Safe:
        """A link to the run's note."""
        return self._page.run_in_prose(self._run)

    @property
    def id(self) -> str:
        """Such as `v2@1`."""
        return self._run.id

    @property
    def experiment(self) -> str:
        """Such as `v2`."""
        return self._run.experiment

    @property
    def version(self) -> int:
        """Counts from 1."""
        return self._run.version

    @property
    def title(self) -> str:
        """The recipe's title."""
        return self._run.record.title

    @property
    def variant(self) -> str:
        """The network's name."""
        return self._run.variant

    @property
    def hypothesis(self) -> str:
        """The student's latest wording, else the recipe's."""
        return public(self._run.hypothesis)

    @property
    def verdict(self) -> str:
        """What the student concludes; empty while open."""
        return self._run.annotations.verdict or ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names the student gave the run."""
        return self._run.labels

    @property
    def date(self) -> Safe:
        """The day it was begun, as the language writes it."""
        return self._page.words.date(self._run.record.created)

    @property
    def day(self) -> str:
        """The same, as 2026-11-21: it sorts."""
        return self._run.record.created[:10]

    @property
    def seed(self) -> int:
        """Of its random numbers."""
        return self._run.record.seed

    @property
    def dataset(self) -> str:
        """What it was evaluated on: `widerface`, `synthetic`, …; empty without evaluation."""
        return self._run.dataset

    @property
    def claim(self) -> Safe:
        """A sentence that says what data its measurements speak of."""
        measured = evaluation(self._run)
        words = self._page.words
        return words.say("claim.none") if measured is None else words.claim(measured)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what it measured."""
        return tuple(metric.name for metric in self._run.metrics)


class MetricView(TemplateView):
    """One number, with what it speaks of."""

    def __init__(self, page: Page, metric: Metric) -> None:
        self._page = page
        self._metric = metric

    @property
    def shown(self) -> Safe:
        """The value with its unit, as the language writes it."""
        return self._page.words.value(self._metric)

    @property
    def value(self) -> float:
        """The value in full precision; AP as a fraction."""
        return self._metric.value

    @property
    def name(self) -> str:
        """Such as `widerface.hard.ap`."""
        return self._metric.name

    @property
    def title(self) -> Safe:
        """What tables call it."""
        return self._page.words.title(self._metric)

    @property
    def unit(self) -> str:
        """`fraction`, `parameters`, `MACs`, `ms`, `MB`, or empty."""
        return self._metric.unit

    @property
    def evidence(self) -> str:
        """`measured`, `cited` or `target`."""
        return self._metric.evidence

    @property
    def images(self) -> int:
        """How many images are behind it."""
        return self._metric.n

    @property
    def complete(self) -> bool:
        """Whether the whole split was used."""
        return self._metric.complete

    @property
    def conditions(self) -> Safe:
        """On what data, or in what setting, it was measured."""
        return self._page.words.conditions(self._metric)
