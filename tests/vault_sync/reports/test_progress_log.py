"""A training writes its log into the vault while it goes on, and nothing there can stop it."""

import shutil
import time

import pytest
from stand_ins.markdown_samples import unpadded

from experiments.workspace.workspace import Workspace
from vault_sync.commands import progress_log
from vault_sync.commands.progress_log import ProgressLog
from vault_sync.commands.sync import sync
from vault_sync.engine.disk import locking
from vault_sync.engine.disk.locking import locked

NOTE = "Technical-Notes/Model-Pipeline/v2_monitor.md"


@pytest.fixture
def training(workspace, make_run):
    """A workspace with an entry every second epoch, and a run of v2 with five epochs so far."""
    toml = workspace.root / "thesis.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(f"{text}\n[report]\nprogress_every = 2\n", encoding="utf-8")
    opened = Workspace.open(workspace.root)
    make_run(opened, "v2", status="interrupted")
    return opened


def note(workspace):
    return (workspace.vault / NOTE).read_text(encoding="utf-8")


@pytest.fixture
def told():
    return []


@pytest.fixture
def log(training, told):
    return ProgressLog(training, "v2", 8, told.append)


def test_entries_stand_in_the_note_and_say_that_they_are_provisional(training, log, told):
    log(4)
    text = unpadded(note(training))
    assert told == []
    assert "Provisional: v2@1 is not sealed (interrupted, epoch 4 of 5)" in text
    assert "| 2 | 0.001 | 4.000 |" in text
    assert "| 4 | 0.001 | 2.000 |" in text
    assert "\n| 5 |" not in text
    report = sync(training)
    assert NOTE in report.unchanged


def test_only_epochs_that_are_due_are_written(training, log, told):
    log(3)
    log(8)  # the last one is the sync's
    assert not (training.vault / NOTE).exists()
    assert told == []


def test_nothing_is_written_where_the_student_wants_no_log(training, told, monkeypatch):
    monkeypatch.setenv("THESIS_REPORT_PROGRESS_EVERY", "0")
    ProgressLog(Workspace.open(training.root), "v2", 8, told.append)(4)
    assert not (training.vault / NOTE).exists()


def test_the_students_words_stay_and_other_notes_are_not_touched(training, log, told):
    sync(training)
    path = training.vault / NOTE
    mine = path.read_text(encoding="utf-8") + "\nThe loss worries me.\n"
    path.write_text(mine, encoding="utf-8")
    others = [one for one in training.vault.rglob("*.md") if one != path]
    before = {one: (one.read_bytes(), one.stat().st_mtime_ns) for one in others}
    (training.runs / "v2" / "001" / "metrics.jsonl").write_text(
        '{"kind": "epoch", "event": 1, "epoch": 2, "step": 2, "loss": 7.25}\n', encoding="utf-8"
    )
    log(2)
    assert told == []
    assert "7.250" in note(training)
    assert note(training).endswith("\nThe loss worries me.\n")
    assert {one: (one.read_bytes(), one.stat().st_mtime_ns) for one in others} == before


def test_an_edited_block_is_left_alone_and_told_of_once(training, log, told):
    log(2)
    path = training.vault / NOTE
    path.write_text(note(training).replace("Provisional", "Splendid"), encoding="utf-8")
    edited = path.read_bytes()
    metrics = training.runs / "v2" / "001" / "metrics.jsonl"
    metrics.write_text(
        metrics.read_text(encoding="utf-8").replace('"loss": 4.0', '"loss": 4.5'), encoding="utf-8"
    )
    log(2)
    log(4)
    assert path.read_bytes() == edited
    assert len(told) == 1
    assert "edited by hand" in told[0]
    assert "the training goes on" in told[0]


def test_a_vault_in_use_costs_an_entry_and_hardly_any_time(training, log, told, monkeypatch):
    monkeypatch.setattr(progress_log, "PATIENCE", 0.1)
    monkeypatch.setattr(locking, "PATIENCE", 60.0)  # what a sync would wait, twice
    began = time.monotonic()
    with locked(training.vault, "another workspace"):
        log(2)
        log(4)
    assert time.monotonic() - began < 60
    assert len(told) == 1
    assert "another sync is writing" in told[0]
    log(4)
    assert "Provisional" in note(training)


def test_a_vault_that_is_gone_costs_an_entry_only(training, log, told):
    shutil.rmtree(training.vault)
    log(2)
    log(4)
    assert len(told) == 1
    assert "does not exist" in told[0]
    assert not training.vault.exists()


def test_whatever_goes_wrong_in_a_report_costs_an_entry_only(log, told, monkeypatch):
    def fail(*_, **__):
        raise KeyError("a word that nobody wrote")

    monkeypatch.setattr(progress_log, "survey_vault", fail)
    log(2)
    assert len(told) == 1
    assert "KeyError" in told[0]
