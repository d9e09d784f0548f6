"""Names of metrics and runs that a claim may use; a mistyped one is refused with the nearest."""

from __future__ import annotations

import contextlib
import difflib
import re
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.claims.predicates import metric_terms, parse
from experiments.metrics import KINDS, RATIO
from experiments.workspace.milestones import packaged_milestones
from featherface.errors import ThesisError, UsageError, unknown

if TYPE_CHECKING:
    from experiments.claims.predicates import Claim
    from experiments.records.store import Store

VERSION = re.compile(r"\d+|best|last")
CUTOFF = 0.75
"""Similarity (0 to 1, of `difflib`) from which an unknown name is taken for a mistyped one."""
CORRECT = "correct the predicate; see: thesis milestone list"


class Vocabulary:
    """Names that claims of one workspace may use; the workspace is read for them once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def check(self, claim: Claim, where: str) -> None:
        """Refuse a CLAIM with an unknown metric, or a selector like a known one but mistyped.

        An unknown experiment that resembles none is taken for one that is still to come.

        Raises:
            UsageError: it starts with WHERE and names the nearest.
        """
        for term in metric_terms(claim):
            self._check_metric(term.metric, where)
            self._check_selector(term.selector, where)

    def _check_metric(self, name: str, where: str) -> None:
        known = name in self.metrics or RATIO.fullmatch(name) is not None
        if not known and name not in self.measured:
            raise UsageError(f"{where}: {unknown('metric', name, self.metrics)}", CORRECT)

    def _check_selector(self, selector: str, where: str) -> None:
        name, separator, version = selector.partition("@")
        if separator and not (VERSION.fullmatch(version) and (name or not version.isdigit())):
            choices = [f"{name}@best", f"{name}@last", *([f"{name}@1"] if name else [])]
            raise UsageError(f"{where}: {unknown('selector', selector, choices)}", CORRECT)
        if not name or name in self.subjects or name in self.labels:
            return
        known = self.subjects | self.labels
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=CUTOFF)
        if nearest:
            hint = f"correct the predicate, or write experiments/{name}.yaml"
            raise UsageError(f"{where}: {unknown('experiment', name, nearest)}", hint)

    @cached_property
    def metrics(self) -> set[str]:
        """Metrics that the program records, and those of cited results."""
        cited = self.store.workspace.cited.values()
        return {
            *KINDS,
            *(metric.name for result in cited for metric in result.metrics),
        }

    @cached_property
    def measured(self) -> set[str]:
        """Metrics that a run here has measured, which may be a plugin's own."""
        names: set[str] = set()
        for run in self.store.runs():
            with contextlib.suppress(ThesisError):
                names |= {metric.name for metric in run.metrics}
        return names

    @cached_property
    def subjects(self) -> set[str]:
        """Names of recipes, experiments, cited results, and experiments of packaged milestones."""
        from experiments.recipe.resolve import recipes  # noqa: PLC0415 - all configurations

        planned = (parse(milestone.predicate) for milestone in packaged_milestones().values())
        return {
            *(name.replace("/", "-") for name in recipes(self.store.workspace)),
            *self.store.experiments(),
            *self.store.workspace.cited,
            *(term.selector.partition("@")[0] for claim in planned for term in metric_terms(claim)),
        }

    @cached_property
    def labels(self) -> set[str]:
        """The student's labels of runs, read from each run's annotations."""
        return set(self.store.labels())
