"""The functions and values that a user template may use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from experiments.claims.candidate_runs import find_measured
from experiments.metrics import KINDS, Metric
from experiments.records.bibliography import missing, read_references
from featherface.errors import NotFoundError, RefusedError, UsageError, unknown
from vault_sync.rendering import markdown, sources
from vault_sync.rendering.markdown import Safe
from vault_sync.user_templates.claims import CitedView, MilestoneView, ThesisView
from vault_sync.user_templates.views import MetricView, RunView, TemplateView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult
    from vault_sync.rendering.page import Page

CITED = "cited:"
"""Before the name of a published or planned result, where a run could stand."""


class TemplateFunctions:
    """The functions and values of one block's template; records the runs whose numbers it used."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.drawn: dict[Run, None] = {}
        self.quoted: dict[str, None] = {}
        """Evidence of the results that no run here measured: `cited`, `target`."""

    @property
    def table(self) -> dict[str, Callable[..., Any]]:
        """Name in a template -> function."""
        names = ("run", "metric", "value", "difference", "number", "date", "link", "cite")
        return {**{name: getattr(self, f"_{name}") for name in names}, "table": self._lay_out}

    @cached_property
    def values(self) -> dict[str, Any]:
        """Name in a template -> value."""
        page, sources = self.page, self.page.sources
        latest = [run for run in sources.latest if run in sources.sound]
        return {
            "thesis": ThesisView(page),
            "runs": tuple(RunView(page, run) for run in sources.sound if run in sources.counting),
            "latest": tuple(RunView(page, run) for run in latest),
            "selected": _LazySequence(lambda: tuple(self._selected())),
            "cited": tuple(CitedView(page, result) for result in sources.workspace.cited.values()),
            "milestones": _LazySequence(lambda: tuple(self._milestones())),
        }

    def _run(self, selector: str) -> RunView:
        return RunView(self.page, self._find(selector))

    def _metric(self, of: RunView | CitedView | str, name: str) -> MetricView | None:
        metric = self._measured(of, name)
        return None if metric is None else MetricView(self.page, metric)

    def _value(self, of: RunView | CitedView | str, name: str, spec: str = "") -> Safe:
        metric = self._measured(of, name)
        if metric is None:
            return self.page.words.say("not_measured")
        words = self.page.words
        return (
            Safe(f"{words.number(metric.value, spec)}{words.marks(metric.marks)}")
            if spec
            else words.value(metric)
        )

    def _difference(
        self, one: RunView | CitedView | str, other: RunView | CitedView | str, name: str
    ) -> Safe:
        """Write ONE minus OTHER; values not taken alike are never subtracted."""
        values = [self._measured(of, name) for of in (one, other)]
        first, second = values
        if first is None or second is None:
            return self.page.words.say("not_measured")
        if first.context != second.context:
            raise UsageError(
                f"{name} was measured on different data, on different devices or by different"
                " protocols: no difference"
            )
        return self.page.words.change(first.value - second.value, name, first.unit)

    def _number(self, number: float, spec: str = ".2f") -> Safe:
        return self.page.words.number(float(number), spec)

    def _date(self, moment: str) -> Safe:
        return self.page.words.date(str(moment))

    def _link(self, target: RunView | str, text: str = "") -> Safe:
        """Link to a run's note, or to a chapter by its name in thesis.toml."""
        links, chapters = self.page.links, self.page.sources.workspace.chapters
        if isinstance(target, str) and target in chapters:
            return links.to(f"chapter/{target}", text or chapters[target].rsplit("/", 1)[-1])
        run = self._find(target)
        return links.to(sources.run_identity(run), text or run.id)

    def _cite(self, *keys: str) -> Safe:
        """Cite works by their keys in the bibliography."""
        references = read_references(self.page.sources.workspace)
        for key in missing(map(str, keys), references):
            raise NotFoundError(unknown("citation key", key, references))
        return Safe(f"[{'; '.join(f'@{key}' for key in keys)}]")

    def _lay_out(
        self,
        headers: Sequence[Any],
        rows: Sequence[Sequence[Any]],
        numeric: Sequence[int] = (),
        caption: str = "",
        name: str = "",
    ) -> Safe:
        """Lay out a table; columns NUMERIC, counted from 0, are flushed right.

        With a CAPTION it gets an id as well, which ends in NAME and by which prose refers to it.
        """
        lines = [[self._cell(cell) for cell in row] for row in rows]
        if any(len(line) != len(headers) for line in lines):
            raise UsageError(f"each row of a table needs {len(headers)} cells")
        made = markdown.table([self._cell(header) for header in headers], lines, numeric)
        return self.page.label_table(name, made, markdown.escape(caption)) if caption else made

    def _cell(self, cell: Any) -> object:
        if isinstance(cell, RunView):
            return self.page.run(cell._run)  # noqa: SLF001 - the view is ours
        return cell.shown if isinstance(cell, TemplateView) else cell

    def _selected(self) -> list[RunView]:
        """Return the runs that the block's marker names with `runs=`, else the latest ones."""
        return [RunView(self.page, run) for run in self.page.sources.select(self.page.selectors)]

    def _milestones(self) -> list[MilestoneView]:
        return [MilestoneView(self.page, outcome) for outcome in self.page.sources.outcomes]

    def _find(self, of: RunView | str) -> Run:
        if isinstance(of, RunView):
            return of._run  # noqa: SLF001 - the view is ours
        (run,) = self.page.sources.select([str(of)])
        return run

    def _measured(self, of: RunView | CitedView | str, name: str) -> Metric | None:
        """Return a metric of a run or of a published result, and remember whose it is."""
        if isinstance(of, CitedView) or (isinstance(of, str) and of.startswith(CITED)):
            result = self._result(of)
            self.quoted[result.evidence] = None
            return result.metric(name)
        run = self._find(of)
        if isinstance(of, str):
            run = find_measured(self.page.sources.store, of, name)
            self.page.sources.check([run])
        metric = run.metric(name)
        if metric is None and name not in KINDS:
            raise UsageError(unknown("metric", name, KINDS))
        if metric is not None:
            self.drawn[run] = None
        return metric

    def _result(self, of: CitedView | str) -> CitedResult:
        if isinstance(of, CitedView):
            return of._result  # noqa: SLF001 - the view is ours
        name, results = of.removeprefix(CITED), self.page.sources.workspace.cited
        if name not in results:
            raise RefusedError(unknown("cited result", name, results))
        return results[name]


class _LazySequence:
    """A sequence that is computed when a template first uses it."""

    def __init__(self, make: Callable[[], tuple[TemplateView, ...]]) -> None:
        self._make = make

    @cached_property
    def _items(self) -> tuple[TemplateView, ...]:
        return self._make()

    def __iter__(self) -> Any:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: int) -> TemplateView:
        return self._items[place]
