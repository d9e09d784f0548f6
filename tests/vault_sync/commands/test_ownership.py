"""Two workspaces never write over each other's blocks; one's own is known wherever it goes."""

import json
import shutil
from pathlib import Path

import pytest
from stand_ins.folders import contents

from experiments.workspace.workspace import Workspace
from featherface.errors import RefusedError
from vault_sync.commands.conflicts import recovered_saves
from vault_sync.commands.ownership import read_owner
from vault_sync.commands.status import inspect
from vault_sync.commands.sync import sync
from vault_sync.commands.weekly_note import write_weekly
from vault_sync.commands.writing import writing
from vault_sync.engine.disk.locking import lock_folder

pytestmark = pytest.mark.usefixtures("quick_plots")
PERFORMANCE = "05-Results/Performance-Analysis.md"


@pytest.fixture
def two(tmp_path, make_run):
    """Two workspaces, each with a run of its own, on one vault, which the first has filled."""
    made = []
    for name, scores in (("first", 0.5), ("second", 0.6)):
        place = str(tmp_path / "Obsidian")
        workspace = Workspace.create(tmp_path / name, title=f"The {name}", vault=place)
        make_run(workspace, "v1", metrics={"widerface.mean_ap": scores})
        made.append(workspace)
    made[0].vault.mkdir()
    assert sync(made[0]).problem is None
    return made


def reopened(root, vault=None):
    config = root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    if vault is not None:
        lines = [f"vault = {json.dumps(str(vault))}" if line.startswith("vault =") else line
                 for line in text.splitlines()]  # fmt: skip
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Workspace.open(root)


def test_the_second_is_told_who_keeps_the_vault_and_what_to_do(two):
    first, second = two
    before = contents(first.vault)
    doors = (
        lambda: sync(second),
        lambda: sync(second, dry_run=True),
        lambda: write_weekly(second),
    )
    for door in doors:
        with pytest.raises(RefusedError, match="'The first'") as told:
            door()
        assert str(first.root) in told.value.message
        assert "--take-over" in told.value.hint
        assert "thesis.toml" in told.value.hint
    assert "'The first'" in inspect(second).stopped
    assert contents(first.vault) == before
    assert inspect(first).stopped == ""
    assert sync(first).written == []


def test_the_vault_may_be_taken_over_and_then_the_first_is_told(two):
    first, second = two
    assert "60.0%" not in (first.vault / PERFORMANCE).read_text(encoding="utf-8")
    report = sync(second, take_over=True)
    assert PERFORMANCE in report.written
    assert "60.0%" in (first.vault / PERFORMANCE).read_text(encoding="utf-8")
    with pytest.raises(RefusedError, match="'The second'"):
        sync(first)
    assert sync(second).written == []
    assert recovered_saves(first) == []


def test_nothing_is_written_while_it_would_be_taken_over(two):
    first, second = two
    before = contents(first.vault)
    assert PERFORMANCE in sync(second, dry_run=True, take_over=True).written
    assert contents(first.vault) == before


def test_a_folder_of_its_own_is_enough(two, tmp_path):
    first, second = two
    beside = tmp_path / "Second thesis"
    beside.mkdir()
    second = reopened(second.root, beside)
    assert sync(second).problem is None
    assert "60.0%" in (beside / PERFORMANCE).read_text(encoding="utf-8")
    assert sync(first).written == []


def test_who_has_another_vault_by_now_keeps_this_one_no_longer(two, tmp_path):
    first, second = two
    (tmp_path / "New").mkdir()
    reopened(first.root, tmp_path / "New")
    assert PERFORMANCE in sync(second).written


def test_a_folder_named_by_the_command_is_kept_too(two, tmp_path):
    first, second = two
    shared = tmp_path / "Shared"
    shared.mkdir()
    assert sync(first, to=shared).problem is None
    with pytest.raises(RefusedError, match="'The first'"):
        sync(second, to=shared)


def test_a_workspace_that_was_moved_renamed_or_copied_is_the_same(two, tmp_path):
    first, second = two
    moved = tmp_path / "elsewhere" / "renamed"
    moved.parent.mkdir()
    first.root.rename(moved)
    assert sync(Workspace.open(moved)).problem is None
    owner = read_owner(first.vault)
    assert Path(owner.root) == moved
    copied = Workspace.open(shutil.copytree(moved, tmp_path / "copy"))
    assert sync(copied).problem is None
    assert read_owner(first.vault).workspace == owner.workspace
    with pytest.raises(RefusedError, match="'The first'"):
        sync(second)


def test_a_vault_that_was_moved_is_its_own(two, tmp_path):
    first, _ = two
    first.vault.rename(tmp_path / "Moved")
    assert sync(reopened(first.root, tmp_path / "Moved")).problem is None


def test_a_workspace_that_is_gone_keeps_nothing(two):
    first, second = two
    shutil.rmtree(first.root)
    assert PERFORMANCE in sync(second).written


def test_a_workspace_that_forgot_everything_is_known_by_its_place(two):
    first, _ = two
    shutil.rmtree(first.state)
    assert sync(first).problem is None


def test_the_owner_is_written_once(two, stamps):
    first, _ = two
    before = stamps(first.vault)
    sync(first)
    assert stamps(first.vault) == before


@pytest.mark.parametrize("damage", [b"", b"{", b'{"workspace": 1}', b"[]", b"\xff"])
def test_a_damaged_note_of_the_owner_is_none(two, damage):
    first, second = two
    (lock_folder(first.vault) / "owner.json").write_bytes(damage)
    sync(second)
    with pytest.raises(RefusedError, match="'The second'"):
        sync(first)


def test_no_writer_comes_past(two):
    first, second = two
    with pytest.raises(RefusedError), writing(second, first.vault):
        pytest.fail("it was let in")
