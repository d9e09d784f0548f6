import os
import signal
import subprocess
import sys

import pytest

from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError
from vault_sync.commands import scaffold
from vault_sync.commands.sync import sync
from vault_sync.commands.undo import history, undo
from vault_sync.commands.writing import write_notes
from vault_sync.engine.plans import Write

pytestmark = pytest.mark.usefixtures("quick_plots", "both_ways")

PERFORMANCE = "05-Results/Performance-Analysis.md"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def folders(folder):
    return sorted(path for path in folder.rglob("*") if path.is_dir())


@pytest.fixture
def synced_vault(thesis, make_run):
    """A workspace after a sync that wrote, with the vault as it was before it."""
    workspace = thesis()
    before = contents(workspace.vault)
    make_run(workspace, "v3", variant="v2", matches=True)
    report = sync(workspace)
    assert len(report.written) > 3
    return workspace, before, report


def test_undo_restores_every_byte_and_removes_what_was_made(synced_vault):
    workspace, before, report = synced_vault
    after = contents(workspace.vault)
    done = undo(workspace)
    assert done.problem is None
    assert sorted(done.restored + done.removed) == report.written
    assert "05-Results/Runs/v3@1.md" in done.removed
    assert contents(workspace.vault) == before
    assert sync(workspace).written == report.written
    assert contents(workspace.vault) == after


def test_after_an_undo_nothing_is_a_conflict(synced_vault):
    workspace, _, _ = synced_vault
    undo(workspace)
    report = sync(workspace, dry_run=True)
    assert (report.conflicts, report.refused) == ([], [])


def test_an_undo_can_be_undone(synced_vault):
    workspace, before, _ = synced_vault
    after = contents(workspace.vault)
    done = undo(workspace)
    undo(workspace, done.redo)
    assert contents(workspace.vault) == after
    assert sync(workspace).written == []
    undo(workspace)
    assert contents(workspace.vault) == before


def test_undoing_twice_goes_further_back(tmp_path):
    workspace = Workspace.create(tmp_path / "thesis")
    workspace.vault.mkdir()
    scaffold.create(workspace)
    filled = contents(workspace.vault)
    path = workspace.vault / PERFORMANCE
    before = path.read_bytes()
    write_notes(workspace, workspace.vault, [Write(PERFORMANCE, before, before + b"more")], "mine")
    undo(workspace)
    assert contents(workspace.vault) == filled
    undo(workspace)
    assert contents(workspace.vault) == {}
    assert folders(workspace.vault) == []
    with pytest.raises(NotFoundError, match="nothing was written"):
        undo(workspace)
    assert [(one.what, one.undone) for one in history(workspace)] == [
        ("vault undo 1", False),
        ("vault undo 2", False),
        ("mine", True),
        ("report sync", True),
    ]


def test_a_note_written_twice_goes_back_through_both_writes(tmp_path):
    workspace = Workspace.create(tmp_path / "thesis")
    workspace.vault.mkdir()
    scaffold.create(workspace)
    path = workspace.vault / PERFORMANCE
    before = path.read_bytes()
    writes = [
        Write(PERFORMANCE, before, before + b"more"),
        Write(PERFORMANCE, before + b"more", before + b"other"),
    ]
    write_notes(workspace, workspace.vault, writes, "mine")
    assert path.read_bytes() == before + b"other"
    assert undo(workspace).restored == [PERFORMANCE]
    assert path.read_bytes() == before


def test_a_folder_of_the_students_stays(tmp_path):
    workspace = Workspace.create(tmp_path / "thesis")
    (workspace.vault / "05-Results").mkdir(parents=True)
    scaffold.create(workspace)
    undo(workspace)
    assert folders(workspace.vault) == [workspace.vault / "05-Results"]


def test_what_the_student_wrote_since_is_left_and_named(synced_vault):
    workspace, before, _ = synced_vault
    note = workspace.vault / PERFORMANCE
    run = workspace.vault / "05-Results" / "Runs" / "v3@1.md"
    mine = [note.read_bytes() + b"\nmine\n", run.read_bytes() + b"\nmine\n"]
    note.write_bytes(mine[0])
    run.write_bytes(mine[1])
    done = undo(workspace)
    assert done.refused == ["05-Results/Performance-Analysis.md", "05-Results/Runs/v3@1.md"]
    assert all("you have written in it since" in reason for reason in done.reasons)
    assert [note.read_bytes(), run.read_bytes()] == mine
    found = contents(workspace.vault)
    assert {path: found[path] for path in before if path != PERFORMANCE} == {
        path: data for path, data in before.items() if path != PERFORMANCE
    }
    assert sync(workspace).problem is None
    assert note.read_bytes().endswith(b"\nmine\n")


def test_a_copy_that_was_damaged_is_not_restored(synced_vault):
    workspace, _, _ = synced_vault
    now = (workspace.vault / PERFORMANCE).read_bytes()
    for image in workspace.state.glob("journal/*/*.before"):
        image.write_bytes(image.read_bytes() + b"\nnot what it was\n")
    done = undo(workspace)
    assert PERFORMANCE in done.refused
    assert f"{PERFORMANCE}: the copy of it as it was is damaged" in done.reasons
    assert (workspace.vault / PERFORMANCE).read_bytes() == now


def test_a_note_that_was_moved_or_deleted_since_is_named(synced_vault):
    workspace, _, _ = synced_vault
    (workspace.vault / PERFORMANCE).rename(workspace.vault / "Mine.md")
    done = undo(workspace)
    assert done.refused == [PERFORMANCE]
    assert "moved or deleted since" in done.reasons[0]


def test_an_earlier_write_names_the_later_one_to_undo_first(synced_vault, make_run):
    workspace, _, _ = synced_vault
    first = history(workspace)[0].number
    make_run(workspace, "v3", variant="v2", seed=4)
    sync(workspace)
    done = undo(workspace, first)
    assert any(f"first: thesis vault undo {first + 1}" in reason for reason in done.reasons)
    assert PERFORMANCE in done.refused


def test_a_number_that_is_not_there(thesis):
    with pytest.raises(NotFoundError, match="no write number 77"):
        undo(thesis(), 77)


def test_line_endings_and_bytes_that_are_no_text_come_back(thesis, make_run):
    workspace = thesis()
    path = workspace.vault / PERFORMANCE
    path.write_bytes(b"\xef\xbb\xbf\r\n\xff\xfe" + path.read_bytes().replace(b"\n", b"\r\n"))
    sync(workspace)
    before = path.read_bytes()
    make_run(workspace, "v3", variant="v2")
    assert PERFORMANCE in sync(workspace).written
    undo(workspace)
    assert path.read_bytes() == before


KILLS = [
    *(("descriptors", step) for step in ("journalled", "exchanged", "swapped", "done")),
    ("windows", "between"),
]
KILLED = """
import os, signal, sys
from experiments.workspace.workspace import Workspace
from vault_sync.engine import file_write
from vault_sync.engine.disk import folder
from vault_sync.commands.sync import sync
from vault_sync.commands.undo import undo

seen = []
def kill(name):
    seen.append(name)
    if name == sys.argv[2] and seen.count(name) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

file_write.step = kill
folder.between = lambda: kill("between")
{"sync": sync, "undo": undo}[sys.argv[3]](Workspace.open(__import__("pathlib").Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize(("both_ways", "step"), KILLS, indirect=["both_ways"])
def test_a_sync_that_was_killed_can_be_undone(thesis, make_run, this_way, step):
    workspace = thesis()
    before = contents(workspace.vault)
    make_run(workspace, "v3", variant="v2")
    done = kill(workspace, step, "sync", this_way())
    assert done.returncode == -signal.SIGKILL
    report = undo(workspace)
    assert report.problem is None
    assert contents(workspace.vault) == before
    assert list(workspace.vault.rglob(".*")) == []
    assert sync(workspace).problem is None


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize(("both_ways", "step"), KILLS, indirect=["both_ways"])
def test_an_undo_that_was_killed_can_be_gone_on_with(synced_vault, this_way, step):
    workspace, before, report = synced_vault
    kill(workspace, step, "undo", this_way())
    number = next(one.number for one in history(workspace) if one.what == "report sync")
    undo(workspace, number)
    assert contents(workspace.vault) == before
    assert list(workspace.vault.rglob(".*")) == []
    assert sync(workspace).written == report.written


def kill(workspace, step, work, way):
    command = [sys.executable, "-c", way + KILLED, workspace.root, step, work]
    return subprocess.run(command, check=False, capture_output=True)
