import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.engine.meaning.sameness import same
from vault_sync.engine.three_way import Decision, decide, merge

TABLE = b"| a | b |\n|:--|--:|\n| 1 | 2 |"
PADDED = b"| a   |   b |\n| :---- | ----: |\n| 1   |   2 |"
BASE = b"one\ntwo\nthree\nfour\nfive"

CELLS = [
    # base, disk, new, decision
    (b"x", b"x", b"x", Decision.UNCHANGED),
    (b"x", b"y", b"y", Decision.UNCHANGED),
    (None, b"y", b"y", Decision.UNCHANGED),
    (None, b"", b"y", Decision.WRITE),
    (b"x", b"", b"y", Decision.WRITE),
    (b"x", b"x", b"y", Decision.WRITE),
    (b"x", b"x", b"", Decision.WRITE),
    (TABLE, PADDED, TABLE, Decision.UNCHANGED),
    (TABLE, PADDED, b"other", Decision.WRITE),
    (b"a b", b"a  b \n", b"c", Decision.WRITE),
    (b"x", b"edited", b"x", Decision.EDITED),
    (BASE, BASE.replace(b"two", b"TWO"), BASE.replace(b"five", b"FIVE"), Decision.MERGE),
    (BASE, BASE.replace(b"two", b"TWO"), BASE.replace(b"two", b"2"), Decision.CONFLICT),
    (BASE, BASE.replace(b"two", b"TWO"), BASE.replace(b"three", b"3"), Decision.CONFLICT),
    (None, b"edited", b"x", Decision.CONFLICT),
]


@pytest.mark.parametrize(("base", "disk", "new", "decision"), CELLS)
def test_every_cell_of_the_table(base, disk, new, decision):
    assert decide(base, disk, new).decision is decision


def test_a_merge_holds_both_changes():
    verdict = decide(BASE, BASE.replace(b"two", b"TWO"), BASE.replace(b"five", b"FIVE"))
    assert verdict.body == b"one\nTWO\nthree\nfour\nFIVE"


lines = st.lists(st.sampled_from([b"a", b"b", b"c", b""]), max_size=6).map(b"\n".join)


@given(lines, lines)
def test_merging_with_an_unchanged_side_gives_the_other(base, changed):
    assert merge(base, changed, base) == changed
    assert merge(base, base, changed) == changed
    assert merge(base, changed, changed) == changed


@given(lines, lines, lines)
def test_merging_knows_no_first_and_second_side(base, one, other):
    assert merge(base, one, other) == merge(base, other, one)


@pytest.mark.parametrize("other", [b"| a | c |\n|:--|--:|\n| 1 | 2 |", b"| a | b |", b""])
def test_other_words_are_not_padding(other):
    assert not same(TABLE, other)


def test_an_escaped_bar_is_no_border():
    assert not same(b"| a \\| b |", b"| a | b |")
