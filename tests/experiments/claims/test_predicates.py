"""The language of milestones: what it means, what it refuses, and that it prints itself."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.claims.predicates import (
    COMPARE,
    COMPUTE,
    Arithmetic,
    Combination,
    MetricTerm,
    Negation,
    NumberTerm,
    Relation,
    metric_terms,
    parse,
)
from featherface.errors import UsageError

numbers = st.floats(0, 1e12).map(NumberTerm)
metrics = st.sampled_from(["v2@best", "v2-ultra", "@last", "v1@3"]).flatmap(
    lambda run: st.sampled_from(["params.total", "widerface.hard.ap"]).map(
        lambda name: MetricTerm(run, name)
    )
)
terms = st.recursive(
    numbers | metrics,
    lambda inner: st.builds(Arithmetic, st.sampled_from(list(COMPUTE)), inner, inner),
    max_leaves=4,
)
comparisons = st.builds(Relation, st.sampled_from(list(COMPARE)), terms, terms)


def combined(inner):
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Combination, st.sampled_from(["and", "or"]), parts) | st.builds(
        Negation, inner
    )


claims = st.recursive(comparisons, combined, max_leaves=6)


@given(claims)
def test_a_claim_prints_as_text_that_parses_to_it(claim):
    assert parse(str(claim)) == claim


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_in_words(text):
    with contextlib.suppress(UsageError):
        assert parse(str(parse(text))) == parse(text)


words = st.sampled_from(
    [
        "v2@best",
        "params.total",
        "and",
        "or",
        "not",
        "(",
        ")",
        "<",
        ">=",
        "==",
        "*",
        "-",
        "0.9",
        "90%",
    ]
)


@given(st.lists(words, max_size=30).map(" ".join))
def test_any_words_of_the_language_parse_or_are_refused_in_words(text):
    with contextlib.suppress(UsageError):
        claim = parse(text)
        assert parse(str(claim)) == claim
        assert all(one.selector == "v2@best" for one in metric_terms(claim) if "@" in one.selector)


@given(claims, st.sampled_from([" ", "  ", "\n", "\t"]))
def test_white_space_means_nothing(claim, space):
    assert parse(space + str(claim).replace(" ", space) + space) == claim


@given(claims, claims)
def test_not_and_or_keep_their_parts(one, other):
    assert parse(f"({one}) and ({other})").word == "and"
    assert parse(f"not ({one})").part == one


def test_limits_are_read_as_people_write_them():
    claim = parse("v2@best widerface.hard.ap >= 82.5% and v2@best params.total < 285_000")
    assert [part.right.value for part in claim.parts] == [0.825, 285_000]
    assert [str(one) for one in metric_terms(claim)] == [
        "v2@best widerface.hard.ap",
        "v2@best params.total",
    ]


def test_products_bind_before_sums_and_and_before_or():
    claim = parse("a b < 1 + 2 * 3 or a b > 1 and a b > 2")
    assert claim.word == "or"
    assert str(claim.parts[0]) == "a b < (1 + (2 * 3))"
    assert claim.parts[1].word == "and"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "the end where a run"),
        ("v2 widerface.hard.ap", "a comparison"),
        ("v2 > 3", "a metric of 'v2'"),
        ("v2 a.b > ", "a run and its metric"),
        ("(v2 a.b > 3", "'\\)'"),
        ("v2 a.b > 3 )", "the end should be"),
        ("v2 a.b > 3 and", "a run and its metric"),
        ("__import__('os') > 3", "predicate"),
        ("(" * 500 + "1 > 2", "nested too deep"),
        ("not " * 300 + "a b > 2", "nested too deep"),
        ("1 " * 2000, "at most"),
    ],
)
def test_what_is_no_predicate_says_where(text, wanted):
    with pytest.raises(UsageError, match=wanted):
        parse(text)
