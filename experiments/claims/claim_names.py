"""Names that a claim may use, of metrics and selectors, with the nearest one for a mistyped."""

from __future__ import annotations

import contextlib
import difflib
import re
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.claims.predicates import parse, references
from experiments.metrics import KINDS
from experiments.workspace.milestones import packaged_milestones
from featherface.errors import ThesisError, UsageError, unknown
from featherface.export.formats import FORMATS

if TYPE_CHECKING:
    from experiments.claims.predicates import Claim
    from experiments.records.store import Store

WHICH = re.compile(r"\d+|best|last")
ALIKE = 0.75
"""How near a name must be to a known one to be taken for a slip of the pen."""
CORRECT = "correct the predicate; see: thesis milestone list"


class Vocabulary:
    """What claims of one workspace may speak of; what is known is gathered once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def check(self, claim: Claim, where: str) -> None:
        """Refuse a CLAIM that names a metric that there is not, or mistypes what selects a run.

        An experiment that nothing is known of and that resembles none is one to come.

        Raises:
            UsageError: it starts with WHERE and names the nearest.
        """
        for reference in references(claim):
            self._check_metric(reference.metric, where)
            self._check_selector(reference.selector, where)

    def _check_metric(self, name: str, where: str) -> None:
        if name not in self.metrics and name not in self.measured:
            raise UsageError(f"{where}: {unknown('metric', name, self.metrics)}", CORRECT)

    def _check_selector(self, selector: str, where: str) -> None:
        name, at, which = selector.partition("@")
        if at and not (WHICH.fullmatch(which) and (name or not which.isdigit())):
            choices = [f"{name}@best", f"{name}@last", *([f"{name}@1"] if name else [])]
            raise UsageError(f"{where}: {unknown('selector', selector, choices)}", CORRECT)
        if not name or name in self.subjects or name in self.labels:
            return
        known = self.subjects | self.labels
        near = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
        if near:
            hint = f"correct the predicate, or write experiments/{name}.yaml"
            raise UsageError(f"{where}: {unknown('experiment', name, near)}", hint)

    @cached_property
    def metrics(self) -> set[str]:
        """The metrics that the program records, and those of cited results."""
        cited = self.store.workspace.cited.values()
        return {
            *KINDS,
            *(f"export.{name}.parity" for name in FORMATS),
            *(metric.name for one in cited for metric in one.metrics),
        }

    @cached_property
    def measured(self) -> set[str]:
        """Every metric that a run here has measured: plugins have names of their own."""
        names: set[str] = set()
        for run in self.store.runs():
            with contextlib.suppress(ThesisError):
                names |= {metric.name for metric in run.metrics}
        return names

    @cached_property
    def subjects(self) -> set[str]:
        """Every experiment and cited result there is, and the experiments planned."""
        from experiments.recipe.resolve import recipes  # noqa: PLC0415 - all configurations

        planned = (parse(one.predicate) for one in packaged_milestones().values())
        return {
            *(name.replace("/", "-") for name in recipes(self.store.workspace)),
            *self.store.experiments(),
            *self.store.workspace.cited,
            *(one.selector.partition("@")[0] for claim in planned for one in references(claim)),
        }

    @cached_property
    def labels(self) -> set[str]:
        """The student's names of runs; each run's annotations are read for them."""
        return set(self.store.labels())
