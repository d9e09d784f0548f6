"""A document says on what its numbers rest, and shows none that was altered unless told to."""

from __future__ import annotations

import pytest

from featherface.errors import RefusedError
from vault_sync.commands.sync import sync
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

pytestmark = pytest.mark.usefixtures("quick_plots")
CHAPTER = "05-Results/Performance-Analysis.md"
DISCUSSION = "05-Results/Discussion.md"
HARD = "widerface.hard.ap"
PROSE = f"""# Discussion

It reaches <!--t:v2 {HARD} .1%-->85.6 %<!--/t--> here, and 97.3 % elsewhere.
The paper has <!--t:cited:featherface-paper {HARD} .1%-->78.3 %<!--/t-->,
or 92.7 % [@kim2025featherface].
I hope for 99 %. <!--t:own-->
"""


@pytest.fixture
def synced(workspace, make_run):
    make_run(workspace, "v2", metrics={HARD: 0.8563, "params.total": 256_006})
    sync(workspace)
    (workspace.vault / DISCUSSION).write_text(PROSE, encoding="utf-8")
    return workspace


def edit(workspace, name, old, new):
    path = workspace.vault / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def make(workspace, *names, force=False):
    return export(workspace, names, ExportOptions(to="html", force=force))


def test_a_document_says_on_what_its_numbers_rest(synced):
    done = make(synced, DISCUSSION)
    assert {name: n for name, n in done.numbers.items() if n} == {
        "measured": 1,
        "cited": 2,
        "own": 1,
        "unbacked": 1,
    }
    assert make(synced).blocks > 3
    assert "t:own" not in done.output.read_text(encoding="utf-8")


def test_a_hand_edited_number_is_not_exported_unasked(synced):
    edit(synced, DISCUSSION, "85.6 %<!--/t", "95.6 %<!--/t")
    with pytest.raises(RefusedError, match=rf"{DISCUSSION}:3:12: hand-edited 95\.6 %") as told:
        make(synced)
    assert "thesis check numbers --fix --edited" in told.value.hint
    done = make(synced, force=True)
    assert done.numbers["altered"] == 1
    assert any("hand-edited 95.6 %" in warning for warning in done.warnings)


def test_an_edited_block_is_not_exported_unasked(synced):
    edit(synced, CHAPTER, "256,006", "156,006")
    with pytest.raises(RefusedError, match=f"{CHAPTER}#results") as told:
        make(synced)
    assert f'thesis vault take --new "{CHAPTER}#results"' in told.value.hint
    assert make(synced, DISCUSSION).numbers["altered"] == 0
    embedding = synced.vault / "05-Results/Whole.md"
    embedding.write_text("![[Performance-Analysis]]\n", encoding="utf-8")
    with pytest.raises(RefusedError):
        make(synced, "05-Results/Whole.md")
    assert make(synced, force=True).numbers["altered"] == 1


def test_what_is_outdated_is_told(synced, make_run):
    make_run(synced, "v2", metrics={HARD: 0.9, "params.total": 256_006})
    done = make(synced)
    assert done.numbers["stale"] >= 2
    assert any("stale 85.6 % → 90.0 %" in warning for warning in done.warnings)
