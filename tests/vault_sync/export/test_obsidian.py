"""Obsidian's Markdown becomes CommonMark; code, formulas and addresses are never touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.reading.obsidian import translate


def text_of(text, known=()):
    return translate(text, "0", known).text


@pytest.mark.parametrize(
    ("note", "made"),
    [
        ("a %%hidden%% b", "a  b"),
        ("a %%one\n\ntwo%% b", "a  b"),
        ("<!--t:v2@best widerface.hard.ap .1%-->82.5 %<!--/t--> of faces", "82.5 % of faces"),
        ("<!-- thesis:begin id=a template=b sha=c -->\n\nx\n", "\n\nx\n"),
        ("text <!-- a\nb --> text", "text  text"),
        ("==bright *words*== here", "<mark>bright *words*</mark> here"),
        ("Title\n=====\n", "Title\n=====\n"),
        ("a == b and c == d", "a == b and c == d"),
        ("a line ^block-1\nnext", "a line <!--thesis-anchor:block-1-->\nnext"),
        ("x^2 and a^b", "x^2 and a^b"),
        ("#one #two/three\ntext", " \ntext"),
        ("a #word in it", "a word in it"),
        ("# Heading\n## Second", "# Heading\n## Second"),
        ("issue #12 and C#", "issue #12 and C#"),
        ("- [/] half\n- [X] done\n- [ ] open", "- [ ] half\n- [x] done\n- [ ] open"),
        ("key:: value", "key: value"),
        ("(key:: value) and [other:: 3]", "value and other: 3"),
        ("**key**:: value", "**key**: value"),
        ("- my key:: value", "- my key: value"),
        ("[by:: [[Doe]]] (at:: [x](y))", "by: [x](thesis-link:0.0) (at:: [x](y))"),
        ("[a::b] and f(x::y)", "[a::b] and f(x::y)"),
        ("std::vector and a::b", "std::vector and a::b"),
        ("<% tp.date.now() %>x", "x"),
        ("`= this.file.name`x", "x"),
        ("`$= dv.pages()`x", "x"),
        ("`=SUM(A1)` and `a == b`", "`=SUM(A1)` and `a == b`"),
    ],
)
def test_what_only_obsidian_knows_is_resolved(note, made):
    assert text_of(note) == made


KEPT = [
    "`[[no link]] ==x== %%y%% <% z %>`",
    "`` a ` [[b]] ``",
    "```python\n[[x]] %%y%% #tag\n```",
    "~~~\n<!-- kept -->\n~~~",
    "> ```\n> [[x]]\n> ```",
    "1. step\n   ```\n   %%x%%\n   ```",
    "text\n\n    [[indented code]]\n\ntext",
    "$[[1, 2]]$ and $$\na == b\n[[c]]\n$$",
    "5 $ or 6 $, [1] and [x](y)",
    "https://example.org/#frag==a==b%%c",
    "[words](https://example.org/a#b==c)",
    r"\[\[not a link]] \%\% \#tag",
    "a@b.c, v1@1 and @last",
]


@pytest.mark.parametrize("note", KEPT)
def test_code_formulas_and_addresses_stay(note):
    assert text_of(note) == note


def test_text_in_a_list_is_no_code():
    made = translate("- item\n\n    with [[a link]]\n", "0")
    assert [one.target for one in made.references] == ["a link"]


@pytest.mark.parametrize(
    ("link", "target", "place", "words"),
    [
        ("[[Note]]", "Note", "", "x"),
        ("[[Note|words]]", "Note", "", "words"),
        (r"[[Note\|words]]", "Note", "", "words"),
        ("[[a/b#Head|w]]", "a/b", "Head", "w"),
        ("[[#Head]]", "", "Head", "x"),
        ("[[Note#^block]]", "Note", "^block", "x"),
        ("[[Note#A#B]]", "Note", "A#B", "x"),
    ],
)
def test_links_are_read(link, target, place, words):
    made = translate(f"one\n\n{link}", "7")
    (reference,) = made.references
    assert (reference.target, reference.place, reference.line) == (target, place, 3)
    assert made.text.endswith(f"[{words}](thesis-link:7.0)")


def test_embeds_keep_their_size_and_caption():
    made = translate("![[a.png|what it shows|300]]", "0")
    (reference,) = made.references
    assert reference.embed
    assert reference.options == ("what it shows", "300")


def test_citations_are_read():
    made = translate("[see @kim2025, p. 3; -@lee] and @kim2025, not @other", "0", {"kim2025"})
    (first, second), (third,) = made.citations
    assert (first.key, first.before, first.after) == ("kim2025", "see", ", p. 3")
    assert (second.key, second.mode) == ("lee", "SuppressAuthor")
    assert third.mode == "AuthorInText"
    assert "@other" in made.text


def test_a_note_in_line_becomes_a_note_at_the_foot():
    made = text_of("text^[a *note* with [[link]]] goes on")
    assert made.startswith("text[^thesis-aside-0] goes on")
    assert "[^thesis-aside-0]: a *note* with [x](thesis-link:0.0)" in made


@pytest.mark.parametrize(
    ("note", "line", "word"),
    [
        ("a\n```dataview\nlist\n```\n", 2, "dataview"),
        ("a\n\n```plantuml\ngraph\n```\n", 3, "plantuml"),
        ("a\n%% never closed\n\nlost", 2, "never closed"),
        ("a\n<!-- never closed\n\nlost", 2, "never closed"),
        ("<%* code %>", 1, "Templater"),
    ],
)
def test_what_is_left_out_is_told_with_its_line(note, line, word):
    made = translate(note, "0")
    ((where, message),) = made.warnings
    assert where == line
    assert word in message
    assert "lost" not in made.text


def test_a_query_goes_and_a_drawing_stays():
    made = text_of("```dataview\nlist\n```\n\n```plantuml\ngraph\n```\n")
    assert made == "\n\n```plantuml\ngraph\n```\n"


PIECES = ["[[", "]]", "![[", "|", "#", "^", "%%", "`", "```", "\n", "\n\n", "==", "$", "$$", "<!--"]
PIECES += ["-->", "<%", "%>", "@", "[", "]", "(", ")", ";", " ", "a", "é", "::", "> ", "- [", "\\"]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_note_is_translated(note):
    made = translate(note, "0")
    assert made.text.count("thesis-link:0.") <= note.count("[[")


@given(st.text(alphabet=st.characters(exclude_characters="[]%=#^`$<>@:\\~-", codec="utf-8")))
def test_plain_text_is_carried_over(note):
    assert text_of(note) == note
