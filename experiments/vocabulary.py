"""The names a claim may use: of metrics and of what selects a run; a mistyped one is told."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from experiments.metrics import KINDS
from experiments.milestones import packaged_milestones
from experiments.predicates import parse, references
from featherface.errors import ThesisError, UsageError, unknown
from featherface.export.formats import FORMATS

if TYPE_CHECKING:
    from experiments.predicates import Claim, Reference
    from experiments.store import Store

WHICH = re.compile(r"\d+|best|last")
ALIKE = 0.75
"""How near a name must be to a known one to be taken for a slip of the pen."""
CORRECT = "correct the predicate; see: thesis milestone list"


def check_names(store: Store, claim: Claim, where: str) -> None:
    """Refuse a CLAIM that names a metric that there is not, or mistypes what selects a run.

    An experiment that nothing is known of and that resembles none is one to come.

    Raises:
        UsageError: it starts with WHERE and names the nearest.
    """
    for reference in references(claim):
        _check_metric(store, reference.metric, where)
        _check_selector(store, reference, where)


def _check_metric(store: Store, name: str, where: str) -> None:
    known = {*KINDS, *(f"export.{one}.parity" for one in FORMATS)}
    if name in known:
        return
    for cited in store.workspace.cited.values():
        known |= {metric.name for metric in cited.metrics}
    if name not in known and name not in (known | _measured(store)):
        raise UsageError(f"{where}: {unknown('metric', name, known)}", CORRECT)


def _measured(store: Store) -> set[str]:
    """Return every metric that a run here has measured: plugins have names of their own."""
    names: set[str] = set()
    for run in store.runs():
        try:
            names |= {metric.name for metric in run.metrics}
        except ThesisError:
            continue
    return names


def _check_selector(store: Store, reference: Reference, where: str) -> None:
    name, at, which = reference.selector.partition("@")
    if at and not (WHICH.fullmatch(which) and (name or not which.isdigit())):
        choices = [f"{name}@best", f"{name}@last", *([f"{name}@1"] if name else [])]
        text = unknown("selector", reference.selector, choices)
        raise UsageError(f"{where}: {text}", CORRECT)
    known = _subjects(store)
    near = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
    if name and name not in known and near:
        text = unknown("experiment", name, near)
        hint = f"correct the predicate, or write experiments/{name}.yaml"
        raise UsageError(f"{where}: {text}", hint)


def _subjects(store: Store) -> set[str]:
    """Return every experiment, label and cited result that a claim may speak of."""
    from experiments.resolving import recipes  # noqa: PLC0415 - all configurations

    planned = (parse(one.predicate) for one in packaged_milestones().values())
    return {
        *(one.replace("/", "-") for one in recipes(store.workspace)),
        *store.experiments(),
        *store.labels(),
        *store.workspace.cited,
        *(one.selector.partition("@")[0] for claim in planned for one in references(claim)),
    }
