"""Three-valued (Kleene) logic over a claim's comparisons, and what speaks against each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.claims.evidence import Reason
from experiments.claims.predicates import Claim, Combination, Comparison, Negation, Reference
from experiments.metrics import kind
from experiments.wording.phrases import Amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.claims.evidence import Observation
    from experiments.claims.margins import Margin

    Margins = Mapping[Comparison, Margin | None]

SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
"""How sentences write them."""
POINT = "point"
"""Beside the ends `low` and `high` of the intervals: the values as they were measured."""


def comparisons(claim: Claim) -> Iterator[Comparison]:
    """Yield every comparison that CLAIM is made of, in order."""
    if isinstance(claim, Comparison):
        yield claim
    elif isinstance(claim, Negation):
        yield from comparisons(claim.part)
    else:
        for part in claim.parts:
            yield from comparisons(part)


def judge(claim: Claim, margins: Margins, end: str = POINT) -> bool | None:
    """Return whether CLAIM holds; None where what is known does not decide it.

    With END `low` or `high`, every comparison is taken at that end of its interval, the one that
    speaks against the claim or for it.
    """
    if isinstance(claim, Comparison):
        found = margins[claim]
        if found is None:
            return None
        return found.holds if end == POINT else found.at(end)
    if isinstance(claim, Negation):
        opposite = {"low": "high", "high": "low"}.get(end, end)
        inner = judge(claim.part, margins, opposite)
        return None if inner is None else not inner
    parts = [judge(part, margins, end) for part in claim.parts]
    decisive = claim.word == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def shortcomings(
    claim: Claim,
    found: Mapping[Reference, Observation],
    margins: Margins,
    *,
    holds: bool,
    sure: bool,
) -> Iterator[Reason]:
    """Yield what falls short and, unless all is SURE, where an interval disagrees."""
    end = "low" if holds else "high"
    if isinstance(claim, Negation):
        if not holds:
            yield Reason("negation", {"claim": str(claim.part)})
        inner = shortcomings(claim.part, found, margins, holds=not holds, sure=sure)
        yield from (one for one in inner if one.code.startswith("margin"))
        return
    if isinstance(claim, Combination):
        for part in claim.parts:
            if judge(part, margins) is holds:
                yield from shortcomings(part, found, margins, holds=holds, sure=sure)
        return
    known = margins[claim]
    if known is None:
        return
    told = _numbers(claim, found, known)
    if not sure and known.low is not None and known.at(end) is not holds:
        yield Reason("margin-pass" if holds else "margin-fail", told)
    elif not holds:
        yield Reason("shortfall", told)


def _numbers(
    comparison: Comparison, found: Mapping[Reference, Observation], known: Margin
) -> dict[str, object]:
    left, right = Amount(known.left, known.unit), Amount(known.right, known.unit)
    ends = [Amount(one or 0.0, known.unit, signed=True) for one in (known.low, known.high)]
    return {
        "what": _Name(comparison, found),
        "left": left.beside(right),
        "right": right.beside(left),
        "sign": SIGNS.get(comparison.sign, comparison.sign),
        "margin": Amount(known.value, known.unit, signed=True),
        "low": ends[0],
        "high": ends[1],
    }


class _Name:
    """What a comparison's left side is called: the metric and its run, or the term as written."""

    def __init__(self, comparison: Comparison, found: Mapping[Reference, Observation]) -> None:
        self.term = comparison.left
        self.source = found[self.term].source if isinstance(self.term, Reference) else ""

    def text(self, language: str) -> str:
        if not isinstance(self.term, Reference):
            return str(self.term)
        return f"{kind(self.term.metric).title(language)} ({self.source})"
