"""Efficiency: accuracy per parameter and operation, and readiness for phones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.claims.checking import parse_milestone
from experiments.claims.predicates import Arithmetic, Combination, Comparison, Negation, Reference

if TYPE_CHECKING:
    from experiments.claims.predicates import Claim, Term
    from experiments.records.run import Run
    from experiments.workspace.milestones import Milestone

READINESS = "mobile-ready"
"""The milestone that says what a phone asks for."""
PARAMETERS, OPERATIONS = 1e5, 1e9
"""What points of AP are counted for: so many parameters, so many multiply-accumulates."""


@dataclass(frozen=True)
class Efficiency:
    """Points of mean AP (0 to 100) for each unit of what they cost; None where not measured."""

    per_parameters: float | None
    """For each 100,000 parameters."""
    per_operations: float | None
    """For each 10⁹ multiply-accumulates at 640²."""


def efficiency(run: Run) -> Efficiency | None:
    """Return what RUN gives for its cost; None without accuracy or without any cost."""
    score, size = run.metric("widerface.mean_ap"), run.metric("params.total")
    work = run.metric("macs.640")
    if score is None or (size is None and work is None):
        return None
    points = 100 * score.value
    return Efficiency(
        points * PARAMETERS / size.value if size and size.value else None,
        points * OPERATIONS / work.value if work and work.value else None,
    )


def requirements(milestone: Milestone, run: Run) -> list[Milestone]:
    """Return what MILESTONE asks for, one claim each, asked of RUN in place of its own runs.

    Raises:
        UsageError: its predicate can't be parsed.
    """
    claim = _of(parse_milestone(milestone), run.id)
    joined = isinstance(claim, Combination) and claim.word == "and"
    parts = claim.parts if isinstance(claim, Combination) and joined else (claim,)
    return [replace(milestone, predicate=str(part)) for part in parts]


def _of(claim: Claim, run: str) -> Claim:
    if isinstance(claim, Comparison):
        return replace(claim, left=_term(claim.left, run), right=_term(claim.right, run))
    if isinstance(claim, Negation):
        return replace(claim, part=_of(claim.part, run))
    return replace(claim, parts=tuple(_of(part, run) for part in claim.parts))


def _term(term: Term, run: str) -> Term:
    if isinstance(term, Reference):
        return replace(term, selector=run)
    if isinstance(term, Arithmetic):
        return replace(term, left=_term(term.left, run), right=_term(term.right, run))
    return term
