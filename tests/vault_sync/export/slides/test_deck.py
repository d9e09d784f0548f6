"""A note is parted into slides as Obsidian or pandoc does, and what is said is no part of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.reading import pandoc
from vault_sync.export.reading.callouts import frame
from vault_sync.export.reading.pandoc_ast import block, header, plain, rewrite, words
from vault_sync.export.slides.deck import footnotes_below, slide_level, split
from vault_sync.export.slides.overflow import HTML, PPTX, count_lines
from vault_sync.export.slides.speaker_notes import take_notes

TEXTS = {
    "rules": "Opening.\n\n---\n\n## A\n\none\n\n## Not a slide\n\ntwo\n\n---\n\nno title\n\n---\n",
    "headings": "Opening.\n\n# A\n\none\n\n## Below\n\ntwo\n\n# B\n\nthree\n",
    "parts": "# Part\n\n## A\n\none\n\n## B\n\n# Other part\n\n## C\n\nthree\n",
    "ruled at once": "# A\n\none\n\n---\n\n# B\n",
    "nothing": "",
    "notes": (
        "# Line\n\nseen\n\nnote: said\n\nsaid too\n\n- and this\n\n"
        "# Callout\n\n> [!note]- Notes\n> in a box\n\nseen\n\n"
        "# Speaker\n\n> [!speaker]\n> spoken\n\n"
        "# Box\n\n> [!note] Title\n> a box that is seen\n\n"
        "# Fence\n\n::: notes\nin a fence\n\nand on\n:::\n\nseen\n\n"
        "# French\n\nNotes\u202f: dites\n\n"
        "# Prose\n\nNotebooks: seen. note: seen\n"
    ),
    "feet": "# A\n\none[^1] two[^2]\n\n[^1]: First.\n\n[^2]: Second.\n",
}


@pytest.fixture(scope="module")
def trees():
    """Every text of this module, parsed at once."""
    parsed = pandoc.read(list(TEXTS.values()))
    framed = rewrite(parsed, blocks=lambda row: frame(row, str.capitalize))
    return dict(zip(TEXTS, framed, strict=True))


def shown(slides):
    return [(plain(one.title), [plain(node) for node in one.blocks]) for one in slides]


def test_a_line_of_hyphens_alone_parts_slides_where_there_is_one(trees):
    assert shown(split(trees["rules"])) == [
        ("", ["Opening."]),
        ("A", ["one", "Not a slide", "two"]),
        ("", ["no title"]),
    ]


def test_headings_part_slides_where_there_is_no_line(trees):
    assert shown(split(trees["headings"])) == [
        ("", ["Opening."]),
        ("A", ["one", "Below", "two"]),
        ("B", ["three"]),
    ]


def test_a_heading_above_those_of_slides_opens_a_part(trees):
    slides = split(trees["parts"])
    assert [(plain(one.title), one.part, one.bare) for one in slides[1:]] == [
        ("Part", True, True),
        ("A", False, False),
        ("B", False, True),
        ("Other part", True, True),
        ("C", False, False),
    ]
    assert slide_level(trees["parts"]) == 2


def test_the_first_slide_has_the_title_of_the_talk_whatever_follows(trees):
    assert shown(split(trees["nothing"])) == [("", [])]
    assert shown(split(trees["ruled at once"])) == [("", []), ("A", ["one"]), ("B", [])]


def test_what_is_said_is_told_from_what_is_seen(trees):
    told = {
        plain(one.title): (
            [plain(node) for node in one.blocks],
            [plain(node) for node in one.notes],
        )
        for one in split(trees["notes"])[1:]
    }
    assert told == {
        "Line": (["seen"], ["said", "said too", "and this"]),
        "Callout": (["seen"], ["in a box"]),
        "Speaker": ([], ["spoken"]),
        "Box": (["Titlea box that is seen"], []),
        "Fence": (["seen"], ["in a fence", "and on"]),
        "French": ([], ["dites"]),
        "Prose": (["Notebooks: seen. note: seen"], []),
    }


def test_footnotes_stand_at_the_foot_of_their_slide(trees):
    slide = footnotes_below(split(trees["feet"])[1])
    assert plain(slide.blocks) == "one1 two21 First.2 Second."
    assert split(trees["headings"])[1] == footnotes_below(split(trees["headings"])[1])


ROWS = st.lists(
    st.sampled_from(
        [
            block("Para", words("some words")),
            block("Para", words("note: said")),
            {"t": "HorizontalRule"},
            header(1, words("One")),
            header(2, words("Two")),
        ]
    ),
    max_size=12,
)


@given(ROWS)
def test_no_word_is_lost_or_shown_twice(blocks):
    slides = split(blocks)
    told = " ".join(
        plain(part) for one in slides for part in (one.title, *one.blocks, *one.notes)
    ).split()
    kept = " ".join(plain(node) for node in blocks).replace("note: said", "said").split()
    assert sorted(told) == sorted(kept)
    assert not any(node["t"] == "HorizontalRule" for one in slides for node in one.blocks)


@given(ROWS)
def test_notes_are_taken_once(blocks):
    seen, _ = take_notes(blocks)
    assert take_notes(seen) == (seen, [])


def test_lines_are_counted_about_as_they_are_set():
    line = [block("Para", words("x" * HTML.letters))]
    assert 1 <= count_lines(line, HTML) <= 1.5
    bullets = [block("BulletList", [[block("Plain", words("word"))]] * 20)]
    assert count_lines(bullets, PPTX) > PPTX.lines > count_lines(bullets[:1] and line, PPTX)
    nested = [block("BulletList", [bullets])]
    assert count_lines(nested, PPTX) == count_lines(bullets, PPTX)
    code = [{"t": "CodeBlock", "c": [["", [], []], "a\nb\nc"]}]
    assert 3 <= count_lines(code, PPTX) <= 4
