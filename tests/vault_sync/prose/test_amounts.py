"""A number is read however people write it, and replaced in the same manner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.wording.numbers import format_number, scaled, shown
from vault_sync.prose.amounts import read_number, rewrite, write_number


def matches(text, value, spec):
    return any(one.matches(value, spec) for one in read_number(text))


@pytest.mark.parametrize(
    ("text", "value", "spec"),
    [
        ("82.5 %", 0.8251, ".1%"),
        ("82,5 %", 0.8251, ".1%"),
        ("82,5\u202f%", 0.8251, ".1%"),
        ("82,5\u00a0%", 0.8251, ".1%"),
        ("82.5%", 0.8251, ".1%"),
        ("82.5\\%", 0.8251, ".1%"),
        ("**82.5 %**", 0.8251, ".1%"),
        ("==82.5==", 0.8251, ".1%"),
        (" 82.5 per cent ", 0.8251, ".1%"),
        ("82,5 pour cent", 0.8251, ".1%"),
        ("82.51 %", 0.8251, ".1%"),
        ("82 %", 0.82004, ".1%"),
        ("82.5 %", 0.8255, ".1%"),
        ("82.6 %", 0.8255, ".1%"),
        ("488,664", 488_664, ","),
        ("488 664", 488_664, ","),
        ("488\u202f664", 488_664, ","),
        ("488.664", 488_664, ","),
        ("488'664", 488_664, ","),
        ("488664", 488_664, ","),
        ("488\\,664", 488_664, ","),
        ("1 160 000 000", 1.16e9, ","),
        ("489K", 488_664, ".0K"),
        ("489 k", 488_664, ".0K"),
        ("0,49 M", 488_664, ".2M"),
        ("1.16 G", 1.16e9, ".2G"),
        ("+1.5 pt", 0.015, "+.1p"),
        ("1.5 points", 0.015, "+.1p"),
        ("-1.5", -0.015, "+.1p"),
        ("−1,5 pts", -0.015, "+.1p"),
        ("41.5 ms", 41.54, ".1f"),
        ("1,97 Mo", 1.97, ".2f"),
        ("1.4e-05", 1.442e-5, ".1e"),
        ("1,4 × 10⁻⁵", 1.442e-5, ".1e"),
        ("1.4\\times 10^{-5}", 1.442e-5, ".1e"),
        ("0.825", 0.825, ".3f"),
        ("12", 12, ""),
        ("0.1", 0.1, ""),
    ],
)
def test_the_number_counts_and_not_its_dress(text, value, spec):
    assert matches(text, value, spec)


@pytest.mark.parametrize(
    ("text", "value", "spec"),
    [
        ("82.4 %", 0.8251, ".1%"),
        ("82 %", 0.8251, ".1%"),
        ("82.50 %", 0.8254, ".1%"),
        ("82.52 %", 0.8251, ".1%"),
        ("0.825", 0.825, ".1%"),
        ("82.5 pt", 0.825, ".1%"),
        ("+1.5 %", 0.015, "+.1p"),
        ("1.5", -0.015, "+.1p"),
        ("489 M", 488_664, ".0K"),
        ("82.5 %", 82.5, ".1f"),
        ("about 82.5 %", 0.825, ".1%"),
        ("82.5 % or so", 0.825, ".1%"),
        ("1 2", 12, ""),
        ("", 0.0, ".1%"),
        ("to do", 0.0, ".1%"),
    ],
)
def test_another_number_is_another(text, value, spec):
    assert not matches(text, value, spec)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("82.5 %", "83.1 %"),
        ("82,5\u202f%", "83,1\u202f%"),
        ("**82,5%**", "**83,1%**"),
        ("82.5", "83.1"),
        ("82.5\n%", "83.1\n%"),
        ("_82.5 \\%_", "_83.1 \\%_"),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_number_is_replaced_in_its_own_manner(old, new, language):
    assert rewrite(read_number(old)[0], 0.8312, ".1%", language) == new


@pytest.mark.parametrize(
    ("old", "value", "spec", "new"),
    [
        ("488 664", 256_006, ",", "256 006"),
        ("488664", 256_006, ",", "256006"),
        ("488,664", 1_256_006, ",", "1,256,006"),
        ("+1.5 pt", -0.021, "+.1p", "−2.1 pt"),
        ("−1,5 pt", 0.021, "+.1p", "+2,1 pt"),
        ("1.5 pt", 0.021, "+.1p", "2.1 pt"),
        ("-0.1 pt", -0.0001, "+.1p", "-0.01 pt"),
        ("-0.1 pt", 0.0, "+.1p", "0 pt"),
        ("489K", 256_006, ".0K", "256K"),
        ("0,825", 0.831, ".3f", "0,831"),
        ("0.825 ", 0.831, ".3f", "0.831 "),
    ],
)
def test_thousands_and_signs_are_kept_too(old, value, spec, new):
    assert rewrite(read_number(old)[0], value, spec, "fr") == new


def test_an_empty_place_is_filled_as_reports_write():
    assert rewrite(None, 0.8312, ".1%", "fr") == "83,1\u202f%" == write_number(0.8312, ".1%", "fr")
    assert rewrite(None, 0.8312, ".1%", "en") == "83.1%"


@given(
    st.floats(-1e9, 1e9, allow_nan=False),
    st.sampled_from([".1%", ",", ".0K", ".2M", ".3f", "+.1p", ".2G", "+,.1f", ".1e", "d"]),
    st.sampled_from(["en", "fr"]),
)
def test_what_is_written_is_read_back_as_the_same(value, spec, language):
    if spec == ",":
        value = float(round(value))
    text = write_number(value, spec, language)
    amounts = [one for one in read_number(text) if one.matches(value, spec)]
    assert amounts, text
    again = rewrite(amounts[0], value, spec, language)
    assert matches(again, value, spec), again


@given(st.text(max_size=30))
def test_any_text_can_be_read(text):
    for one in read_number(text):
        one.matches(0.5, ".1%")
        assert rewrite(one, 0.5, ".1%", "fr")


def test_numbers_can_be_taken_as_they_are_counted():
    assert (str(scaled(0.825, ".1%")), str(shown(0.8251, ".1%"))) == ("82.500", "82.5")
    assert str(shown(488_664, ",")) == "488664"
    assert str(scaled(488_664, ".0K")) == "488.664"
    assert format_number(-0.015, "+.1p", "en") == "\u22121.5\u00a0pt"
