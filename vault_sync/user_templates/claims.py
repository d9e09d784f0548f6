"""Template views of cited results, claims and the thesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe, escape
from vault_sync.user_templates.views import TemplateView

if TYPE_CHECKING:
    from experiments.claims.checking import ClaimOutcome
    from experiments.workspace.milestones import CitedResult
    from vault_sync.rendering.page import Page


class CitedView(TemplateView):
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


class MilestoneView(TemplateView):
    """A claim of the thesis, as it stands."""

    def __init__(self, page: Page, outcome: ClaimOutcome) -> None:
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


class ThesisView(TemplateView):
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
