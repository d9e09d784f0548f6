"""What a template of the student's own may look at: runs, values, claims; nothing can be changed.

Every property is documented in docs/templates.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.context import evaluation
from vault_sync.rendering import Safe, escape

if TYPE_CHECKING:
    from experiments.checking import Outcome
    from experiments.metrics import Metric
    from experiments.milestones import CitedResult
    from experiments.store import Run
    from vault_sync.context import Page


class View:
    """Something that a template may print and whose public properties it may read."""

    @property
    def shown(self) -> Safe:
        """What printing it gives."""
        raise NotImplementedError


class RunView(View):
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
        return self._run.hypothesis

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


class MetricView(View):
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


class CitedView(View):
    """A published result, or one that is aimed at."""

    def __init__(self, page: Page, result: CitedResult) -> None:
        self._page = page
        self._result = result

    @property
    def shown(self) -> Safe:
        """Its title."""
        return escape(self.title)

    @property
    def name(self) -> str:
        """Its name in thesis.toml; `value("cited:NAME", METRIC)` writes a number of it."""
        return self._result.name

    @property
    def title(self) -> str:
        """In the thesis's language."""
        return self._result.titled(self._page.words.language)

    @property
    def evidence(self) -> str:
        """`cited` or `target`."""
        return self._result.evidence

    @property
    def source(self) -> Safe:
        """Where it was published."""
        return self._page.words.sentence(self._result.source)

    @property
    def key(self) -> str:
        """The citation key of its source; empty where there is none."""
        return self._result.key

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of its numbers."""
        return tuple(metric.name for metric in self._result.metrics)


class MilestoneView(View):
    """A claim of the thesis, as it stands."""

    def __init__(self, page: Page, outcome: Outcome) -> None:
        self._page = page
        self._outcome = outcome

    @property
    def shown(self) -> Safe:
        """Its title."""
        return escape(self.title)

    @property
    def name(self) -> str:
        """Its name in thesis.toml."""
        return self._outcome.milestone.name

    @property
    def title(self) -> str:
        """In the thesis's language."""
        return self._outcome.milestone.titled(self._page.words.language)

    @property
    def predicate(self) -> str:
        """What is claimed."""
        return self._outcome.milestone.predicate

    @property
    def group(self) -> str:
        """Of which group of claims it is."""
        return self._outcome.milestone.group

    @property
    def state(self) -> str:
        """`pass`, `fail`, `stale` or `not_measurable`."""
        return self._outcome.state

    @property
    def words(self) -> Safe:
        """The state in words."""
        return self._page.words.say(f"state.{self._outcome.state}")

    @property
    def reason(self) -> Safe:
        """Why; empty for a plain pass."""
        return self._page.words.sentence(self._outcome.reason(self._page.words.language))


class ThesisView(View):
    """The thesis itself."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def shown(self) -> Safe:
        """Its title."""
        return escape(self.title)

    @property
    def title(self) -> str:
        """As thesis.toml says."""
        return str(self._page.sources.workspace.settings["title"])

    @property
    def author(self) -> str:
        """Who writes it."""
        return str(self._page.sources.workspace.settings["author"])

    @property
    def language(self) -> str:
        """`fr` or `en`."""
        return self._page.words.language
