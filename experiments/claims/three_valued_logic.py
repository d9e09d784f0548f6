"""Three-valued (Kleene) logic over a claim's relations, and what speaks against each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.claims.evidence import Reason
from experiments.claims.predicates import Claim, Combination, MetricTerm, Negation, Relation
from experiments.metrics import kind
from experiments.wording.phrases import Amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.claims.evidence import Observation
    from experiments.claims.margins import Margin

    Margins = Mapping[Relation, Margin | None]
    Observations = Mapping[MetricTerm, Observation]

SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
"""Sign of a relation -> how sentences write it."""
POINT = "point"
"""Third choice beside the interval ends `low` and `high`: the values as measured."""


def relations(claim: Claim) -> Iterator[Relation]:
    """Yield every relation that CLAIM is made of, in order."""
    if isinstance(claim, Relation):
        yield claim
    elif isinstance(claim, Negation):
        yield from relations(claim.part)
    else:
        for part in claim.parts:
            yield from relations(part)


def judge(claim: Claim, margins: Margins, end: str = POINT) -> bool | None:
    """Return whether CLAIM holds; None where what is known does not decide it.

    With END `low` or `high`, every relation is taken at that end of its confidence interval: the
    one that speaks against the claim, or for it.
    """
    if isinstance(claim, Relation):
        margin = margins[claim]
        if margin is None:
            return None
        return margin.holds if end == POINT else margin.at(end)
    if isinstance(claim, Negation):
        opposite = {"low": "high", "high": "low"}.get(end, end)
        part_holds = judge(claim.part, margins, opposite)
        return None if part_holds is None else not part_holds
    parts_hold = [judge(part, margins, end) for part in claim.parts]
    decisive = claim.word == "or"
    if decisive in parts_hold:
        return decisive
    return None if None in parts_hold else not decisive


def shortcomings(
    claim: Claim,
    observations: Observations,
    margins: Margins,
    *,
    holds: bool,
    sure: bool,
) -> Iterator[Reason]:
    """Yield why CLAIM fails and, unless all is SURE, which interval leaves the answer open."""
    end = "low" if holds else "high"
    if isinstance(claim, Negation):
        if not holds:
            yield Reason("negation", {"claim": str(claim.part)})
        reasons = shortcomings(claim.part, observations, margins, holds=not holds, sure=sure)
        yield from (reason for reason in reasons if reason.code.startswith("margin"))
        return
    if isinstance(claim, Combination):
        for part in claim.parts:
            if judge(part, margins) is holds:
                yield from shortcomings(part, observations, margins, holds=holds, sure=sure)
        return
    margin = margins[claim]
    if margin is None:
        return
    values = _sentence_values(claim, observations, margin)
    if not sure and margin.low is not None and margin.at(end) is not holds:
        yield Reason("margin-pass" if holds else "margin-fail", values)
    elif not holds:
        yield Reason("shortfall", values)


def _sentence_values(
    relation: Relation, observations: Observations, margin: Margin
) -> dict[str, object]:
    left, right = Amount(margin.left, margin.unit), Amount(margin.right, margin.unit)
    ends = [Amount(bound or 0.0, margin.unit, signed=True) for bound in (margin.low, margin.high)]
    return {
        "what": _LeftSideTitle(relation, observations),
        "left": left.beside(right),
        "right": right.beside(left),
        "sign": SIGNS.get(relation.sign, relation.sign),
        "margin": Amount(margin.value, margin.unit, signed=True),
        "low": ends[0],
        "high": ends[1],
    }


class _LeftSideTitle:
    """Title of a relation's left side: the metric and its run, or the term as written."""

    def __init__(self, relation: Relation, observations: Observations) -> None:
        self.term = relation.left
        self.source = observations[self.term].source if isinstance(self.term, MetricTerm) else ""

    def text(self, language: str) -> str:
        if not isinstance(self.term, MetricTerm):
            return str(self.term)
        return f"{kind(self.term.metric).title(language)} ({self.source})"
