"""Raised digits that LaTeX's letters lack are raised by LaTeX itself."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.raised_letters import raise_letters
from vault_sync.export.reading.pandoc_ast import plain, string


def test_a_power_of_ten_keeps_its_power():
    assert raise_letters(string("1,4×10⁻⁵.")) == [
        string("1,4×10"),
        {"t": "Superscript", "c": [string("−5")]},
        string("."),
    ]


def test_lowered_digits_are_lowered():
    assert raise_letters(string("H₂O")) == [
        string("H"),
        {"t": "Subscript", "c": [string("2")]},
        string("O"),
    ]


def test_a_square_stays_as_every_font_has_it():
    assert raise_letters(string("640²")) == [string("640²")]


def test_code_stays_as_it_is():
    code = {"t": "Code", "c": [["", [], []], "x⁵"]}
    assert raise_letters(code) == [code]


@given(st.text(alphabet="ab1²⁻⁵ⁿ₀₃(+", min_size=1, max_size=20))
def test_no_letter_is_lost(text):
    shown = plain(raise_letters(string(text)))
    assert unicodedata.normalize("NFKC", shown) == unicodedata.normalize("NFKC", text)
