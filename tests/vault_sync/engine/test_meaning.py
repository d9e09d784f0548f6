"""Markdown that means the same is the same, and nothing that is said can be changed unnoticed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins.markdown_samples import EVERYTHING

from vault_sync.engine.meaning.sameness import LONGEST, respell, same
from vault_sync.engine.three_way import Decision, decide

BODY = EVERYTHING.encode().rstrip()
FORMATTED = {
    "emphasis": (r"(?m)^\*(.*)\*$", r"_\1_"),
    "strong": (r"\*\*([^*]+)\*\*", r"__\1__"),
    "cells": (r"(?m)^\| +", "|    "),
    "dashes": (r"(?m)^(\|:)-+", r"\1---"),
    "bullets": (r"(?m)^(   )- ", r"\1* "),
    "numbers": (r"(?m)^(\d)\. ", r"\1) "),
    "tight lists": (r"\n2\. second\n", "\n\n2. second\n\n"),
    "blank lines": (r"\n\n(?=[A-Z#|!>])", "\n\n\n"),
    "closed headings": (r"(?m)^(### .*)$", r"\1 ###"),
    "fences": (r"```text((?:.|\n)*?)```", r"~~~~ text\1~~~~"),
    "titles": (r'"A title 7"', "'A title 7'"),
    "broken lines": (r"split: AP", "split:\nAP"),
    "trailing space": (r"\.\n", ". \n"),
}
"""What formatters do to a text: a pattern, and what takes its place."""


@pytest.mark.parametrize("name", FORMATTED)
def test_what_a_formatter_lays_out_anew_is_the_same(name):
    changed = re.sub(*FORMATTED[name], EVERYTHING).encode()
    assert changed.rstrip() != BODY
    assert same(changed, BODY)
    assert same(respell(changed, BODY), BODY)


def test_definitions_may_stand_anywhere():
    text, _, definitions = EVERYTHING.partition("[^a]:")
    moved = f"[^a]:{definitions}\n{text}".encode()
    assert same(moved, BODY)
    assert same(moved.replace(b"[^a]: The", b"[^a]:\n    The"), BODY)
    assert not same(moved.replace(b"2024", b"2025"), BODY)


def test_a_setext_heading_is_a_heading():
    assert same(b"Title\n---\n\ntext", b"## Title\n\ntext")
    assert not same(b"Title\n===\n\ntext", b"## Title\n\ntext")


WORDS = [place for place, letter in enumerate(EVERYTHING) if letter.isalnum()]


@given(st.sampled_from(WORDS), st.sampled_from("0123456789abzÀ−"))
def test_no_letter_or_digit_changes_unnoticed(place, letter):
    changed = EVERYTHING[:place] + letter + EVERYTHING[place + 1 :]
    assert same(changed.encode(), BODY) == (changed == EVERYTHING)


@given(st.sampled_from(WORDS))
def test_none_goes_unnoticed(place):
    assert not same((EVERYTHING[:place] + EVERYTHING[place + 1 :]).encode(), BODY)


@given(
    st.integers(0, len(EVERYTHING)), st.sampled_from(["7", "x", "1 ", " é", "<!--7-->", "%%7%%"])
)
def test_nothing_comes_in_unnoticed(place, new):
    assert not same((EVERYTHING[:place] + new + EVERYTHING[place:]).encode(), BODY)


SIGNS = [place for place, letter in enumerate(EVERYTHING) if letter in "%.,−<&;=?/@$[]()"]


@given(st.sampled_from(SIGNS))
def test_no_sign_of_a_number_or_link_goes_unnoticed(place):
    changed = EVERYTHING[:place] + EVERYTHING[place + 1 :]
    assert not same(changed.encode(), BODY)


FIRST, SECOND = (line for line in EVERYTHING.splitlines(keepends=True) if "| [[v" in line)
CHANGED = {
    "order of rows": (f"{FIRST}{SECOND}", f"{SECOND}{FIRST}"),
    "order of words": ("no emphasis", "emphasis no"),
    "a link": ("[[v2@1|the student]]", "[[v1@1|the student]]"),
    "an address": ("a_b?x=1", "a_b?x=2"),
    "an attribute": ('data-x="31"', 'data-x="32"'),
    "a comment": ("<!-- 45 -->", "<!-- 54 -->"),
    "a private remark": ("%% private 67 %%", "%% private 76 %%"),
    "code": ("    epochs", "  epochs"),
    "code of a word": ("`val`", "val"),
    "a formula": ("$a*b_1*c$", "$a_b_1_c$"),
    "a formula of lines": ("\\frac{1}{2} \\\\", "\\frac{1}{2} \\"),
    "an escape of Obsidian's": ("\\[\\[no link\\]\\]", "[[no link]]"),
    "an escaped tag": ("\\#notag", "#notag"),
    "a surplus cell": ("hidden 12", "hidden −12"),
    "a definition that nothing shows": ('"Hidden 99"', '"Hidden 98"'),
    "the second of two definitions": ("org/3", "org/4"),
    "the number of an item": ("2. second", "3. second"),
    "the level of an item": ("   - nested 10", "- nested 10"),
    "the level of a heading": ("### 4.2", "#### 4.2"),
    "no emphasis": ("*Precision against", "Precision against"),
    "a callout's kind": ("[!note] Title 8", "[!tip] Title 8"),
    "a callout's title": ("Title 8\n> Body", "Title 8 Body"),
    "the side of a column": ("|--------:|", "|:--------|"),
    "a table": ("|:---------|--------:|:------------------------------|\n", ""),
    "a narrow space": ("78.3 %", "78.3\u202f%"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_says_something_else_is_not_the_same(name):
    old, new = CHANGED[name]
    assert old in EVERYTHING
    assert not same(EVERYTHING.replace(old, new).encode(), BODY)


MARKS = "a~7~ ~\n~\n\n~*~_~**~|~\n|-|-|\n~- ~1. ~> ~# ~`~```~$~$$~[[~]]~%%~<!--~-->~\\~    ~![~]("
fragments = st.sampled_from([*MARKS.split("~"), "[x]: ", "[^x]: "])
texts = st.lists(fragments, max_size=24).map(lambda parts: "".join(parts).encode())


@given(texts, texts)
def test_sameness_keeps_every_word_and_respelling_keeps_the_meaning(one, other):
    assert same(one, other) == same(other, one)
    if same(one, other):
        kept = re.findall(rb"\w", one.replace(b"_", b""))
        assert sorted(kept) == sorted(re.findall(rb"\w", other.replace(b"_", b"")))
    assert same(respell(one, other), one)


@pytest.mark.parametrize("deep", ["> " * 3000, "- " * 3000, "[" * 3000, "*a " * 3000])
def test_what_is_nested_too_deeply_is_only_the_same_where_it_is_equal(deep):
    assert not same(f"{deep}7".encode(), f"{deep}8".encode())
    assert same(deep.encode(), deep.encode())


def test_a_body_that_is_too_long_to_parse_is_compared_by_its_lines():
    long = b"word " * (LONGEST // 5 + 1)
    assert not same(long + b"*a*", long + b"_a_")
    assert respell(long, b"word") == long


def test_bytes_that_are_no_text_are_told_apart():
    assert not same(b"*a* \xff", b"_a_ \xfe")
    assert same(b"*a* \xff", b"_a_ \xff")


TABLE = "| Run | AP |\n| :-- | --: |\n| v1 | 71.0 |\n| v2 | 66.0 |\n"


def test_only_what_differs_is_spelled_otherwise():
    formatted = re.sub(r"\*(Pre.*)\*", r"_\1_", EVERYTHING).replace("|:----", "|:-------")
    edited = formatted.replace("66.0 %", "67.0 %").encode()
    assert respell(edited, BODY) == BODY.replace(b"66.0 %", b"67.0 %")


def test_an_edit_in_a_text_that_was_formatted_merges_with_the_new_version():
    base = b"*Caption.*\n\none\n\n" + TABLE.encode() + b"\nend"
    disk = re.sub(rb"\*(.*)\*", rb"_\1_", base).replace(b"| v1 |", b"| v1    |")
    new = base.replace(b"66.0", b"68.0")
    assert decide(base, disk, new).decision is Decision.WRITE
    made = decide(base, disk.replace(b"one", b"my own"), new)
    assert made.decision is Decision.MERGE
    assert made.body == new.replace(b"one", b"my own")


def test_a_row_that_went_leaves_the_others_as_they_are_spelled():
    formatted = TABLE.replace("| v1 |", "|v1|").encode() + b"\nend"
    assert respell(formatted, TABLE.replace("| v2 | 66.0 |\n", "").encode() + b"\nend") == (
        TABLE.encode() + b"\nend"
    )


@pytest.mark.parametrize("text", ["> " * 70 + "a 7", "- " * 70 + "a 7", "&#7; text"])
def test_no_letter_or_digit_that_no_parser_shows_changes_unnoticed(text):
    assert not same(text.replace("7", "8").encode(), text.encode())
    assert same(f"*x*\n\n{text}".encode(), f"_x_\n\n{text}".encode())


@pytest.mark.parametrize("text", ["${}$", "a ${}$ b", "$$\n{}\n$$", "%%{}%%", "[[{}]]"])
def test_what_is_no_markdown_is_taken_as_it_stands(text):
    starred, underscored = (text.format(f"({mark}b{mark})") for mark in "*_")
    assert not same(starred.encode(), underscored.encode())
