"""Claims in words: what a predicate says, for readers who do not know the predicate language."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.claims.predicates import (
    Arithmetic,
    MetricTerm,
    Negation,
    NumberTerm,
    Relation,
    is_range,
    joined_relations,
    metric_terms,
    parse,
)
from experiments.metrics import kind
from experiments.number_formats import BY_UNIT, number_format
from experiments.wording.phrases import Worded
from vault_sync.rendering.markdown import Safe, escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from experiments.claims.evidence import Reason
    from experiments.claims.predicates import Claim, Term
    from experiments.workspace.milestones import CitedResult
    from vault_sync.rendering.words import Words

SIGNS = {"<": "below", "<=": "most", ">": "over", ">=": "least", "==": "exactly", "!=": "other"}
"""Sign of a relation -> its phrase in `[relation]`."""
WRITTEN = {"≤": "<=", "≥": ">=", "=": "==", "≠": "!="}
"""How sentences write signs -> the sign of the predicate language."""
OPERATIONS = {"+": "+", "-": "\u2212", "*": "×", "/": "÷"}
BEST = "best"
SELECTED = {"no-run": ("run",), "tagged": ("selector",)}
"""Reason -> those of its values that are selectors, not ids of runs."""
MOST_PLACES = 6
"""Decimals that a limit is written with at most."""
_SCALES = {"%": 100.0, "G": 1e-9}
_CITED = re.compile(r"(?:cited|target):(.+)")


def claim_in_words(
    claim: Claim, words: Words, cited: Mapping[str, CitedResult] | None = None
) -> Safe:
    """Say CLAIM in words: `AP Hard: over 80.0% (v2, best version)`.

    CITED are the results by whose titles the claim's published and planned values go.
    """
    return _Wording(words, cited or {}).claim(claim)


def selector_in_words(
    selector: str, words: Words, cited: Mapping[str, CitedResult] | None = None
) -> Safe:
    """Say which run SELECTOR means: `v2@best` is the best version of v2."""
    match = _CITED.fullmatch(selector)
    if match and cited and match[1] in cited:
        return escape(cited[match[1]].titled(words.language))
    name, _, version = selector.partition("@")
    if version == BEST:
        return words.say("relation.best", run=name)
    return escape(match[1] if match else selector)


class _Wording:
    """The words of one claim's parts."""

    def __init__(self, words: Words, cited: Mapping[str, CitedResult]) -> None:
        self.words = words
        self.cited = cited

    def claim(self, claim: Claim) -> Safe:
        if isinstance(claim, Negation):
            return self.words.say("relation.not", claim=self.claim(claim.part))
        about = {term.selector for term in metric_terms(claim)}
        if len(about) == 1 and (parts := joined_relations(claim)):
            (selector,) = about
            return self._about(selector, Safe(self.words.semicolon.join(self._listed(parts))))
        if isinstance(claim, Relation):
            return self._relation(claim, named=True)
        parted = [self.claim(part) for part in claim.parts]
        joint = f"{self.words.semicolon}{self.words.say(f'relation.{claim.word}')} "
        return Safe(joint.join(parted))

    def _about(self, selector: str, claim: Safe) -> Safe:
        """Say behind a claim which run it is about."""
        name, _, version = selector.partition("@")
        if version == BEST:
            return self.words.say("relation.about_best", claim=claim, run=name)
        return self.words.say("relation.about", claim=claim, run=self._run(selector))

    def _listed(self, relations: Sequence[Relation]) -> Iterator[Safe]:
        """Yield the words of relations about one run; two limits of a metric are one range."""
        rest = list(relations)
        while rest:
            first = rest.pop(0)
            upper = next((other for other in rest if is_range(first, other)), None)
            if upper is None:
                yield self._relation(first, named=False)
                continue
            rest.remove(upper)
            ends = [self._term(part.right, part.left, named=False) for part in (first, upper)]
            title = self._term(first.left, first.right, named=False)
            between = self.words.say("relation.between", low=ends[0], high=ends[1])
            yield Safe(f"{title}{self.words.colon}{between}")

    def _relation(self, relation: Relation, *, named: bool) -> Safe:
        """Say how two terms stand to each other; the runs where they are to be NAMED."""
        limit = self._term(relation.right, relation.left, named=named)
        left = self._term(relation.left, relation.right, named=named)
        right = self.words.say(f"relation.{SIGNS[relation.sign]}", value=limit)
        return Safe(f"{left}{self.words.colon}{right}")

    def _term(self, term: Term, other: Term, *, named: bool) -> Safe:
        if isinstance(term, MetricTerm):
            title = escape(kind(term.metric).title(self.words.language))
            if not named:
                return title
            return self.words.say("relation.of", metric=title, run=self._run(term.selector))
        if isinstance(term, Arithmetic):
            return self._computed(term, named=named)
        if isinstance(other, MetricTerm):
            return limit_in_words(self.words, term.value, other.metric)
        return self._number(term)

    def _computed(self, term: Arithmetic, *, named: bool) -> Safe:
        """Write a sum or product as it is computed; the smaller parts in brackets."""
        sides = []
        for side in (term.left, term.right):
            said = self._term(side, term, named=named)
            sides.append(Safe(f"({said})") if isinstance(side, Arithmetic) else said)
        return Safe(f" {OPERATIONS[term.sign]} ".join(sides))

    def _number(self, term: NumberTerm) -> Safe:
        if term.text.endswith("%"):
            return _exact(self.words, term.value, ".0%")
        return self.words.number(term.value, ",.4g")

    def _run(self, selector: str) -> Safe:
        return selector_in_words(selector, self.words, self.cited)


def reason_in_words(
    reason: Reason, words: Words, cited: Mapping[str, CitedResult] | None = None
) -> Safe:
    """Say REASON with the titles of metrics, and with runs, claims and signs in words."""
    values = dict(reason.values)
    if isinstance(metric := values.get("metric"), str):
        title = kind(metric).title(words.language)
        values["metric"] = words.say("relation.quoted", text=title)
    for key in SELECTED.get(reason.code, ()):
        values[key] = str(values[key]).removesuffix(f"@{BEST}")
    if reason.code == "negation":
        values["claim"] = claim_in_words(parse(str(values["claim"])), words, cited)
    if isinstance(right := values.get("right"), Worded):
        limit = words.sentence(right.text(words.language))
        phrase = f"relation.{SIGNS[WRITTEN.get(str(values['sign']), str(values['sign']))]}"
        values |= {"sign": "", "right": words.say(phrase, value=limit)}
    text = re.sub(r"[ \u00a0]{2,}", " ", replace(reason, values=values).text(words.language))
    return words.sentence(text)


def limit_in_words(words: Words, value: float, metric: str) -> Safe:
    """Write a limit of METRIC with its unit, and with as many decimals as it has."""
    unit = kind(metric).unit
    text = _exact(words, value, number_format(metric, unit))
    bare = unit and unit not in BY_UNIT
    return Safe(f"{text}\u00a0{words.name('unit', unit)}") if bare else text


def _exact(words: Words, value: float, spec: str) -> Safe:
    """Write VALUE by SPEC, with more places where those of SPEC would round it."""
    match = re.fullmatch(r"(,?)\.(\d)([ef%G])", spec)
    if match is None:
        return words.number(value, spec)
    scaled = value * _SCALES.get(match[3], 1.0)
    form = "e" if match[3] == "e" else "f"
    fitting = (
        places
        for places in range(int(match[2]), MOST_PLACES)
        if math.isclose(float(f"{scaled:.{places}{form}}"), scaled, rel_tol=1e-9, abs_tol=1e-12)
    )
    return words.number(value, f"{match[1]}.{next(fitting, MOST_PLACES)}{match[3]}")
