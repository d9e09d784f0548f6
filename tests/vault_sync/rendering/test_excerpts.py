"""What a report shows of a student's words, and what it never shows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.rendering.excerpts import LONGEST, MOST, excerpt, excerpts
from vault_sync.rendering.private_text import ends_inside, public

SHOWN = {
    "a paragraph": ("One.\nTwo.\n\nThree.", "One. Two.", True),
    "all of it": ("One *two* **three** ~~four~~.", "One two three four.", False),
    "after a heading": ("# Title\n\nText.", "Text.", False),
    "a callout's body": ("> [!tip]- Title\n> Body.\n\nrest", "Body.", True),
    "a quotation": ("> Said.", "Said.", False),
    "a table": ("| a |\n|-|\n| 1 |", "", True),
    "a paragraph after a table": ("| a |\n|-|\n| 1 |\n\nText.", "Text.", True),
    "code": ("```\nx\n```", "", True),
    "a picture": ("![[a.png]]\n\nText.", "Text.", True),
    "links": (
        "[[Folder/Note#Part]], [[v1|one]], [two](https://x.org)",
        "Note Part, one, two",
        False,
    ),
    "a formula": ("Loss $L_1 * 2$ falls", "Loss $L_1 * 2$ falls", False),
    "a word of code": ("Set `a_b`", "Set `a_b`", False),
    "a footnote's mark": ("Text[^1] more.^[aside]\n\n[^1]: said", "Text more.", False),
    "only a footnote": ("[^1]: said", "", False),
    "a block id": ("Text. ^abc-1", "Text.", False),
    "a highlight": ("It ==matters== that a == b", "It matters that a &#61;= b", False),
    "html": ("a <b>bold</b> word<br>", "a bold word", False),
    "signs of Markdown": ("a | b \\* c # d #tag", "a \\| b \\* c \\# d \\#tag", False),
    "private": ("a %%b%% c <!-- d --> e", "a c e", False),
    "all private": ("%% a\n\n- b\n%%", "", False),
    "nothing": ("", "", False),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_first_paragraph_is_shown_as_one_line(name):
    text, shown, more = SHOWN[name]
    found = excerpt(text)
    assert (found.text, found.more) == (shown, more)


def test_a_list_gives_its_items():
    assert [step.text for step in excerpts("- [ ] a\n- [x] b\n  - c\n\n- d")] == ["a", "b", "d"]
    assert [step.more for step in excerpts("- a\n- b\n  - c\n- d")] == [False, True, False]
    many = excerpts("\n".join(f"{n}. step" for n in range(1, 20)))
    assert (len(many), many[-1].more) == (MOST, True)


def test_a_long_paragraph_is_cut_between_words():
    found = excerpt("word " * 200)
    assert found.more
    assert len(found.text) <= LONGEST + 1
    assert found.text.endswith("word…")
    assert excerpt(f"{'x' * 290} `{'code ' * 9}` end").text.endswith("…")


def test_what_is_nested_too_deeply_is_only_linked():
    assert excerpt("> " * 5000 + "a").more


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a %%b%% c", "a  c"),
        ("a %%b", "a "),
        ("a <!-- b", "a "),
        ("a <!-- b %% c --> d", "a "),
        ("a %% b <!-- c %% d", "a "),
        ("`50%%` a %%b%% c", "`50"),
        ("\\%% a %%b%% c", "\\"),
        ("```\n%%\n```\na %%b%% c", "```\n"),
        ("a <!--> b --> c", "a  c"),
        ("no comment: 5 % < 6", "no comment: 5 % < 6"),
    ],
)
def test_what_may_be_private_is(text, kept):
    assert public(text) == kept


def test_a_comment_that_goes_on_in_the_next_answer():
    assert ends_inside("a %% b")
    assert not ends_inside("a %%b%% <!-- c")
    assert public("b %% c", inside=True) == " c"
    assert excerpts("b %% c", inside=True)[0].text == "c"


plain = st.text(st.sampled_from("ab \n#>|*-[]`$_"), max_size=20)
comments = st.sampled_from(["%%{}%%", "<!--{}-->", "%%\n{}\n%%", "<!-- a\n\n{} -->"])


@given(st.lists(st.tuples(plain, comments), max_size=5), plain)
def test_nothing_in_comments_ever_comes_out(parts, end):
    text = "".join(before + comment.format("SECRET") for before, comment in parts) + end
    assert "SECRET" not in public(text)
    assert not any("SECRET" in found.text for found in excerpts(text))


@given(st.text(st.sampled_from("ab%<!->`\\~\n "), max_size=40))
def test_no_mark_of_a_comment_comes_out_with_what_it_opens(text):
    kept = public(text)
    blind = re.sub(r"%%.*?(?:%%|\Z)|<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    assert len(kept) <= len(blind)
    letters = iter(blind)
    assert all(letter in letters for letter in kept)
