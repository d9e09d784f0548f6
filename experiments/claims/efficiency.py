"""Efficiency: accuracy per parameter and per operation, and the requirements of mobile use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.claims.checking import parse_milestone
from experiments.claims.predicates import Arithmetic, Combination, MetricTerm, Negation, Relation

if TYPE_CHECKING:
    from experiments.claims.predicates import Claim, Term
    from experiments.records.run import Run
    from experiments.workspace.milestones import Milestone

READINESS = "mobile-ready"
"""Name of the milestone with the requirements of a phone."""
PARAMETERS, OPERATIONS = 1e5, 1e9
"""Units of cost: parameters, and multiply-accumulates (MACs), that points of AP are divided by."""


@dataclass(frozen=True)
class Efficiency:
    """Points of mean AP (0 to 100) per unit of cost; None where the cost was not measured."""

    per_parameters: float | None
    """Per 100,000 parameters."""
    per_operations: float | None
    """Per 10⁹ multiply-accumulates at 640²."""


def efficiency(run: Run) -> Efficiency | None:
    """Return the efficiency of RUN; None without any cost, or without accuracy that may count."""
    mean_ap, parameters = run.metric("widerface.mean_ap"), run.metric("params.total")
    macs = run.metric("macs.640")
    if mean_ap is None or mean_ap.marks or (parameters is None and macs is None):
        return None
    points = 100 * mean_ap.value
    return Efficiency(
        points * PARAMETERS / parameters.value if parameters and parameters.value else None,
        points * OPERATIONS / macs.value if macs and macs.value else None,
    )


def requirements(milestone: Milestone, run: Run) -> list[Milestone]:
    """Return one milestone per claim that MILESTONE joins by `and`, each made about RUN.

    Raises:
        UsageError: its predicate can't be parsed.
    """
    claim = _claim_about(parse_milestone(milestone), run.id)
    joined = isinstance(claim, Combination) and claim.word == "and"
    parts = claim.parts if isinstance(claim, Combination) and joined else (claim,)
    return [replace(milestone, predicate=str(part)) for part in parts]


def _claim_about(claim: Claim, run: str) -> Claim:
    if isinstance(claim, Relation):
        return replace(
            claim, left=_term_about(claim.left, run), right=_term_about(claim.right, run)
        )
    if isinstance(claim, Negation):
        return replace(claim, part=_claim_about(claim.part, run))
    return replace(claim, parts=tuple(_claim_about(part, run) for part in claim.parts))


def _term_about(term: Term, run: str) -> Term:
    if isinstance(term, MetricTerm):
        return replace(term, selector=run)
    if isinstance(term, Arithmetic):
        return replace(term, left=_term_about(term.left, run), right=_term_about(term.right, run))
    return term
