"""The student's regions in the text of a run's note, found on bytes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vault_sync.run_note_fields.regions import find_regions

MARK = "<!-- thesis:answer analysis -->"
NEXT = "<!-- thesis:answer next_steps -->"


def words(text: str, name: str = "analysis", ending: str = "\n"):
    region = find_regions(text.replace("\n", ending).encode()).by_name.get(name)
    return None if region is None else region.words.decode().replace(ending, "\n")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"## A\n\n{MARK}\n\nMine.\n\n## B\n\nnot mine", "Mine."),
        (f"## A\n{MARK}\nMine.\n# B\n", "Mine."),
        (f"## A\n{MARK}\nMine.\n### Deeper\nalso mine\n", "Mine.\n### Deeper\nalso mine"),
        (f"## A\n{MARK}\nMine.\n\n{NEXT}\nother", "Mine."),
        (f"## A\n{MARK}\nMine.\n\n<!-- thesis:begin id=x template=y -->\n", "Mine."),
        (f"{MARK}\nMine, before any heading.\n###### B", "Mine, before any heading."),
        (f"## A\n{MARK}\n```\n## no heading\n```\nMine.\n", "```\n## no heading\n```\nMine."),
        (f"## A\n{MARK}\n~~~~\n~~~\n# no\n~~~~\nMine.", "~~~~\n~~~\n# no\n~~~~\nMine."),
        (f"## A\n{MARK}\nMine.\n\nUnderlined\n===\nrest", "Mine."),
        (f"## A\n{MARK}\nMine.\n\ntwo lines\nof it\n---\nrest", "Mine."),
        (f"## A\n{MARK}\nMine.\n\n---\n\nstill", "Mine.\n\n---\n\nstill"),
        (f"## A\n{MARK}\n- item\n---\nstill", "- item\n---\nstill"),
        (f"# A\n{MARK}\nMine.\n\nUnderlined\n---\nstill", "Mine.\n\nUnderlined\n---\nstill"),
        (f"## A\n{MARK}\n| a |\n|---|\n| 1 |\n", "| a |\n|---|\n| 1 |"),
        (f"## A\n{MARK}\n#tag is no heading\n", "#tag is no heading"),
        (f"## A\n{MARK}", ""),
        (f"## A\n\n{MARK}\n\n\n\n## B\n", ""),
        (f"---\nx: {MARK}\n---\n## A\n", None),
        (f"```\n{MARK}\n```\n", None),
        ("## A\n\nno marker\n", None),
    ],
)
def test_where_a_region_ends(text, expected, ending):
    assert words(text, ending=ending) == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f"## A\n{MARK}\none\n{MARK}\ntwo\n", 4, "again, after line 2"),
        (f"## A\n  {MARK}\n", 2, "column 0"),
        ("<!-- thesis:answer -->\n", 1, "can't be read"),
        ("<!-- thesis:answer two words -->\n", 1, "can't be read"),
        (f"---\na: 1\n---\n\n{MARK} text\n", 5, "can't be read"),
    ],
)
def test_a_broken_marker_is_told_with_its_line(text, line, reason):
    found = find_regions(text.encode())
    assert found.by_name == {}
    assert [one.line for one in found.broken] == [line]
    assert reason in found.broken[0].reason


lines = st.lists(
    st.sampled_from(
        ["", "text", "## H", "### h", "- item", "---", "===", "```", NEXT, "| a |", " "]
    )
    | st.text(max_size=12).filter(lambda text: "thesis:" not in text and text.strip(" ") != "#"),
    max_size=8,
)
mine = st.lists(
    st.sampled_from(["one", "", "- a", "### deeper", "> quote", "| t |", "é 😀"]), max_size=6
).map(lambda parts: "\n".join(parts).strip())


@given(lines, lines, mine, st.sampled_from(["\n", "\r\n"]))
@example([], ["\r"], "one\none", "\n")  # a note of two kinds of line
@example([], ["### h", "text", "---"], "one", "\r\n")  # an underlined heading right behind
def test_new_words_are_read_back_and_all_else_stays(before, after, text, ending):
    opening = ending.join(["---", "thesis_id: run/v1@1", "---", *before, "", "## A", MARK]).encode()
    closing = ending.join(["", *after, ""]).encode()
    data = opening + ending.encode() + ending.encode() + b"old" + closing
    region = find_regions(data).by_name.get("analysis")
    if region is None:  # a fence is open, or a fence in the text before swallows the marker
        return
    start, stop, new = region.replacement(text)
    changed = data[:start] + new + data[stop:]
    assert changed.startswith(opening)
    assert changed.endswith(data[region.stop :])
    again = find_regions(changed).by_name["analysis"]
    assert again.words.decode().replace(ending, "\n") == text
    assert changed[again.stop :] == data[region.stop :]


@given(st.binary(max_size=200))
def test_finding_never_fails(data):
    for note in (data, MARK.encode() + b"\n" + data):
        for region in find_regions(note).by_name.values():
            assert 0 <= region.start <= region.place[0] <= region.place[1] <= region.stop
