"""Runs are taken out of the thesis and brought back; their notes say so and lose no word."""

import shutil

import pytest

from experiments.records.run import Run
from experiments.records.store import Store
from featherface.errors import NotFoundError

WORDS = "\nMy own words, which nobody may touch.\n"


@pytest.fixture
def filled(synced_copy):
    return synced_copy("en")


def note(workspace, run):
    return next(workspace.vault.rglob(f"{run}.md"))


def test_a_removed_run_leaves_its_note_with_the_students_words(thesis, valid, filled):
    path = note(filled, "v2@1")
    before = path.read_text(encoding="utf-8") + WORDS
    path.write_text(before, encoding="utf-8")
    rows = valid(thesis("runs", "rm", "v2", "--yes", "--json", workspace=filled))
    assert [row["run"] for row in rows] == ["v2@1"]
    assert thesis("report", "sync", workspace=filled).code == 0
    text = path.read_text(encoding="utf-8")
    assert "v2@1 was removed from the thesis on" in text
    assert "`thesis runs restore v2@1` brings it back" in text
    assert "run_status: removed" in text
    assert text.endswith(WORDS)
    assert "71.0%" not in text
    assert thesis("report", "sync", "--check", workspace=filled).code == 0
    valid(thesis("runs", "restore", "v2@1", "--json", workspace=filled))
    assert thesis("report", "sync", workspace=filled).code == 0
    assert path.read_text(encoding="utf-8") == before


def test_no_note_is_made_for_a_removed_run(thesis, workspace, make_run):
    make_run(workspace, "v1")
    make_run(workspace, "v1")
    thesis("runs", "rm", "v1@2", "--yes", workspace=workspace)
    assert thesis("report", "sync", workspace=workspace).code == 0
    assert [path.name for path in workspace.vault.rglob("v1@*.md")] == ["v1@1.md"]


def test_a_saved_comparison_says_that_its_run_was_removed(thesis, filled):
    assert thesis("compare", "v2", "v1", "--to", "vault", workspace=filled).code == 0
    thesis("runs", "rm", "v2", "--yes", workspace=filled)
    assert thesis("report", "sync", workspace=filled).code == 0
    chapter = next(filled.vault.rglob("Comparative-Studies.md"))
    assert "v2@1 was removed" in chapter.read_text(encoding="utf-8")


def test_a_run_that_others_were_made_from_is_kept(thesis, filled):
    answer = thesis("runs", "rm", "v1", "--yes", workspace=filled)
    assert answer.code == 7
    assert "v1@1 is teacher of v2@1" in answer.whole
    assert thesis("runs", "rm", "v1", "v2", "--yes", workspace=filled).code == 0


def test_force_removes_a_teacher(thesis, filled):
    assert thesis("runs", "rm", "v1", "--yes", "--force", workspace=filled).code == 0
    assert [run.id for run in Store(filled).runs()] == ["v2@1"]


def test_nothing_goes_without_being_asked_for(thesis, filled):
    answer = thesis("runs", "rm", "v2", workspace=filled)
    assert answer.code == 2
    assert "thesis runs rm v2@1 --yes" in answer.whole
    assert len(Store(filled).runs()) == 2


def test_a_number_of_a_removed_run_is_never_given_again(thesis, workspace, make_run):
    make_run(workspace, "v1")
    make_run(workspace, "v1")
    thesis("runs", "rm", "v1@2", "--yes", workspace=workspace)
    assert Store(workspace).allocate("v1").name == "003"


def test_claims_and_selectors_say_removed_and_how_to_bring_it_back(thesis, filled):
    thesis("runs", "rm", "v2", "--yes", workspace=filled)
    answer = thesis("milestone", "check", "v2-parameters", workspace=filled)
    assert "v2@1 was removed from the thesis" in answer.whole
    assert "thesis runs restore v2@1" in answer.whole
    for selector in ("v2", "v2@1", "v2@best"):
        with pytest.raises(NotFoundError, match="v2@1 was removed on"):
            Store(filled).find(selector)
    assert thesis("compare", "v1", "v2", workspace=filled).code == 3


def test_what_was_said_of_a_run_goes_and_comes_with_it(thesis, workspace, make_run):
    make_run(workspace, "v1", labels=("final",))
    thesis("runs", "rm", "v1", "--yes", workspace=workspace)
    assert list(workspace.runs.rglob("*.notes.json")) == []
    other = make_run(workspace, "v1", labels=("final",))
    answer = thesis("runs", "restore", "v1@1", workspace=workspace)
    assert "v1@1 is called 'final', as v1@2 is now" in answer.whole
    Store(workspace).annotate(other, labels=())
    assert thesis("runs", "restore", "v1@1", workspace=workspace).code == 0
    assert Store(workspace).find("final").id == "v1@1"
    assert thesis("runs", "verify", workspace=workspace).code == 0


def test_a_sealed_run_that_is_gone_is_told_until_it_is_noted(thesis, valid, workspace, make_run):
    run = make_run(workspace, "v1")
    Store(workspace).remember()
    shutil.rmtree(run.folder)
    answer = thesis("runs", "verify", "--json", workspace=workspace)
    assert [(row["run"], row["status"]) for row in valid(answer)] == [("v1@1", "gone")]
    assert "its folder is gone" in answer.json["warnings"][0]
    assert thesis("runs", "rm", "v1@1", "--yes", workspace=workspace).code == 0
    answer = thesis("runs", "verify", "--json", workspace=workspace)
    assert [row["status"] for row in valid(answer)] == ["removed"]
    assert answer.json["warnings"] == []


@pytest.mark.parametrize("run", ["v1@7", "nothing@1"])
def test_what_was_never_there_is_neither_removed_nor_restored(thesis, workspace, make_run, run):
    make_run(workspace, "v1")
    assert thesis("runs", "rm", run, "--yes", workspace=workspace).code == 3
    assert thesis("runs", "restore", run, workspace=workspace).code == 3
    assert thesis("runs", "restore", "v1", workspace=workspace).code == 2


def test_a_run_at_work_is_not_removed(thesis, workspace, make_run, monkeypatch):
    make_run(workspace, "v1", status="interrupted")
    monkeypatch.setattr(Run, "status", "running")
    assert thesis("runs", "rm", "v1@1", "--yes", workspace=workspace).code == 5
