"""What is counted, in which order, and where each program would count otherwise."""

from __future__ import annotations

from vault_sync.export.reading.pandoc_ast import block, div, header, span, string, words
from vault_sync.export.references.captions import compose
from vault_sync.export.references.numbering import APPENDICES, number
from vault_sync.export.references.word_fields import bookmark, restarts
from vault_sync.export.references.word_numbering import (
    HEADING_MARK,
    add_lists,
    heading_styles,
    number_headings,
    number_styles,
)


def picture(words_of, name=""):
    image = {"t": "Image", "c": [["", [], []], words(words_of), ["p.png", ""]]}
    mark = [span([], name, "thesis-anchor")] if name else []
    return block("Para", [image, *mark])


def counted(blocks, *, by_chapter=True):
    made, numbers = number(compose(blocks), lambda text: f"new-{text}", by_chapter=by_chapter)
    return made, numbers, [(entry.kind, entry.number) for entry in numbers.entries.values()]


def test_chapters_begin_anew_and_appendices_have_letters():
    blocks = [
        picture("before"),
        header(1, words("One"), "one"),
        picture("a"),
        block("BlockQuote", [picture("b")]),
        header(2, words("Within"), "within"),
        picture("c"),
        header(1, words("Two"), "two"),
        picture("d"),
        div([], "", APPENDICES),
        header(1, words("Three"), "three"),
        picture("e"),
    ]
    figures = [number for kind, number in counted(blocks)[2] if kind == "figure"]
    assert figures == ["1", "1.1", "1.2", "1.3", "2.1", "A.1"]
    through = [n for kind, n in counted(blocks, by_chapter=False)[2] if kind == "figure"]
    assert through == ["1", "2", "3", "4", "5", "6"]


def test_a_level_that_is_left_out_has_no_number():
    blocks = [
        header(1, words("One"), "one"),
        header(3, words("Deep"), "deep"),
        header(4, words("Deeper"), "deeper"),
        header(2, words("Next"), "next"),
    ]
    made, _, numbers = counted(blocks)
    assert [text for _, text in numbers] == ["1", "1.1", "", "1.2"]
    assert [node["c"][0] for node in made] == [1, 2, 4, 2]


def test_a_heading_without_number_keeps_the_count():
    blocks = [
        header(1, words("One"), "one"),
        picture("a"),
        header(1, words("Bare"), "bare", "unnumbered"),
        picture("b"),
        header(1, words("Two"), "two"),
        picture("c"),
    ]
    _, numbers, told = counted(blocks)
    assert [text for _, text in told] == ["1", "1.1", "", "1.2", "2", "2.1"]
    assert restarts(numbers) == {"new-figure-1.2"}


def test_word_is_told_where_a_note_at_the_foot_was_counted():
    note = {"t": "Note", "c": [picture("a")]}
    blocks = [header(1, words("One"), "one"), block("Para", [string("x"), note]), picture("b")]
    _, numbers, told = counted(blocks)
    assert told == [("section", "1"), ("figure", "1.1"), ("figure", "1.2")]
    assert restarts(numbers) == {"new-figure-1.2"}


def test_all_names_of_a_figure_are_one():
    blocks = [
        picture("a", "first"),
        div([], "second", "thesis-anchor"),
        block("Para", [{"t": "Link", "c": [["", [], []], words("x"), ["#second", ""]]}]),
    ]
    made, numbers, _ = counted(blocks)
    assert numbers.find("second") is numbers.find("first")
    assert made[1]["c"][0]["c"][2][0] == "#first"


def test_a_note_that_is_shown_twice_is_counted_twice():
    shown = picture("a")
    assert [number for _, number in counted([shown, shown], by_chapter=False)[2]] == ["1", "2"]


def test_the_name_of_a_bookmark_is_one_that_word_takes():
    names = [bookmark("x" * length) for length in range(1, 80)]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) == 40


STYLES = (
    '<w:styles><w:style w:type="paragraph" w:styleId="Titre1"><w:name w:val="heading 1"/>'
    '<w:pPr><w:keepNext/><w:spacing w:before="1"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Titre2"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Titre3"><w:name w:val="heading 3"/><w:pPr><w:numPr>'
    '<w:numId w:val="7"/></w:numPr></w:pPr></w:style></w:styles>'
)


def test_headings_of_any_language_are_counted_by_word():
    assert heading_styles(STYLES) == {1: "Titre1", 2: "Titre2", 3: "Titre3"}
    made = number_styles(STYLES)
    assert made.index("<w:keepNext/>") < made.index("<w:numPr>") < made.index("<w:spacing")
    assert made.count("<w:numPr>") == 3  # the third counts already, as its own list says
    lists = add_lists('<w:numbering><w:num w:numId="1"/></w:numbering>', heading_styles(STYLES))
    assert lists.rindex("<w:abstractNum ") < lists.index("<w:num ")
    assert '<w:pStyle w:val="Titre2"/><w:lvlText w:val="%1.%2"/>' in lists


def test_headings_of_appendices_and_bare_ones_leave_the_list():
    paragraph = '<w:p><w:pPr><w:pStyle w:val="Titre2"/></w:pPr>{}</w:p>'
    made = number_headings(
        "".join(
            paragraph.format(HEADING_MARK.format(kind)) for kind in ("chapter", "appendix", "none")
        )
    )
    assert "thesis-heading" not in made
    plain, lettered, bare = made.split("</w:p>")[:3]
    assert "numPr" not in plain
    assert '<w:ilvl w:val="1"/><w:numId w:val="98002"/>' in lettered
    assert '<w:numId w:val="0"/>' in bare
