"""Bound numbers are found wherever prose stands, and broken ones are told with their place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vault_sync.prose.bindings import REASONS, find_bindings, may_hold
from vault_sync.prose.passages import find_passages
from vault_sync.prose.plain import find_numbers, find_text

ONE = "<!--t:v2@best widerface.hard.ap .1%-->82.5 %<!--/t-->"


def found(text):
    """Give line, column, reference and text of each bound number."""
    return [
        (one.place.line, one.place.column, one.reference, one.text)
        for one in find_bindings(text.encode()).numbers
    ]


def faults(text):
    return [
        (one.place.line, one.place.column, one.reason)
        for one in find_bindings(text.encode()).faults
    ]


@pytest.mark.parametrize(
    ("before", "column"),
    [
        ("", 1),
        ("reaches ", 9),
        ("# ", 3),
        ("- ", 3),
        ("- a\n\n    1. ", 8),
        ("> ", 3),
        ("> [!note] ", 11),
        ("> > - ", 7),
        ("| AP | ", 8),
        ("- [ ] ", 7),
        ("été 📏 ", 7),
        ("`code` ", 8),
        ("`` a ` b `` ", 13),
        ("a lone ` ", 10),
        ("\\` ", 4),
        ("[^1]: ", 7),
        ("<!-- a remark --> ", 19),
        ("**", 3),
        ("$x$ ", 5),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_number_is_found_wherever_prose_stands(before, column, ending):
    before = before.replace("\n", ending)
    text = f"A line.{ending}{ending}{before}{ONE}"
    line = 3 + before.count(ending)
    assert found(text) == [(line, column, "v2@best widerface.hard.ap .1%", "82.5 %")]
    assert faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{ONE}\n```\n",
        f"~~~~ text\n```\n{ONE}\n~~~~\n",
        f"> ```\n> {ONE}\n> ```\n",
        f"- ```\n  {ONE}\n  ```\n",
        f"1. a\n\n    ```\n    {ONE}\n    ```\n",
        f"`{ONE}`\n",
        f"`` {ONE} ` ``\n",
        f"a `span\nof {ONE} two lines`\n",
        f"---\nhypothesis: {ONE}\n---\n",
        f"<!-- thesis:begin id=a template=b -->\n\n{ONE}\n\n<!-- thesis:end id=a -->\n",
        "\\<!--t:v2 params.total ,-->1\\<!--/t-->\n",
        "<!-- thesis, to do: 82.5 -->\n",
        "<!-- t for two -->\n",
        "<!--t:own-->\n",
        "It is. <!-- t:own --> Next\n",
        f"A line.\n\n    {ONE}\n",
        f"A line.\n\n\t1. {ONE}\n",
        f"# Head\n    {ONE}\n\n\n    {ONE}\n",
        f"- a\n\n      {ONE}\n",
    ],
)
def test_what_is_no_prose_is_passed_by(text):
    assert found(text) == []
    assert faults(text) == []
    both = found(f"{text}\n{ONE}\n")
    assert [one[2] for one in both] == ["v2@best widerface.hard.ap .1%"]


def test_a_fence_ends_with_the_quote_or_the_item_that_holds_it():
    assert len(found(f"> ```\n> code\n\n{ONE}\n")) == 1
    assert len(found(f"- ```\n  code\n\nText {ONE}\n")) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb <!--t:v2 x-->1 and no end\n\nc<!--/t-->", [(2, 3, "no-end"), (4, 2, "no-begin")]),
        ("| <!--t:v2 x-->1 |\n| 2<!--/t--> |", [(1, 3, "no-end"), (2, 4, "no-begin")]),
        ("82 %<!--/t-->", [(1, 5, "no-begin")]),
        (f"<!--t:v2 x-->1 {ONE}<!--/t-->", [(1, 16, "nested")]),
        ("<!--t:v2 x--><!--t:v2 x-->1<!--/t-->", [(1, 1, "no-end"), (1, 14, "nested")]),
        ("<!-- t:v2 x-->1<!-- /t -->", [(1, 1, "malformed"), (1, 16, "malformed")]),
        ("<!--t:v2 x 82 %", [(1, 1, "malformed")]),
        ("<!--t:v2\nx-->82 %<!--/t-->", [(1, 1, "malformed"), (2, 9, "no-begin")]),
        (f"é\n\n```\n{ONE}\n", [(3, 1, "fence")]),
        ("<!-- thesis:begin id=a -->\n" + ONE, [(1, 1, "blocks")]),
    ],
)
def test_broken_ones_are_told_with_line_and_column(text, expected):
    assert faults(text) == expected
    assert found(text) == []
    assert all(reason in REASONS for _, _, reason in expected)


def test_a_nested_one_spoils_only_its_neighbour():
    text = f"<!--t:v2 x-->1 {ONE}<!--/t-->\n\n{ONE}\n"
    assert [one[0] for one in found(text)] == [3]


def test_a_number_may_be_wrapped_and_stand_twice_in_a_line():
    wrapped = ONE.replace("82.5 %", "82.5\n%")
    assert found(f"{wrapped} and {ONE}")[0][3] == "82.5\n%"
    assert [one[1] for one in found(f"{ONE} {ONE}")] == [1, len(ONE) + 2]


def test_a_multi_line_comment_hides_a_fence_but_no_number_after_it():
    assert len(found(f"<!-- old\n\n```\n-->\n\n{ONE}\n")) == 1


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "<!--t:", "-->", "<!--/t-->", ONE, "<!--", "`", "```", "~~~", "\n", "\r\n", "\r",
                "> ", "- ", "|", "    ", "---", "<!-- thesis:begin id=a -->", "\\", "$", "[[", "]]",
                "<!-- thesis:end id=a -->", "82.5 %", "488 664", "\u202f", "é", "📏", "%%", "\x00",
            ]
        ).map(str.encode),
        st.binary(max_size=6),
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(PIECES)
@example(b"\xef\xbb\xbf---\r\n<!--t:")
def test_any_bytes_can_be_scanned(data):
    bindings = find_bindings(data)
    place = 0
    for one in bindings.numbers:
        assert place <= one.start < one.text_start <= one.text_stop < one.stop <= len(data)
        assert data[one.start :].startswith(b"<!--t:")
        assert data[: one.stop].endswith(b"<!--/t-->")
        assert one.text == data[one.text_start : one.text_stop].decode("utf-8", "replace")
        place = one.stop
    assert may_hold(data) or not bindings.faults
    passages = find_passages(data)
    assert all(start < stop for start, stop in passages.stretches)
    for plain in find_numbers(data):
        assert data[plain.start : plain.stop].decode("utf-8", "surrogateescape") == plain.text
    assert all(data[start:stop] == b"82.5 %" for start, stop in find_text(data, "82.5 %"))


PROSE = st.text(
    st.characters(exclude_characters="`<>\\~|#-*+>", exclude_categories=["Cs", "Cc"]), max_size=60
)


@given(PROSE, PROSE)
def test_any_prose_around_a_number_is_left_out_of_it(before, after):
    text = f"a{before}{ONE}{after}"
    (one,) = find_bindings(text.encode()).numbers
    assert one.start == len(f"a{before}".encode())
    assert one.text == "82.5 %"
