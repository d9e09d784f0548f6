"""Names, captions and references are read as people write them; what only looks so stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.reading.labels import kind_of, parse_attributes
from vault_sync.export.reading.obsidian import translate


def read(text, known=()):
    return translate(text, "0", known)


@pytest.mark.parametrize(
    ("note", "form", "names", "capital"),
    [
        ("@fig:x shows", "full", ("fig:x",), False),
        ("(@Tbl:long-name_2).", "full", ("tbl:long-name_2",), True),
        ("-@eq:a", "number", ("eq:a",), False),
        ("[-@sec:x]", "number", ("sec:x",), False),
        ("[@fig:x; @fig:y;@eq:z]", "full", ("fig:x", "fig:y", "eq:z"), False),
        ("@{fig:x}", "full", ("fig:x",), False),
        ("\\ref{any name}", "number", ("any name",), False),
        ("\\eqref{a}", "brackets", ("a",), False),
        ("$\\eqref{a}$", "brackets", ("a",), False),
        ("\\cref{a,b}", "full", ("a", "b"), False),
        ("\\Cref{a}", "full", ("a",), True),
    ],
)
def test_a_reference_is_read(note, form, names, capital):
    (reference,) = read(note).cross_references
    assert (reference.form, reference.names, reference.capital) == (form, names, capital)
    assert "thesis-refer:0.0" in read(note).text


NO_REFERENCE = [
    "`@fig:x`",
    "a@fig:x",
    "\\@fig:x",
    "@figure and @fig: and @lst:x",
    "```\n\\ref{x}\n```",
    "https://example.org/@fig:x",
]


def test_what_only_looks_like_a_reference_stays():
    assert not [note for note in NO_REFERENCE if read(note).cross_references]
    assert not [note for note in NO_REFERENCE if read(note).text != note]


def test_a_work_of_the_bibliography_comes_first():
    made = read("[@fig:x] and @fig:x", {"fig:x"})
    assert not made.cross_references
    assert len(made.citations) == 2


def test_works_and_figures_in_one_pair_of_brackets_part():
    made = read("[see @fig:x; @lee2020, p. 3]")
    assert made.text == "[x](thesis-refer:0.0) [x](thesis-cite:0.0)"
    assert made.cross_references[0].before == "see"


@pytest.mark.parametrize(
    ("note", "comment"),
    [
        ("![a](b.png){#fig:x}", "<!--thesis-label:fig:x-->"),
        ("![a](b (1).png){width=50%}", "<!--thesis-label: 302-->"),
        ("![[b.png|a]]{#fig:x width=5cm}", "<!--thesis-label:fig:x 189-->"),
        ('![a](b.png "t"){#plain .c key="a b"}', "<!--thesis-label:plain-->"),
        ("$$x$$ {#eq:x}", "<!--thesis-label:eq:x-->"),
        (": Words {#tbl:x}", "<!--thesis-label:tbl:x-->"),
        ("## Head {#any-id}", "<!--thesis-label:any-id-->"),
        ("## Head {-}", "<!--thesis-label: unnumbered-->"),
        ("## Head {.unnumbered} ##", "<!--thesis-label: unnumbered--> ##"),
    ],
)
def test_braces_are_read_where_they_belong(note, comment):
    assert read(note).text.endswith(comment)


@pytest.mark.parametrize(
    "note",
    ["{#x} alone", "a set {1, 2}", "text {.c}", "`{#fig:x}`", "![a](b){#fig:--x}", "{#fig:x y}"],
)
def test_other_braces_stay(note):
    assert read(note).text == note


def test_the_line_of_each_name_is_known():
    made = read("a ^one\n\n$$x \\label{eq:x}$$\n\n![](a.png){#fig:x}\n")
    assert made.names == [("^one", 1), ("eq:x", 3), ("fig:x", 5)]


def test_a_caption_and_a_table_are_parted_from_what_is_above():
    table = "| a |\n|---|\n| 1 |"
    assert read(f"{table}\n: Words").text == f"{table}\n\n: Words"
    assert read(f"> {table.replace(chr(10), chr(10) + '> ')}\n> : W").text.endswith("\n>\n> : W")
    assert read(f"text\n{table}").text == f"text\n\n{table}"
    assert read(f"> [!note]\n> {table}").text.startswith("> [!note]\n>\n> | a |")
    for whole in (table, f"text\n\n{table}", "a | b\n--|--\n1 | 2", "a\n: b", "Head\n---\n"):
        assert read(whole).text == whole


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("fig4", "figure"),
        ("Fig-x", "figure"),
        ("tab-un", "table"),
        ("tbl:x", "table"),
        ("eq_1", "equation"),
        ("sec:x", "section"),
        ("figment", ""),
        ("equal", ""),
        ("", ""),
    ],
)
def test_a_name_says_what_it_is_of(name, kind):
    assert kind_of(name) == kind


PIECES = ["{#fig:x", "}", "{", "@fig:x", "[@eq:y; ", "]", "$$", "\\label{a}", "\\ref{b}", "![[p]]"]
PIECES += ["\n", "\n\n", "> ", "| a |", "\n|--|\n", ": c", " ^fig-x", "*c*", "`", "# ", " "]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_note_is_translated(note):
    made = read(note)
    assert made.text.count("thesis-refer:0.") == len(made.cross_references)
    assert all(1 <= line <= note.count("\n") + 1 for _, line in made.names)


@given(st.text(max_size=40))
def test_braces_hold_a_plain_name_or_nothing(text):
    found = parse_attributes(f"{{{text}}}")
    assert found is None or ("--" not in found.name and " " not in found.name)
    assert found is None or found.width == "" or int(found.width) > 0
