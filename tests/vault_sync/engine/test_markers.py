import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.engine.text import marker_errors
from vault_sync.engine.text.markers import digest, normalise, scan, splice, write_block

BLOCK = write_block("results.v2", "performance", b"| a |\n|--|\n| 1 |", {"runs": "v1@1,v2@1"})

outside = st.one_of(
    st.binary(max_size=200).filter(lambda data: b"thesis:" not in data and b"`" not in data),
    st.text(alphabet="é\u0301😀 \t#-|a%[]", max_size=80).map(str.encode),
).filter(lambda data: b"~~~" not in data and not data.startswith(b"---"))
ends = st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r\n\r\n"])


@given(outside, outside, ends, ends, st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_byte_outside_a_block_survives(before, after, first, last, bom):
    data = bom + before + first + BLOCK + last + after
    (block,) = scan(data).blocks
    new = write_block(block.id, block.template, b"new", block.attributes, ending=block.ending)
    changed = splice(data, block, new)
    assert changed == bom + before + first + new + last + after
    (again,) = scan(changed).blocks
    assert again.body == b"new"
    assert again.sha == digest(b"new")


def test_a_block_says_what_it_was_made_from():
    (block,) = scan(b"prose\n\n" + BLOCK + b"\n").blocks
    assert (block.id, block.template, block.line) == ("results.v2", "performance", 3)
    assert block.attributes == {"runs": "v1@1,v2@1"}
    assert block.sha == digest(block.body)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_line_endings_do_not_change_the_digest(ending):
    (block,) = scan(BLOCK.replace(b"\n", ending)).blocks
    assert block.sha == digest(block.body)
    assert block.ending == ending


@pytest.mark.parametrize(
    "value", ["-->", "a b", "x--y", "é", "%20", "a=b", '"', "<%* %>", "[[x]]", "v2@1,v1@1"]
)
def test_attributes_survive_whatever_they_hold(value):
    text = write_block("b", "t", b"", {"runs": value})
    assert text.count(b"-->") == 2
    (block,) = scan(text).blocks
    assert block.attributes == {"runs": value}


@pytest.mark.parametrize(
    "data",
    [
        b"```\n" + BLOCK + b"\n```\n",
        b"~~~~ md\n" + BLOCK + b"\n~~~\n~~~~\n",
        b"   ```\n" + BLOCK + b"\n  ```\n",
        b"---\nkey: |\n" + BLOCK + b"\n---\n",
        b"> " + BLOCK.replace(b"\n", b"\n> "),
        b"    " + BLOCK.replace(b"\n", b"\n    "),
    ],
)
def test_markers_that_are_only_shown_are_ignored(data):
    found = scan(data)
    assert found.blocks == ()
    assert found.faults == () or b"---" in data


def test_a_fence_of_backticks_with_backticks_after_it_is_no_fence():
    assert len(scan(b"```a`b\n" + BLOCK).blocks) == 1


BROKEN = {
    "nested": (b"<!-- thesis:begin id=a -->\n<!-- thesis:begin id=b -->\n", 2, "inside another"),
    "no end": (b"x\n<!-- thesis:begin id=a template=t -->\ntext\n", 2, "never ends"),
    "no begin": (b"x\ny\n<!-- thesis:end id=a -->\n", 3, "never began"),
    "crossed": (b"<!-- thesis:begin id=a -->\n<!-- thesis:end id=b -->\n", 2, "while 'a' is open"),
    "twice": ((b"<!-- thesis:begin id=a -->\n<!-- thesis:end id=a -->\n") * 2, 3, "twice"),
    "no id": (b"<!-- thesis:begin template=a -->\n", 1, "can't be read"),
    "same key": (b"<!-- thesis:begin id=a id=b -->\n", 1, "can't be read"),
    "more on the line": (b"<!-- thesis:begin id=a --> x\n", 1, "can't be read"),
    "two in a line": (b"<!-- thesis:begin id=a --><!-- thesis:end id=a -->\n", 1, "can't be read"),
    "never closed": (b"<!-- thesis:begin id=a\n", 1, "can't be read"),
    "indented": (b"  <!-- thesis:begin id=a -->\n", 1, "first column"),
    "swallowed": (b"a\n```\n" + BLOCK + b"\n", 2, "never closed"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_broken_markers_are_named_with_their_line(name, prefix):
    data, line, words = BROKEN[name]
    found = scan(prefix + data)
    assert line in [fault.line for fault in found.faults]
    assert any(words in marker_errors.describe(fault) for fault in found.faults)


def test_front_matter_counts_as_lines():
    fault = scan(b"---\r\na: 1\r\n---\r\n<!-- thesis:end id=a -->\r\n").faults[0]
    assert fault.line == 4


@given(st.binary(max_size=400))
def test_scanning_never_fails(data):
    scan(data)
    scan(re.sub(rb"\s+", b"\n<!-- thesis:begin id=a -->\n", data))


@given(st.binary(max_size=100))
def test_normalising_twice_is_normalising_once(data):
    assert normalise(normalise(data)) == normalise(data)
