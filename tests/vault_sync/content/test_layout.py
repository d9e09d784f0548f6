"""Blocks are written as formatters would leave them, and still say what they said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins.markdown_samples import EVERYTHING

from vault_sync.content.layout import settle
from vault_sync.engine.meaning.sameness import same
from vault_sync.rendering.markdown import table

LAID_OUT = {
    "padding": (
        "| a | bcd |\n|:--|--:|\n| 1234 | 5 |",
        "| a    | bcd |\n| :--- | --: |\n| 1234 |   5 |",
    ),
    "centred": ("|a|b|\n|:-:|-|\n|1|2345|", "|  a  | b    |\n| :-: | ---- |\n|  1  | 2345 |"),
    "wide letters": ("| 顔 |\n|--|\n| abcd |", "| 顔   |\n| ---- |\n| abcd |"),
    "an escaped bar": ("| a |\n|--|\n| [[x\\|y]] |", "| a        |\n| -------- |\n| [[x\\|y]] |"),
    "italics": ("*Training of v1@1: `a_b`.*", "_Training of v1@1: `a_b`._"),
    "italics with an id": ("*Training.* ^fig-loss", "_Training._ ^fig-loss"),
    "uneven rows": ("| a |\n|--|\n| b | c |", "| a |\n|--|\n| b | c |"),
    "code": ("```\n| a |\n|--|\n*x*\n```", "```\n| a |\n|--|\n*x*\n```"),
    "after code": ("~~~\n```\n~~~\n*x*", "~~~\n```\n~~~\n_x_"),
    "a list": ("* a *b*", "* a *b*"),
    "emphasis inside": ("*a _b_ c*", "*a _b_ c*"),
    "strong": ("**a**", "**a**"),
    "an escaped end": ("*a\\*", "*a\\*"),
    "no table": ("| a |\n| b |", "| a |\n| b |"),
}


@pytest.mark.parametrize("name", LAID_OUT)
def test_it_is_laid_out_as_a_formatter_has_it(name):
    text, settled = LAID_OUT[name]
    assert settle(text) == settled
    assert settle(settled) == settled
    assert same(text.encode(), settled.encode())


def test_all_that_a_block_may_hold_keeps_its_meaning():
    assert same(settle(EVERYTHING).encode(), EVERYTHING.encode())
    assert settle(EVERYTHING) != EVERYTHING


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=4))
def test_whatever_its_cells_hold_a_table_keeps_its_meaning(rows):
    text = str(table(rows[0], rows[1:], numeric=[1]))
    settled = settle(text)
    assert same(text.encode(), settled.encode())
    assert settle(settled) == settled


lines = st.lists(st.text(st.sampled_from("ab *_`\\|-:\n7"), max_size=12), max_size=6)


@given(lines.map("\n".join))
def test_any_text_keeps_its_words(text):
    assert re.findall(r"\w", settle(text).replace("_", "")) == re.findall(
        r"\w", text.replace("_", "")
    )
