"""Tables that no page holds become several; no table is set in letters that nobody reads."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins.table_trees import table

from vault_sync.export import tables
from vault_sync.export.reading.callouts import CALLOUT
from vault_sync.export.reading.pandoc_ast import div, find, plain
from vault_sync.export.wide_tables import split_wide


def wide(columns, rows=2):
    head = ["Model", *(f"Criterion{at}" for at in range(1, columns))]
    return table(
        [head, *([f"row {row}", *(["12,345.6 ms"] * (columns - 1))] for row in range(rows))]
    )


def parts_of(blocks):
    return list(find(blocks, "Table"))


def heads(one):
    return [plain(cell[4]) for cell in one["c"][3][1][0][1]]


def test_what_fits_a_turned_page_is_left_alone():
    one = table([["Parameters"] * 12, ["1,234,567"] * 12])
    assert split_wide([one], "(continued)") == [one]
    assert tables.fit(one).size.turned


def test_each_part_repeats_the_first_column_and_none_is_lost():
    whole = wide(40)
    blocks = split_wide([whole], "(continued)")
    parts = parts_of(blocks)
    assert len(parts) > 2
    assert all(heads(part)[0] == "Model" for part in parts)
    assert [name for part in parts for name in heads(part)[1:]] == heads(whole)[1:]
    assert [plain(node) for node in blocks if node["t"] == "Para"] == ["(continued)"] * (
        len(parts) - 1
    )
    assert {tables.fit(part).size for part in parts} == {tables.SIZES[1]}
    counts = [len(heads(part)) for part in parts]
    assert max(counts) - min(counts) <= 3


def test_only_the_first_part_has_the_name_and_the_caption():
    whole = wide(40)
    whole["c"][0][0] = "tbl-x"
    whole["c"][1] = [None, [{"t": "Plain", "c": [{"t": "Str", "c": "Caption"}]}]]
    first, *rest = parts_of(split_wide([whole], "…"))
    assert first["c"][0][0] == "tbl-x"
    assert plain(first["c"][1]) == "Caption"
    assert all(part["c"][0][0] == "" and part["c"][1] == [None, []] for part in rest)


def test_in_a_callout_no_page_is_turned():
    one = table([["Parameters"] * 12, ["1,234,567"] * 12])
    for around in (
        div([one], "", CALLOUT),
        {"t": "BlockQuote", "c": [one]},
        {"t": "BulletList", "c": [[one]]},
    ):
        parts = parts_of(split_wide([around], "…"))
        assert len(parts) > 1
        assert not any(tables.fit(part).size.turned for part in parts)


def test_a_small_table_in_a_callout_stays_one():
    one = table([["a", "b", "c"], ["1", "2", "3"]])
    (part,) = parts_of(split_wide([div([one], "", CALLOUT)], "…"))
    assert tables.fit(part).size is tables.NORMAL


def test_in_a_division_that_only_names_it_a_table_is_split():
    (outer,) = split_wide([div([wide(40)], "tbl-x")], "…")
    assert outer["c"][0][0] == "tbl-x"
    assert len(parts_of([outer])) > 2


def test_cells_over_several_columns_are_never_torn():
    whole = wide(40)
    whole["c"][3][1][0][1][0][3] = 2
    assert split_wide([whole], "…") == [whole]


def test_no_size_is_too_small_to_read():
    assert min(size.points for size in tables.SIZES) >= tables.SMALLEST == 8


@given(
    st.integers(3, 30).flatmap(
        lambda n: st.lists(
            st.lists(st.text(alphabet="abM 1.", max_size=20), min_size=n, max_size=n),
            min_size=1,
            max_size=4,
        )
    )
)
@settings(max_examples=60)
def test_splitting_keeps_every_cell(rows):
    whole = table(rows)
    parts = parts_of(split_wide([whole], "…"))
    kept = [heads(parts[0])[0], *(name for part in parts for name in heads(part)[1:])]
    assert kept == heads(whole)
    assert all(len(tables.cells(part)) == len(rows) for part in parts)


def test_what_can_not_be_split_in_a_callout_turns_no_page_either():
    one = table([["a", "b"], ["long words " * 300, "more words " * 300]])
    assert tables.fit(one).size.turned
    (part,) = parts_of(split_wide([div([one], "", CALLOUT)], "…"))
    assert not tables.fit(part).size.turned
