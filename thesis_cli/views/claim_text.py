"""A claim as the terminal says it: metrics by their titles, limits with their units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from experiments.claims.predicates import (
    Arithmetic,
    Combination,
    MetricTerm,
    Negation,
    NumberTerm,
    is_range,
    joined_relations,
    metric_terms,
)
from experiments.metrics import kind
from experiments.wording.numbers import HARD, format_number
from thesis_cli.views.metric_titles import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.claims.predicates import Claim, Relation, Term
    from experiments.conditions import Conditions

SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "*": "×", "/": "÷", "-": "−"}
MOST_PLACES = 6
"""Decimals of a limit, at most."""
SCALES = {"fraction": (100.0, "%"), "MACs": (1e-9, f"{HARD}G"), "parameters": (1.0, "")}
"""Unit -> by what its values are multiplied, and what stands behind them."""


def claim_text(claim: Claim, conditions: Conditions) -> str:
    """Return CLAIM in words, judged under CONDITIONS.

    A claim about one run names it first: `v2@best: AP Hard > 90%, Parameters < 285,000`.
    """
    about = dict.fromkeys(term.selector for term in metric_terms(claim))
    joined = joined_relations(claim)
    words = _Words(conditions, named=len(about) != 1 or not joined)
    if words.named:
        return words.claim(claim)
    return f"{next(iter(about))}: {', '.join(words.listed(joined))}"


class _Words:
    """The words of the parts of one claim."""

    def __init__(self, conditions: Conditions, *, named: bool) -> None:
        self.conditions = conditions
        self.named = named
        """Whether each metric says whose it is."""

    def claim(self, claim: Claim) -> str:
        if isinstance(claim, Negation):
            return f"not ({self.claim(claim.part)})"
        if isinstance(claim, Combination):
            parts = (
                f"({self.claim(part)})" if isinstance(part, Combination) else self.claim(part)
                for part in claim.parts
            )
            return f" {claim.word} ".join(parts)
        left = self.term(claim.left, claim.right)
        right = self.term(claim.right, claim.left)
        return f"{left} {SIGNS.get(claim.sign, claim.sign)}{HARD}{right}"

    def listed(self, parts: Sequence[Relation]) -> Iterator[str]:
        """Yield the words of PARTS; two limits of one metric, one after the other, are a range."""
        rest = list(parts)
        while rest:
            first = rest.pop(0)
            upper = rest[0] if rest else None
            if upper and is_range(first, upper):
                rest.pop(0)
                low, high = first.right, upper.right
                limits = (self.term(end, first.left) for end in (low, high))
                yield f"{self.term(first.left, low)} {f'{HARD}to '.join(limits)}"
            else:
                yield self.claim(first)

    def term(self, term: Term, other: Term) -> str:
        """Word TERM, which is compared or computed with OTHER."""
        if isinstance(term, MetricTerm):
            title = title_of(term.metric, [self.conditions])
            return f"{title} of {term.selector}" if self.named else title
        if isinstance(term, Arithmetic):
            sides = (self.side(term.left, term), self.side(term.right, term))
            return f" {SIGNS.get(term.sign, term.sign)} ".join(sides)
        unit = kind(other.metric).unit if isinstance(other, MetricTerm) else ""
        return term.text if term.text.endswith("%") else limit_text(term, unit)

    def side(self, term: Term, whole: Arithmetic) -> str:
        """Word one side of a computation, a computed one in brackets."""
        said = self.term(term, whole)
        return f"({said})" if isinstance(term, Arithmetic) else said


def limit_text(limit: NumberTerm, unit: str) -> str:
    """Write a limit in UNIT with as many decimals as it has."""
    scale, behind = SCALES.get(unit, (1.0, f"{HARD}{unit}" if unit else ""))
    value = limit.value * scale
    places = next(
        (
            count
            for count in range(MOST_PLACES)
            if math.isclose(round(value, count), value, rel_tol=1e-9, abs_tol=1e-12)
        ),
        MOST_PLACES,
    )
    return f"{format_number(value, f',.{places}f')}{behind}"
