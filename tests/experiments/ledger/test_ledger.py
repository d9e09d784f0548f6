"""The workspace remembers version numbers and seals, whatever becomes of the folders."""

import dataclasses
import shutil
import subprocess

import pytest

from experiments.ledger.events import GIVEN, SEALED, LedgerEvent, append_events, read_events
from experiments.ledger.ledger import Ledger
from experiments.records.run import Run
from experiments.records.seal import SEAL, seal
from experiments.records.store import Store
from experiments.workspace.locks import held
from featherface.errors import LockedError


def kinds(problems):
    return [(problem.path, problem.kind) for problem in problems]


def reseal(run):
    """Do what deleting the seal, editing a number and finishing again comes to."""
    (run.folder / SEAL).unlink()
    path = run.folder / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.64", "0.94"), encoding="utf-8")
    seal(run.folder)
    return Run(run.folder)


def test_a_number_is_never_given_again(workspace, make_run):
    runs = [make_run(workspace, "v2") for _ in range(3)]
    Store(workspace).remember()
    shutil.rmtree(runs[2].folder)
    shutil.rmtree(runs[1].folder)
    assert Store(workspace).allocate("v2").name == "004"


def test_a_resealed_record_shows(workspace, make_run):
    run = make_run(workspace, "v2")
    Store(workspace).remember()
    store = Store(workspace)
    resealed = reseal(run)
    assert kinds(store.problems(resealed)) == [(SEAL, "resealed")]
    assert kinds(store.verify(resealed)) == [(SEAL, "resealed")]
    store.remember()  # is not persuaded by seeing it again
    assert kinds(Store(workspace).problems(resealed)) == [(SEAL, "resealed")]


def test_a_seal_that_is_gone_shows(workspace, make_run):
    run = make_run(workspace, "v2")
    Store(workspace).remember()
    (run.folder / SEAL).unlink()
    assert kinds(Store(workspace).verify(Run(run.folder))) == [(SEAL, "missing")]


def test_a_workspace_without_ledger_is_adopted_by_what_writes_and_not_by_what_reads(
    workspace, make_run
):
    run = make_run(workspace, "v2")
    store = Store(workspace)
    assert store.problems(run) == store.verify(run) == []
    assert not store.ledger.exists
    store.annotate(run, labels=("best-one",))
    events, damaged = read_events(store.ledger.path)
    assert [(event.event, event.run, event.seal) for event in events] == [
        ("adopted", "v2@1", run.seal)
    ]
    assert damaged == []


def test_a_misplaced_record_is_not_adopted(workspace, make_run):
    run = make_run(workspace, "v2")
    shutil.copytree(run.folder, workspace.runs / "v3" / "001")
    store = Store(workspace)
    store.remember()
    assert set(store.ledger.memory.seals) == {"v2@1"}


def test_a_torn_last_line_is_told_and_costs_no_other(workspace):
    ledger = Ledger(workspace)
    ledger.note(GIVEN, "v2@1")
    with ledger.path.open("ab") as file:
        file.write(b'{"event": "sea')
    ledger = Ledger(workspace)
    assert ledger.memory.versions == {"v2": 1}
    assert ledger.damaged == [2]
    ledger.note(SEALED, "v2@2", "a" * 64)
    again = Ledger(workspace)
    assert (again.memory.versions, again.damaged) == ({"v2": 2}, [2])


@pytest.mark.parametrize(
    "line", ["[]", "null", '{"event": "sealed"}', '{"event": "x", "run": "v@1"}', "\udcff", "{"]
)
def test_any_damaged_line_is_left_and_told(workspace, line):
    path = Ledger(workspace).path
    append_events(path, [LedgerEvent(event=GIVEN, run="v1@1")])
    with path.open("ab") as file:
        file.write(line.encode("utf-8", "surrogateescape") + b"\n")
    append_events(path, [LedgerEvent(event=GIVEN, run="v1@2")])
    events, damaged = read_events(path)
    assert ([event.run for event in events], damaged) == (["v1@1", "v1@2"], [2])


def test_two_processes_do_not_write_at_once(workspace, monkeypatch):
    monkeypatch.setattr("experiments.ledger.ledger.PATIENCE", 0.05)
    with held(workspace, "ledger"), pytest.raises(LockedError, match="ledger of the workspace"):
        Ledger(workspace).note(GIVEN, "v1@1")


@pytest.fixture
def git(workspace):
    """Call git in the workspace, which it tracks."""

    def call(*arguments):
        who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "core.autocrlf=false"]
        command = ["git", *who, "-C", str(workspace.root), *arguments]
        subprocess.run(command, check=True, capture_output=True)

    call("init", "-q")
    return call


def test_a_lost_ledger_is_rebuilt_from_the_seals_that_git_has_kept(workspace, make_run, git):
    run, gone = make_run(workspace, "v2"), make_run(workspace, "v2")
    first = run.seal
    git("add", ".")
    git("commit", "-qm", "two runs")
    shutil.rmtree(gone.folder)
    resealed = reseal(run)
    git("add", "-A")
    git("commit", "-qm", "changed")
    Ledger(workspace).path.unlink()
    store = Store(workspace)
    assert store.ledger.memory.seals["v2@1"].seal == first
    assert store.ledger.memory.seals["v2@1"].source == "git"
    assert kinds(store.problems(resealed)) == [(SEAL, "resealed")]
    assert store.allocate("v2").name == "003"
    assert store.ledger.exists


def test_versions_of_other_branches_keep_their_numbers(workspace, make_run, git):
    git("commit", "-qm", "start", "--allow-empty")
    git("checkout", "-qb", "other")
    run = make_run(workspace, "v2")
    git("add", ".")
    git("commit", "-qm", "a run")
    git("checkout", "-q", "-")
    assert not run.folder.exists()
    store = Store(workspace)
    assert store.ledger.memory.seals == {}
    assert store.allocate("v2").name == "002"


def test_another_run_of_the_same_name_is_not_taken_for_it(workspace, make_run):
    run = make_run(workspace, "v2")
    Store(workspace).remember()
    dataclasses.replace(run.record, uid="another").write(run.folder)
    seal(run.folder)
    assert kinds(Store(workspace).problems(run)) == [(SEAL, "resealed")]
