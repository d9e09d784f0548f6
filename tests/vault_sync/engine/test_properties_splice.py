import frontmatter
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from featherface.errors import RefusedError
from vault_sync.engine.text.front_matter import read_front_matter
from vault_sync.engine.text.properties import splice, value_of, write_front_matter, write_value

NOTE = b"""\xef\xbb\xbf---\r
# kept comment\r
thesis_id: run/v2@1\r
mean_ap: 0.5   # from the run\r
title: 'it''s'\r
code: 012\r
version: 1.10\r
yes: no\r
tags: [a, b]\r
list:\r
- 1\r
text: |\r
  block\r
anchor: &x 1\r
empty:\r
---\r
prose mean_ap: 7\r
"""


def load(data: bytes):
    yaml = YAML(typ="safe", pure=True)
    return yaml.load(data.decode("utf-8-sig").split("---")[1])


def test_only_the_value_changes():
    changed = splice(NOTE, {"mean_ap": 0.625})
    assert changed == NOTE.replace(b"mean_ap: 0.5 ", b"mean_ap: 0.625 ")


def test_a_new_key_comes_last_in_the_notes_own_line_endings():
    changed = splice(NOTE, {"parameters": 488664})
    assert changed == NOTE.replace(b"empty:\r\n---\r\n", b"empty:\r\nparameters: 488664\r\n---\r\n")


def test_an_empty_value_is_filled():
    assert b"empty: 3\r\n" in splice(NOTE, {"empty": 3})
    assert splice(b"---\na: # c\n---\n", {"a": "x"}) == b"---\na: x # c\n---\n"


@pytest.mark.parametrize("key", ["tags", "list", "anchor"])
def test_what_is_no_scalar_is_refused(key):
    with pytest.raises(RefusedError, match=key):
        splice(NOTE, {key: "x"})


def test_a_key_that_stands_twice_is_refused_with_its_line():
    with pytest.raises(RefusedError, match="line 3"):
        splice(b"---\na: 1\na: 2\n---\n", {"a": 3})


@pytest.mark.parametrize("data", [b"", b"prose\n", b"---\na: 1\n", b"text\n---\na: 1\n---\n"])
def test_a_note_without_front_matter_is_refused(data):
    assert read_front_matter(data) is None
    with pytest.raises(RefusedError, match="properties"):
        splice(data, {"a": 1})


def test_values_are_read_as_text():
    assert value_of(NOTE, "thesis_id") == "run/v2@1"
    assert value_of(NOTE, "title") == "it's"
    assert value_of(NOTE, "tags") is None
    assert value_of(NOTE, "missing") is None
    assert value_of(b"---\n'thesis_id': \"a\\u0062\"\n---\n", "thesis_id") == "ab"


scalars = st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.text(max_size=40)).filter(
    lambda value: not isinstance(value, str) or "\ufeff" not in value
)


@given(scalars, scalars)
def test_what_is_written_is_read_back(first, second):
    data = f"---\n# c\nother: 012\nkey: {write_value(first)}\n---\nprose\n".encode()
    changed = splice(data, {"key": second})
    loaded = YAML(typ="safe", pure=True).load(changed.decode().split("---\n")[1])
    assert loaded["key"] == second
    assert type(loaded["key"]) is type(second)
    assert changed.startswith(b"---\n# c\nother: 012\nkey: ")


def test_front_matter_of_a_new_note():
    text = write_front_matter({"a": "x y", "b": "yes", "c": True, "d": "", "e": "a: b"})
    assert text == '---\na: x y\nb: "yes"\nc: true\nd: ""\ne: "a: b"\n---\n'


@pytest.mark.parametrize("value", [1e-05, -3e16, 0.825, 1e300, 12, True, "012", "yes", "1e5"])
def test_another_reader_of_yaml_gives_each_value_back(value) -> None:
    note = splice(b"---\nkept: 012 # mine\n---\ntext\n", {"metric": value})
    assert frontmatter.loads(note.decode())["metric"] == value


def test_a_student_whose_yaml_is_broken_still_gets_the_splice() -> None:
    before = b"---\nmine: [never closed\n---\ntext\n"
    assert splice(before, {"metric": 1}) == b"---\nmine: [never closed\nmetric: 1\n---\ntext\n"
