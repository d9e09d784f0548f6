"""What a generated block says and no record says is found, whoever wrote it and however."""

from __future__ import annotations

import pytest

from vault_sync.commands.block_states import EDITED, PENDING
from vault_sync.commands.check_numbers import ProseNumbers
from vault_sync.commands.resolve import Side, decide
from vault_sync.commands.sync import sync
from vault_sync.engine.text.markers import scan, splice, write_block

CHAPTER = "05-Results/Performance-Analysis.md"
ADDRESS = f"{CHAPTER}#results"


@pytest.fixture
def synced(workspace, make_run):
    make_run(workspace, "v2", metrics={"widerface.hard.ap": 0.8563, "params.total": 256_006})
    sync(workspace)
    return workspace


def edit(workspace, old, new, name=CHAPTER):
    path = workspace.vault / name
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def kinds(workspace, *names):
    return [(one.kind, one.address) for one in ProseNumbers(workspace, names).blocks]


def test_what_a_sync_wrote_is_no_finding_and_neither_is_its_text(synced):
    prose = ProseNumbers(synced)
    assert prose.blocks == []
    assert prose.unbacked == []


def test_a_number_typed_over_one_in_a_block_is_found(synced):
    edit(synced, b"256,006", b"156,006")
    assert kinds(synced) == [(EDITED, ADDRESS)]
    (one,) = ProseNumbers(synced, [str(synced.vault / CHAPTER)]).blocks
    assert one.line == 11
    assert f'thesis vault take --new "{ADDRESS}"' in one.next
    assert ProseNumbers(synced, [str(synced.vault / "05-Results/Milestones.md")]).blocks == []


def test_an_edit_that_its_student_kept_still_has_no_record(synced):
    edit(synced, b"256,006", b"156,006")
    decide(synced, Side.MINE, [ADDRESS])
    assert kinds(synced) == [(EDITED, ADDRESS)]
    decide(synced, Side.PROSE, [ADDRESS])
    assert kinds(synced) == []
    assert "156,006" in [one.number.text for one in ProseNumbers(synced).unbacked]


def test_an_edit_with_a_new_digest_is_found(synced):
    path = synced.vault / CHAPTER
    data = path.read_bytes()
    block = scan(data).blocks[0]
    body = block.body.replace(b"256,006", b"156,006")
    forged = write_block(block.id, block.template, body, block.attributes)
    path.write_bytes(splice(data, block, forged))
    assert kinds(synced) == [(PENDING, ADDRESS)]
    sync(synced)
    assert kinds(synced) == []


def test_a_block_that_no_report_makes_hides_no_number(synced):
    path = synced.vault / "05-Results/Discussion.md"
    path.write_bytes(write_block("mine", "invented", b"We reach 99.9 % AP.", {}) + b"\n")
    assert (EDITED, "05-Results/Discussion.md#mine") in kinds(synced)


def test_broken_markers_hide_no_number(synced):
    path = synced.vault / "05-Results/Discussion.md"
    path.write_bytes(b"<!-- thesis:begin id=a template=performance -->\n\nWe reach 99.9 % AP.\n")
    assert [kind for kind, _ in kinds(synced)] == [PENDING]


def test_a_sync_that_is_due_is_found(synced, make_run):
    make_run(synced, "v2", metrics={"widerface.hard.ap": 0.9, "params.total": 256_006})
    assert (PENDING, ADDRESS) in kinds(synced)
    sync(synced)
    assert kinds(synced) == []


def test_a_changed_picture_is_found(synced):
    pictures = sorted(synced.vault.rglob("*.png"))
    assert pictures
    pictures[0].write_bytes(pictures[-1].read_bytes() + b"\0")
    name = pictures[0].relative_to(synced.vault).as_posix()
    assert (EDITED, name) in kinds(synced)


def test_the_students_own_mark_survives_sync_and_adoption(synced):
    path = synced.vault / CHAPTER
    path.write_bytes(path.read_bytes() + b"\nI hope for 97 %. <!--t:own-->\n")
    edit(synced, b"256,006", b"156,006")
    decide(synced, Side.PROSE, [ADDRESS])
    sync(synced)
    assert path.read_bytes().endswith(b"\nI hope for 97 %. <!--t:own-->\n")
    own = [one.number.text for one in ProseNumbers(synced).results if one.backing == "own"]
    assert own == ["97 %"]
