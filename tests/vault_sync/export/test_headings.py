"""Links find the headings that Obsidian finds, and those that people mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.reading.headings import locate

NOTE = [(1, "Title"), (2, "Data"), (3, "Sizes"), (2, "5.2 YAML"), (3, "Sizes"), (2, "Loss \\ell_1")]


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("Data", 1),
        ("data ", 1),
        ("Sizes", 2),
        ("Data#Sizes", 2),
        ("5 2 YAML#Sizes", 4),
        ("Title#5.2 YAML#Sizes", 4),
        ("Gone#Sizes", 2),
        ("5 2 YAML", 3),
        ("5.2 YAML", 3),
        ("5.2: YAML?", 3),
        ("52-yaml", 3),
        ("Loss $ ell_1$", 5),
        ("Loss $\\ell_1$", 5),
        ("loss-ell-1", 5),
        ("**Data**", 1),
        ("_Data_", 1),
    ],
)
def test_links_find_their_heading(place, number):
    assert locate(NOTE, place) == [number]


def test_none_is_found_where_none_is_meant():
    assert locate(NOTE, "Nothing") == []
    assert locate(NOTE, "") == []
    assert locate([(2, "?!")], "!!") == []
    assert locate([], "x") == []


def test_a_slash_or_a_sharp_within_a_heading():
    assert locate([(2, "C# and F#"), (2, "a/b")], "C and F") == [0]
    assert locate([(2, "C# and F#"), (2, "a/b")], "C# and F#") == [0]
    assert locate([(2, "C# and F#"), (2, "a/b")], "a b") == [1]


def test_what_only_letters_tell_may_be_several():
    assert locate([(2, "a-b"), (2, "a_b"), (2, "c")], "ab") == [0, 1]
    assert locate([(2, "a-b"), (2, "a-b")], "a-b") == [0]


WORDS = st.text(alphabet="abé1 .:#|^[]$\\_-", max_size=12)


@given(WORDS)
def test_what_obsidian_writes_in_a_link_finds_its_heading(text):
    """Obsidian puts spaces for what a link can't hold."""
    link = text
    for dropped in "#|^:\\":
        link = link.replace(dropped, " ")
    link = link.replace("[[", " ").replace("]]", " ")
    if any(character.isalnum() for character in text):  # of signs alone little is left
        assert locate([(2, "other 2"), (2, text)], link) == [1]
