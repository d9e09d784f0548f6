"""Tables fit the page: widths, sizes, and when the page is turned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins.table_trees import table

from vault_sync.export import tables
from vault_sync.export.reading.pandoc_ast import find, plain


def test_a_small_table_is_left_alone():
    assert tables.fit(table([["a", "b"], ["1", "2"]])) == tables.TableFit(tables.NORMAL)


def test_a_sentence_gets_the_room_that_numbers_leave():
    fit = tables.fit(table([["n", "why"], ["12", "because " * 40]]))
    assert fit.size is tables.NORMAL
    assert fit.shares[1] > 0.8


def test_many_columns_get_smaller_letters():
    fit = tables.fit(table([["Parameters"] * 7, ["1,234,567 params"] * 7]))
    assert fit.size.name in ("small", "tiny")


def test_too_many_columns_turn_the_page():
    fit = tables.fit(table([["Parameters"] * 13, ["1,234,567"] * 13]))
    assert fit.size.turned


def test_long_words_may_be_broken_where_they_hold_punctuation():
    made = tables.breakable(table([["a"], ["doi:10.3390/electronics14030517"]]))
    text = plain(list(find(made, "Str"))[1])
    assert tables.BREAK in text
    assert text.replace(tables.BREAK, "") == "doi:10.3390/electronics14030517"


def test_short_words_and_numbers_stay_whole():
    rows = [["a"], ["re-use 0.0000144"]]
    assert tables.breakable(table(rows)) == table(rows)


@pytest.mark.parametrize("columns", [1, 2, 30])
def test_an_empty_table_is_a_table(columns):
    assert tables.fit(table([[""] * columns, [""] * columns])).shares == ()


cell = st.text(alphabet="ab 1.é", max_size=120)


@given(
    st.integers(1, 14).flatmap(
        lambda n: st.lists(st.lists(cell, min_size=n, max_size=n), min_size=1, max_size=5)
    )
)
def test_shares_make_a_whole(rows):
    fit = tables.fit(table(rows))
    assert fit.shares == () or abs(sum(fit.shares) - 1) < 1e-9
    assert all(share > 0 for share in fit.shares)
