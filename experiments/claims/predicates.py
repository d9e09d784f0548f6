"""The predicate language of milestones: relations between metrics, joined by and, or, not.

    v2@best widerface.hard.ap >= 0.90 and v2@best params.total < 285_000
    v2 widerface.hard.ap >= 90% * v1 widerface.hard.ap

A metric is named after the run that has it. Nothing is evaluated as code.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
COMPUTE: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
WORDS = ("and", "or", "not")
NUMBER = re.compile(r"-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?%?")
NAME = re.compile(r"[\w@][\w@.+-]*")
SELECTOR = re.compile(rf"(?:(?:cited|target):)?{NAME.pattern}")
"""A run's selector, or a cited or planned result by its name."""
TOKEN = re.compile(r"\s*(<=|>=|==|!=|[<>()*/]|[^\s<>=!()*/]+)")
LONGEST = 2000
DEEPEST = 50
EXAMPLES = {
    "predicate": "write it like: "
    "v2@best widerface.hard.ap >= 0.80 and v2@best params.total < 285000",
    "reference": "write it like: v2@best widerface.hard.ap .1%, or v2 - v1 widerface.hard.ap +.1p",
}


@dataclass(frozen=True)
class NumberTerm:
    """A number, such as the limit of a claim."""

    value: float
    text: str = ""
    """As it was written."""

    def __str__(self) -> str:
        return self.text or repr(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberTerm) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True)
class MetricTerm:
    """A metric of a run: `v2@best params.total`."""

    selector: str
    metric: str

    def __str__(self) -> str:
        return f"{self.selector} {self.metric}"


@dataclass(frozen=True)
class Arithmetic:
    """A sum, difference, product or quotient of two terms."""

    sign: str
    left: Term
    right: Term

    def __str__(self) -> str:
        return f"({self.left} {self.sign} {self.right})"


@dataclass(frozen=True)
class Relation:
    """Two terms and the sign between them: `v2 params.total < 285000`."""

    sign: str
    left: Term
    right: Term

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True)
class Combination:
    """Claims that must hold together (`and`), or one of them (`or`)."""

    word: str
    parts: tuple[Claim, ...]

    def __str__(self) -> str:
        return "(" + f" {self.word} ".join(map(str, self.parts)) + ")"


@dataclass(frozen=True)
class Negation:
    """A claim that must not hold."""

    part: Claim

    def __str__(self) -> str:
        return f"not ({self.part})"


Term: TypeAlias = NumberTerm | MetricTerm | Arithmetic
Claim: TypeAlias = Relation | Combination | Negation


def parse(text: str) -> Claim:
    """Return the claim that TEXT makes; `str` of it parses to an equal one.

    Raises:
        UsageError: TEXT is not a predicate; the message says where.
    """
    parser = _Parser(text, "predicate")
    claim = parser.claim()
    if parser.peek():
        raise parser.error("the end")
    return claim


def parse_term(text: str) -> Term:
    """Return the term that TEXT writes: a metric of a run, or arithmetic of such metrics.

    Raises:
        UsageError: TEXT is no such term; the message says where.
    """
    parser = _Parser(text, "reference")
    term = parser.term()
    if parser.peek():
        raise parser.error("the end")
    return term


def metric_terms(claim: Claim | Term) -> Iterator[MetricTerm]:
    """Yield every metric term of CLAIM, in order."""
    if isinstance(claim, MetricTerm):
        yield claim
    elif isinstance(claim, Arithmetic | Relation):
        yield from metric_terms(claim.left)
        yield from metric_terms(claim.right)
    elif isinstance(claim, Combination):
        for part in claim.parts:
            yield from metric_terms(part)
    elif isinstance(claim, Negation):
        yield from metric_terms(claim.part)


class _Parser:
    """Recursive descent over the tokens of a text: one method per rule of the grammar."""

    def __init__(self, text: str, text_kind: str) -> None:
        if len(text) > LONGEST:
            raise UsageError(f"{text_kind} of {len(text)} characters; at most {LONGEST}")
        self.text = text
        self.text_kind = text_kind
        self.tokens = TOKEN.findall(text)
        self.position = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        word = self.peek()
        self.position += 1
        return word

    def error(self, expected: str) -> UsageError:
        token = repr(self.peek()) if self.peek() else "the end"
        text = f"{self.text_kind} {self.text!r}: found {token} where {expected} should be"
        return UsageError(text, EXAMPLES[self.text_kind])

    def term(self) -> Term:
        return self._sum()

    def claim(self) -> Claim:
        return self._joined("or", lambda: self._joined("and", self._single))

    def _joined(self, operator: str, rule: Callable[[], Claim]) -> Claim:
        parts = [rule()]
        while self.peek() == operator:
            self.take()
            parts.append(rule())
        return parts[0] if len(parts) == 1 else Combination(operator, tuple(parts))

    def _single(self) -> Claim:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UsageError(f"{self.text_kind} {self.text!r}: nested too deep")
        try:
            if self.peek() == "not":
                self.take()
                return Negation(self._single())
            if self.peek() == "(" and self._encloses_claim():
                self.take()
                inner = self.claim()
                self._close()
                return inner
            return self._relation()
        finally:
            self.depth -= 1

    def _relation(self) -> Relation:
        left = self._sum()
        if self.peek() not in COMPARE:
            raise self.error("a comparison (<, <=, >, >=, ==, !=)")
        return Relation(self.take(), left, self._sum())

    def _sum(self) -> Term:
        term = self._product()
        while self.peek() in ("+", "-"):
            term = Arithmetic(self.take(), term, self._product())
        return term

    def _product(self) -> Term:
        term = self._term()
        while self.peek() in ("*", "/"):
            term = Arithmetic(self.take(), term, self._term())
        return term

    def _term(self) -> Term:
        word = self.peek()
        if word == "(":
            self.depth += 1
            if self.depth > DEEPEST:
                raise UsageError(f"{self.text_kind} {self.text!r}: nested too deep")
            self.take()
            inner = self._sum()
            self._close()
            self.depth -= 1
            return inner
        if NUMBER.fullmatch(word):
            return _number_term(self.take())
        if not SELECTOR.fullmatch(word) or word in WORDS:
            raise self.error("a run and its metric, or a number")
        selector = self.take()
        if not NAME.fullmatch(self.peek()) or self.peek() in WORDS:
            raise self.error(f"a metric of {selector!r}")
        return MetricTerm(selector, self.take())

    def _close(self) -> None:
        if self.peek() != ")":
            raise self.error("')'")
        self.take()

    def _encloses_claim(self) -> bool:
        """Whether the parenthesis that opens here encloses a claim, not a term."""
        depth = 0
        for word in self.tokens[self.position :]:
            depth += (word == "(") - (word == ")")
            if word in COMPARE:
                return True
            if depth == 0:
                return False
        return False


def _number_term(text: str) -> NumberTerm:
    value = float(text.rstrip("%").replace("_", ""))
    return NumberTerm(value / 100 if text.endswith("%") else value, text)


def joined_relations(claim: Claim) -> tuple[Relation, ...]:
    """Return the relations that CLAIM joins by `and` alone; none where it is made otherwise."""
    if isinstance(claim, Relation):
        return (claim,)
    if isinstance(claim, Combination) and claim.word == "and":
        relations = tuple(part for part in claim.parts if isinstance(part, Relation))
        return relations if len(relations) == len(claim.parts) else ()
    return ()


def is_range(lower: Relation, upper: Relation) -> bool:
    """Whether both are limits of one metric, both included."""
    numbers = isinstance(lower.right, NumberTerm) and isinstance(upper.right, NumberTerm)
    return numbers and lower.left == upper.left and (lower.sign, upper.sign) == (">=", "<=")
