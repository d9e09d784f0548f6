"""Whatever YAML a student writes, only the spliced value's bytes change."""

import itertools

from hypothesis import assume, given
from hypothesis import strategies as st

from featherface.errors import RefusedError
from vault_sync.engine.text.properties import read_value, splice, write_value

LINES = [
    b"# a comment",
    b"",
    b"   ",
    b"code: 012",
    b"version: 1.10",
    b"answer: yes # or no",
    b"day: 2026-01-01",
    b"moment: 2026-01-01T10:00:00Z",
    b"twice: 1\ntwice: 2",
    b'"quoted key": 1',
    b"'other key': [a, b]",
    b"anchored: &one [x]\nalias: *one",
    b"block: |\n  first\n   second\n\n  # not a comment",
    b"folded: >-\n  one\n  two",
    b"items:\n  - a # why\n  - 'b'",
    b"flush:\n- 1\n- 2",
    b"flow: [a,\n  b, # c\n  c]",
    b"map:\n  tags: 3\n  answer_text: no",
    b"tabbed:\tvalue\t# c",
    "émoji: 😀".encode(),
    "de\u0301compose\u0301: e\u0301".encode(),
    b"tagged: !!str 012",
    b"empty:",
    b"url: https://example.org/#part",
    b'escaped: "a\\tb\\u00e9 # no comment"',
    b"merge: {<<: *one}",
    b"open: [never closed",
    b"broken: 'never closed",
]
TEXTS = [
    b"answer_text:",
    b"answer_text: # c",
    b"answer_text: old",
    b"answer_text:   'o''ld'   # c",
    b'answer_text: "o\\"ld"',
    b"answer_text: 012",
    b"answer_text:\told",
]
LISTS = [
    b"tags: []",
    b"tags: [old, 'keep']   # c",
    b"tags:\n  - old # c\n  - keep",
    b"tags:\n- keep\n\n# c\n- old",
    b"tags:",
    b"tags: old",
]
bodies = st.binary(max_size=80) | st.text(max_size=60).map(str.encode)
fragments = st.lists(st.sampled_from(LINES), max_size=5)
endings = st.sampled_from([b"\n", b"\r\n"])


def front(lines, ending, bom):
    text = b"".join(line + b"\n" for line in lines).replace(b"\n", ending)
    return (b"\xef\xbb\xbf" if bom else b"") + b"---" + ending, text


words = st.text(max_size=30).filter(lambda text: "\ufeff" not in text)


@given(fragments, st.sampled_from(TEXTS), fragments, bodies, endings, st.booleans(), words)
def test_everything_but_a_text_survives(before, target, after, body, ending, bom, value):
    opening, above = front(before, ending, bom)
    _, below = front(after, ending, bom)
    start, stop = opening + above, ending + below + b"---" + ending + body
    data = start + target + stop
    try:
        changed = splice(data, {"answer_text": value})
    except RefusedError:
        assume(False)
    assert changed.startswith(start + b"answer_text:")
    assert changed.endswith((b"# c" if target.endswith(b"# c") else b"") + stop)
    inner = changed[len(start) + len(b"answer_text:") : len(changed) - len(stop)]
    assert inner.removesuffix(b"# c").strip() == write_value(value).encode()
    found = read_value(changed, "answer_text")
    assert found.value == ("" if value in ("~", "null", "Null", "NULL") else value)
    assert splice(changed, {"answer_text": value}) == changed


tags = st.lists(
    st.sampled_from(["keep", "new", "a b", "2026", "yes", "x, y", "#z", "é"]), unique=True
)


@given(fragments, st.sampled_from(LISTS), fragments, bodies, endings, st.booleans(), tags)
def test_everything_but_a_list_survives(before, target, after, body, ending, bom, value):
    opening, above = front(before, ending, bom)
    _, below = front(after, ending, bom)
    target = target.replace(b"\n", ending)
    start, stop = opening + above, ending + below + b"---" + ending + body
    data = start + target + stop
    try:
        changed = splice(data, {"tags": tuple(value)})
    except RefusedError:
        assume(False)
    assert changed.startswith(start + b"tags:")
    assert changed.endswith(stop)
    assert read_value(changed, "tags").value == tuple(value)
    inner = changed[len(start) : len(changed) - len(stop)]
    assert inner.count(b"# c") == target.count(b"# c")
    assert inner.count(b"'keep'") == ("keep" in value) * target.count(b"'keep'")
    assert splice(changed, {"tags": tuple(value)}) == changed


def test_hardly_any_neighbour_is_a_reason_to_refuse():
    """Only YAML that says something else after the change is; broken YAML is no reason."""
    refused = []
    for target, line in itertools.product([*TEXTS, *LISTS], [*LINES[:-4], *LINES[-2:]]):
        data = b"---\n" + target + b"\n" + line + b"\n---\n"
        key = "tags" if target.startswith(b"tags") else "answer_text"
        value = ("new",) if key == "tags" else "new"
        try:
            if splice(data, {key: value}) == data:
                refused.append((target, line, "nothing changed"))
        except RefusedError as error:
            refused.append((target, line, error.message))
    assert refused == []


@given(st.binary(max_size=200))
def test_reading_never_fails(data):
    for note in (data, b"---\n" + data + b"\n---\n", b"---\ntags: " + data + b"\n---\n"):
        try:
            found = read_value(note, "tags")
        except RefusedError:
            continue
        assert found is None or isinstance(found.value, str | tuple | None)
