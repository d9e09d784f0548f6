"""Several syncs at once: of one workspace, and of two workspaces that share a vault."""

import json
import subprocess
import sys

import pytest

from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.errors import LockedError
from vault_sync.commands.sync import add_comparison, sync
from vault_sync.commands.writing import write_notes, writing
from vault_sync.content import saved_comparisons
from vault_sync.engine.disk import locking
from vault_sync.engine.disk.locking import holder, locked
from vault_sync.engine.plans import Write
from vault_sync.engine.text.markers import scan

pytestmark = pytest.mark.usefixtures("quick_plots")

PERFORMANCE = "05-Results/Performance-Analysis.md"
SYNC = """
import json, sys
from pathlib import Path
from experiments.workspace.workspace import Workspace
from vault_sync.engine.disk import locking
from vault_sync.commands.sync import sync

locking.PATIENCE = 120.0  # a busy machine draws slowly, and here taking turns is what counts
sys.stdin.readline()
report = sync(Workspace.open(Path(sys.argv[1])))
print(json.dumps([report.written, report.reasons]))
"""
HOLD = """
import sys
from pathlib import Path
from vault_sync.engine.disk.locking import locked

with locked(Path(sys.argv[1]), "/home/ana/thesis"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def share(workspace, vault):
    """Let WORKSPACE use the VAULT of another one."""
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace('vault = "vault"', f"vault = {vault.as_posix()!r}"), encoding="utf-8"
    )
    return Workspace.open(workspace.root)


@pytest.mark.slow
def test_syncs_at_once_leave_what_one_would(thesis, make_run, stamps):
    workspace = thesis()
    make_run(workspace, "v3", variant="v2")
    others = [start(SYNC, workspace.root) for _ in range(3)]
    for other in others:
        other.stdin.write("go\n")
        other.stdin.flush()
    told = [json.loads(other.communicate(timeout=300)[0]) for other in others]
    assert all(reasons == [] for _, reasons in told)
    written = [path for paths, _ in told for path in paths]
    assert len(written) == len(set(written))
    assert "05-Results/Runs/v3@1.md" in written
    before = stamps(workspace.vault)
    assert sync(workspace).written == []
    assert stamps(workspace.vault) == before
    assert list(workspace.vault.rglob(".*")) == []


def test_two_workspaces_that_share_a_vault_wait_for_each_other(thesis, tmp_path, monkeypatch):
    one = thesis()
    other = share(Workspace.create(tmp_path / "other"), one.vault)
    monkeypatch.setattr(locking, "PATIENCE", 0)
    with writing(one, one.vault):
        with pytest.raises(LockedError, match="another sync is writing") as caught:
            sync(other)
        assert str(one.root) in caught.value.message
        with pytest.raises(LockedError):
            write_notes(other, other.vault, [Write("x.md", None, b"x")])
    assert not (one.vault / "x.md").exists()


@pytest.mark.slow
def test_of_two_workspaces_at_once_the_first_keeps_the_vault(thesis, make_run, tmp_path):
    one = thesis()
    other = share(Workspace.create(tmp_path / "other", language="fr"), one.vault)
    make_run(one, "v3", variant="v2")
    make_run(other, "v9", variant="v2")
    running = [start(SYNC, workspace.root) for workspace in (one, other)]
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=300)
    kept = [process.returncode == 0 for process in running]
    assert sorted(kept) == [False, True], "the second is told who keeps the vault"
    for path in one.vault.rglob("*.md"):
        assert scan(path.read_bytes()).faults == ()
    runs = [one.vault / "05-Results" / "Runs" / f"{name}@1.md" for name in ("v3", "v9")]
    assert [run.exists() for run in runs] == kept
    assert list(one.vault.rglob(".*")) == []


def test_the_lock_says_who_holds_it(workspace, monkeypatch):
    monkeypatch.setattr(locking, "PATIENCE", 0)
    process = start(HOLD, workspace.vault)
    try:
        assert process.stdout.readline() == "held\n"
        assert holder(workspace.vault) == f"process {process.pid}, /home/ana/thesis"
        with pytest.raises(LockedError, match=f"process {process.pid}, /home/ana/thesis"):
            sync(workspace)
    finally:
        process.communicate("\n", timeout=60)
    assert holder(workspace.vault) is None
    assert sync(workspace).problem is None


def test_a_lock_whose_holder_was_killed_is_free(workspace):
    process = start(HOLD, workspace.vault)
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.communicate()
    assert holder(workspace.vault) is None
    assert sync(workspace).problem is None


def test_one_vault_by_other_names_has_one_lock(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "PATIENCE", 0)
    link = tmp_path / "link"
    link.symlink_to(workspace.vault, target_is_directory=True)
    names = [link, workspace.vault / ".." / "vault", workspace.vault.parent / "VAULT"]
    with locked(workspace.vault):
        for name in names:
            with pytest.raises(LockedError), locked(name):
                pass


def test_locks_lie_outside_of_the_vault(workspace, tmp_path, monkeypatch):
    with locked(workspace.vault):
        assert list(workspace.vault.iterdir()) == []
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with locked(workspace.vault):
        assert holder(workspace.vault) is not None


def test_a_comparison_is_remembered_only_by_who_holds_the_lock(thesis, monkeypatch):
    workspace = thesis()
    runs = [Store(workspace).find("v1"), Store(workspace).find("v2")]
    monkeypatch.setattr(locking, "PATIENCE", 0)
    with locked(workspace.vault), pytest.raises(LockedError):
        add_comparison(workspace, runs)
    assert saved_comparisons.read(workspace) == []
    add_comparison(workspace, runs)
    assert saved_comparisons.read(workspace) == [["v1@1", "v2@1"]]


@pytest.mark.usefixtures("both_ways")
def test_notes_that_others_plan_go_through_the_same_door(thesis, monkeypatch):
    workspace = thesis()
    before = (workspace.vault / PERFORMANCE).read_bytes()
    outcome = write_notes(
        workspace,
        workspace.vault,
        [Write(PERFORMANCE, before, before + b"more\n"), Write("x.md", b"gone", b"new")],
        "check numbers",
    )
    assert (outcome.written, outcome.changed) == ([PERFORMANCE], ["x.md"])
    assert (workspace.vault / PERFORMANCE).read_bytes() == before + b"more\n"
    assert sync(workspace).written == []
