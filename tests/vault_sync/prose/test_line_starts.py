"""A bound number that opens a line makes no HTML of it: what stands beside it is rendered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.commands.bind_numbers import bind
from vault_sync.commands.check_numbers import ProseNumbers
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.obsidian import translate
from vault_sync.prose.bindings import find_bindings
from vault_sync.prose.line_starts import GUARD, find_line_openers, guard

NOTE = "05-Results/Discussion.md"
ONE = "<!--t:v2 widerface.hard.ap .1%-->83.1 %<!--/t-->"
BEFORE = ("", "- ", "1. ", "> ", "> - ", "   ", "[^1]: ", "text\n", "\ufeff", "- a\n  - ")


@pytest.fixture
def filled(workspace, make_run):
    make_run(workspace, "v2", metrics={"widerface.hard.ap": 0.8312})
    return workspace


def write(workspace, text):
    path = workspace.vault / NOTE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("before", BEFORE)
def test_bind_keeps_a_number_that_opens_a_line_from_making_html(filled, before):
    path = write(filled, f"{before}83.1 % is **good**.\n")
    bind(ProseNumbers(filled), NOTE, "83.1 %", "v2 widerface.hard.ap .1%")
    assert path.read_bytes().decode() == f"{before}{GUARD.decode()}{ONE} is **good**.\n"
    assert [one.text for one in find_bindings(path.read_bytes()).numbers] == ["83.1 %"]
    assert ProseNumbers(filled).line_openers == []


@pytest.mark.parametrize("before", ["a ", "# ", "| ", "**", "- [ ] ", "> [!note] "])
def test_nothing_is_added_where_a_comment_opens_no_line(filled, before):
    path = write(filled, f"{before}83.1 % is good.\n")
    bind(ProseNumbers(filled), NOTE, "83.1 %", "v2 widerface.hard.ap .1%")
    assert path.read_bytes().decode() == f"{before}{ONE} is good.\n"


@pytest.mark.parametrize("before", BEFORE)
def test_fix_puts_right_what_opens_a_line_already(filled, before):
    path = write(filled, f"{before}{ONE} is **good**.\n")
    prose = ProseNumbers(filled)
    assert len(prose.line_openers) == 1
    assert prose.fix().written == [NOTE]
    assert path.read_bytes().decode() == f"{before}{GUARD.decode()}{ONE} is **good**.\n"
    assert [finding.state for finding in prose.findings] == ["fresh"]
    assert prose.fix().written == []


def test_a_mark_alone_on_its_line_does_no_harm():
    assert list(find_line_openers(b"<!--t:own-->\n\n97 %\n")) == []
    assert list(find_line_openers(b"<!--t:own--> 97 % is **good**\n")) == [0]


def test_pandoc_renders_the_line_and_the_document_shows_no_trace():
    guarded = guard(f"{ONE} is **good**.\n\n- {ONE} is **good**.\n".encode()).decode()
    for text in (guarded, translate(guarded, "0").text):
        (tree,) = pandoc.read([text])
        assert str(tree).count("Strong") == 2
        assert "RawBlock" not in str(tree)
    assert "\u200b" not in str(tree)
    assert "t:v2" not in str(tree)


@given(st.text("ab \n\r>-|#`0.\t", max_size=30), st.text("ab \n\r", max_size=10))
def test_a_guarded_note_differs_by_the_guard_alone(before, after):
    data = f"{before}{ONE}{after}".encode()
    guarded = guard(data)
    assert guarded.replace(GUARD, b"") == data
    assert list(find_line_openers(guarded)) == []
    texts = [one.text for one in find_bindings(data).numbers]
    assert [one.text for one in find_bindings(guarded).numbers] == texts
