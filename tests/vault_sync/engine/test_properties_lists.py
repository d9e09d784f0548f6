"""Lists and long texts in the properties: read as written, spliced item by item."""

import frontmatter
import pytest

from featherface.errors import RefusedError
from vault_sync.engine.text.properties import read_value, splice, write_front_matter


def note(*lines: str, ending="\n") -> bytes:
    return ending.join(["---", *lines, "---", "prose", ""]).encode()


def said(*lines: str, key="tags", ending="\n"):
    found = read_value(note(*lines, ending=ending), key)
    return None if found is None else found.value


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["tags: []"], ()),
        (["tags: [ ]  # none yet"], ()),
        (["tags: [a, b/c]"], ("a", "b/c")),
        (["tags: [a, \"b, c\", 'd''e']  # mine"], ("a", "b, c", "d'e")),
        (["tags: [2026, yes, 1.10, 012]"], ("2026", "yes", "1.10", "012")),
        (["tags: [a,", "  b]"], ("a", "b")),
        (["tags: [", "  a, # one", "  b,", "]"], ("a", "b")),
        (["tags:", "  - a", "  - b"], ("a", "b")),
        (["tags:", "- a", "- b", "other: 1"], ("a", "b")),
        (["tags: # mine", "", "  # first", "  - a # one", "", "  - 'b'"], ("a", "b")),
        (["tags:", "  -", "  - a"], ("", "a")),
        (["tags: a"], "a"),
        (["tags: a, b"], "a, b"),
        (["tags:"], ""),
        (["tags:", "", "other: x"], ""),
        (["tags: null"], ""),
        (["tags: ~ # nothing"], ""),
        (["other: 1"], None),
        (["tags: {a: 1}"], None),
        (["base: &t [x, y]", "tags: *t"], ("x", "y")),
        (["mine: [never closed", "tags: [a]"], ("a",)),
        (["tags: [é, e\u0301, 😀]"], ("é", "e\u0301", "😀")),
    ],
)
def test_lists_are_read_as_they_stand(lines, value, ending):
    assert said(*lines, ending=ending) == value


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["t: |-", "  one", "  # no comment", "", "  two"], "one\n# no comment\n\ntwo"),
        (["t: |", "  one", "", "x: 1"], "one\n"),
        (["t: >-", "  one", "  two"], "one two"),
        (['t: "one', '  two"'], "one two"),
        (["t: one", "  two"], "one two"),
        (['t: "a\\x41\\tb"'], "aA\tb"),
        (["t: 2026-01-01"], "2026-01-01"),
        (["t: yes"], "yes"),
        (["t: 'null'"], "null"),
        (["t: a: b"], "a: b"),
        (["b: &x 012", "t: *x"], "012"),
        (["t: !!str 5"], "5"),
        (["t: |"], ""),
    ],
)
def test_texts_are_read_as_they_stand(lines, text):
    assert said(*lines, key="t") == text


@pytest.mark.parametrize("lines", [["t: [a, {b: 1}]"], ["t:", "  a: 1"], ["t: [a"], ["t: *none"]])
def test_what_is_neither_is_told_with_its_line(lines):
    found = read_value(note("first: 1", *lines), "t")
    assert (found.value, found.line) == (None, 3)


def test_a_text_that_is_no_utf8_is_not_guessed_at():
    assert read_value(b"---\nt: \xff\xfe\n---\n", "t").value is None
    assert read_value(b"---\nt: [a\xff]\n---\n", "t").value is None


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(RefusedError, match="line 3"):
        read_value(note("t: 1", "t: 2"), "t")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("lines", "items", "expected"),
    [
        (["tags: []"], ("a", "b"), ["tags: [a, b]"]),
        (["tags:"], ("a",), ["tags: [a]"]),
        (["tags: # mine"], ("a",), ["tags: [a] # mine"]),
        (["tags: old"], ("a",), ["tags: [a]"]),
        (["other: 1"], ("a, b",), ["other: 1", 'tags: ["a, b"]']),
        (["tags: ['a' , b]  # mine"], ("a", "b", "c"), ["tags: ['a', b, c]  # mine"]),
        (["tags: [a, b]"], (), ["tags: []"]),
        (["tags: [a,", "  b]"], ("b",), ["tags: [b]"]),
        (["tags: [2026]"], ("2026", "x"), ['tags: ["2026", x]']),
        (
            ["tags:", "  - a # one", "  # between", "  - 'b'", "x: 1"],
            ("a", "b", "c"),
            ["tags:", "  - a # one", "  # between", "  - 'b'", "  - c", "x: 1"],
        ),
        (
            ["tags:", "- a # one", "- b", "", "- 2026"],
            ("b", "2026"),
            ["tags:", "# one", "- b", "", "- 2026"],
        ),
        (["tags:", "  - a", "  - b"], ("b", "a"), ["tags:", "  - b", "  - a"]),
        (["tags: # mine", "  - a # one"], (), ["tags: [] # mine", "  # one"]),
        (["tags:", "  - '#a' # real"], ("b",), ["tags:", "  - b", "  # real"]),
    ],
)
def test_a_list_keeps_its_form_and_what_stays_in_it(lines, items, expected, ending):
    changed = splice(note(*lines, ending=ending), {"tags": items})
    assert changed == note(*expected, ending=ending)
    assert read_value(changed, "tags").value == items


@pytest.mark.parametrize(
    "lines",
    [
        ["tags: [", "  a, # one", "]"],
        ["tags:", "  - |", "    long"],
        ["tags: &t [a]", "other: *t"],
        ["tags: {a: 1}"],
        ["tags:", "  - a: 1"],
        ["tags: |", "  a"],
        ["tags:", "  - &x a", "other: *x"],
        ["tags: [a]", "tags: [b]"],
        ["tags:", "  - a\u2028b", "  - c"],
    ],
)
def test_a_list_that_leans_on_more_is_refused_and_named(lines):
    with pytest.raises(RefusedError, match="tags"):
        splice(note(*lines), {"tags": ("new",)})


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["t: |- # why", "  one", "", "  # two", "", "x: 1"], ["t: new # why", "", "x: 1"]),
        (["t: >", "  one", "# mine", "x: 1"], ["t: new", "# mine", "x: 1"]),
        (["t: |", "x: 1"], ["t: new", "x: 1"]),
        (['t: "one', '  two" # why', "x: 1"], ["t: new # why", "x: 1"]),
        (["t: one", "  two", "x: 1"], ["t: new", "x: 1"]),
    ],
)
def test_a_text_over_several_lines_is_replaced_whole(lines, expected, ending):
    assert splice(note(*lines, ending=ending), {"t": "new"}) == note(*expected, ending=ending)


def test_lists_of_a_new_note():
    text = write_front_matter({"tags": (), "other": ("a b", "yes", "x, y")})
    assert text == '---\ntags: []\nother: [a b, "yes", "x, y"]\n---\n'
    assert frontmatter.loads(text).metadata == {"tags": [], "other": ["a b", "yes", "x, y"]}
