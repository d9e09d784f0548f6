"""What a bound number refers to: metrics of runs, cited or planned results, and how to write it.

v2@best widerface.hard.ap .1%              a metric of a run
v2@best - v1@best widerface.hard.ap +.1p   a difference; the metric stands once, at the end
v2 / v1 params.total .1%                   a ratio
1 - v2 / v1 params.total .1%               any sum of them, as milestones write it
cited:featherface-paper widerface.hard.ap  a published result of [cited]
target:v2-plan widerface.hard.ap           a planned one
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments import metrics
from experiments.claims import predicates
from experiments.claims.predicates import NUMBER, SELECTOR, TOKEN, Arithmetic
from experiments.number_formats import BY_UNIT
from experiments.wording.numbers import SPEC
from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.claims.predicates import Term

_TIGHT = re.compile(r"((?:[\w.+-]*@(?:best|last|\d+)))-([\w.+-]*@(?:best|last|\d+))")
"""Two runs with a minus between them and no space: their versions tell where the first ends."""
MOST_PLACES = 15
_FORBIDDEN = re.compile(r"[<>=!]|--")


@dataclass(frozen=True)
class MetricReference:
    """The metric, or the arithmetic on metrics, that a bound number stands for, and its format."""

    text: str
    """As it was written, in single spaces."""
    term: Term
    spec: str
    """How the number is written, in the language of `experiments.wording.numbers`."""

    def __str__(self) -> str:
        return self.text

    @property
    def full(self) -> str:
        """The reference with its format, as a comment carries it."""
        return self.text if _is_spec(self.text.rsplit(" ", 1)[-1]) else f"{self.text} {self.spec}"


def parse_reference(text: str) -> MetricReference:
    """Read SELECTOR METRIC [FORMAT], or arithmetic on several; without a format the metric's own.

    Raises:
        UsageError: it can't be read; the message says where.
    """
    words = text.split()
    if bad := _FORBIDDEN.search(text):
        raise _unreadable(text, f": {bad[0]!r} has no place here")
    spec = words.pop() if words and _is_spec(words[-1]) else None
    if spec and (places := SPEC.fullmatch(spec)) and int(places["places"] or 0) > MOST_PLACES:
        raise _unreadable(text, f": {spec!r} asks for more than {MOST_PLACES} decimals")
    term = predicates.parse_term(_spelled_out(words))
    named = [metric_term.metric for metric_term in predicates.metric_terms(term)]
    if not named:
        raise _unreadable(text, " names no run")
    return MetricReference(
        " ".join(text.split()), term, _usual(term, named[0]) if spec is None else spec
    )


def _unreadable(text: str, why: str) -> UsageError:
    return UsageError(f"reference {text!r}{why}", predicates.EXAMPLES["reference"])


def _is_spec(word: str) -> bool:
    return bool(word) and SPEC.fullmatch(word) is not None


def _spelled_out(words: Sequence[str]) -> str:
    """Give every run its metric: one that has none takes the last word's."""
    tokens = TOKEN.findall(_TIGHT.sub(r"\1 - \2", " ".join(words)))
    last = tokens[-1] if tokens else ""
    if len(tokens) < 2 or not _is_name(last) or not (_is_name(tokens[-2]) or tokens[-2] == ")"):
        return " ".join(tokens)
    tokens = tokens[:-1] if tokens[-2] == ")" else tokens
    spelled: list[str] = []
    place = 0
    while place < len(tokens):
        spelled.append(tokens[place])
        if _is_name(tokens[place]):
            follows = place + 1 < len(tokens) and _is_name(tokens[place + 1])
            spelled.append(tokens[place + 1] if follows else last)
            place += follows
        place += 1
    return " ".join(spelled)


def _is_name(word: str) -> bool:
    """Whether a word may be a run or a metric."""
    return SELECTOR.fullmatch(word) is not None and not NUMBER.fullmatch(word)


def _usual(term: Term, metric: str) -> str:
    """Return the format in which reports write such a value."""
    known = metrics.kind(metric)
    usual = BY_UNIT.get(known.unit, f",.{known.places}f").format(places=known.places)
    if not isinstance(term, Arithmetic):
        return usual
    if _divides(term):
        return ".2f" if term.sign == "/" and not isinstance(term.left, Arithmetic) else ".1%"
    if term.sign != "-":
        return usual
    return f"+.{known.places}p" if known.unit == "fraction" else f"+{usual}"


def _divides(term: Term) -> bool:
    """Whether TERM is a ratio of metrics, or reckons with one."""
    if not isinstance(term, Arithmetic):
        return False
    ratio = term.sign == "/" and any(predicates.metric_terms(term.right))
    return ratio or _divides(term.left) or _divides(term.right)
