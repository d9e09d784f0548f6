"""`thesis ablate` and `thesis monitor` as their user meets them."""

import pytest

from experiments.ablation.matrix import matrix, reserved
from experiments.records import heartbeat
from experiments.records.status import TrainingCurve
from thesis_cli.commands.ablate import repetition
from thesis_cli.commands.monitor import BESIDE, curves, duration, spark
from vault_sync.commands import progress_log

TINY = """\
extends: [v2-vit, smoke]
name: tiny
primary_metric: params.total
stages: [train, evaluate, benchmark]
tags: [mine]
model: {variant: v2-vit}
data:
  root: synthetic
  synthetic: {image_size: 64, train_images: 2, val_images: 2, largest_face: 32}
train: {epochs: 1, batch_size: 2, image_size: 64, device: cpu}
"""


@pytest.fixture
def tiny(workspace):
    (workspace.recipes / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return workspace


def test_a_dry_run_shows_what_is_missing_and_writes_nothing(thesis, valid, tiny, contents):
    before = contents(tiny.root)
    data = valid(thesis("ablate", "tiny", "--dry-run", "--seeds", 2, "--json", workspace=tiny))
    assert [(row["experiment"], row["seed"], row["state"]) for row in data["rows"]] == [
        ("tiny", 0, "missing"),
        ("tiny-without-context-attention", 0, "missing"),
        ("tiny", 1, "missing"),
        ("tiny-without-context-attention", 1, "missing"),
    ]
    assert contents(tiny.root) == before
    assert "without-context-attention" in thesis("ablate", "tiny", "--dry-run", workspace=tiny).out


@pytest.mark.slow
def test_an_ablation_makes_what_is_missing_and_fills_its_chapter(thesis, valid, tiny):
    assert thesis("run", "tiny", "--no-sync", workspace=tiny).code == 0
    with reserved(tiny, matrix("tiny", tiny)[1]):  # as another process would
        data = valid(thesis("ablate", "tiny", "--no-sync", "--json", workspace=tiny))
        assert [row["state"] for row in data["rows"]] == ["there", "at work"]
    data = valid(thesis("ablate", "tiny", "--json", workspace=tiny))
    assert [(row["run"], row["state"]) for row in data["rows"]] == [
        ("tiny@1", "there"),
        ("tiny-without-context-attention@1", "made"),
    ]
    base, other = data["rows"]
    assert (base["delta"], other["delta"]) == (None, other["value"] - base["value"])
    assert other["parameters"] < base["parameters"]
    chapter = tiny.vault / "05-Results" / "Ablation-Study.md"
    assert "[[tiny-without-context-attention@1" in chapter.read_text(encoding="utf-8")
    again = thesis("ablate", "tiny", workspace=tiny)
    assert "made" not in again.out
    assert "thesis compare tiny@1 tiny-without-context-attention@1" in again.out


@pytest.mark.parametrize(
    ("change", "typed"),
    [
        ("train.epochs=2", "train.epochs=2"),
        ("stages=[train,evaluate]", '"stages=[train,evaluate]"'),
        ("title=Deux mots", '"title=Deux mots"'),
        ('title="Deux"', "'title=\"Deux\"'"),
    ],
)
def test_going_on_is_typed_so_that_any_shell_takes_it(change, typed):
    told = repetition("v2-ultra", [change], 3, build_up=True)
    assert told == f"thesis ablate v2-ultra --build-up --set {typed} --seeds 3"


def test_ablating_what_has_no_switches_names_what_has(thesis, workspace):
    answer = thesis("ablate", "v1", "--dry-run", workspace=workspace)
    assert answer.code == 2
    assert "v2-ultra" in answer.err


def test_a_look_at_a_run_at_work(thesis, valid, workspace, make_run):
    run = make_run(workspace, status="interrupted", recipe={"train.epochs": 9})
    heartbeat.beat(run.folder)
    data = valid(thesis("monitor", "--json", workspace=workspace))
    assert (data["run"], data["status"], data["epoch"]) == ("v1@1", "running", 5)
    shown = thesis("monitor", "v1", "--once", workspace=workspace)
    assert "v1@1 (running)" in shown.out
    assert "epoch 5 of 9" in shown.out
    assert "CPU" in shown.out
    assert "█" in shown.out


def test_watching_ends_with_the_run(thesis, workspace, make_run):
    make_run(workspace)
    assert "v1@1 (sealed" in thesis("monitor", workspace=workspace).out


def test_monitoring_nothing_says_what_to_type(thesis, workspace):
    answer = thesis("monitor", workspace=workspace)
    assert answer.code == 3
    assert "thesis run v1" in answer.err


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([1.0, 2.0], "▁█"), ([3.0, 3.0], "▁▁"), ([0, 0, 8, 8], "▁█"), ([5.0], "▁")],
)
def test_curves_are_drawn_from_lowest_to_highest(values, drawn):
    assert spark(values, width=2) == drawn


def test_curves_fit_the_terminal():
    found = [TrainingCurve(name="mean_ap", at=(1, 2, 3), values=(1.23456e-05, 0.98765, 1.5e-05))]
    (line,) = curves(found, 80 - BESIDE)
    assert len(line) <= 80


@pytest.mark.slow
def test_a_training_keeps_its_log_in_the_vault(thesis, tiny, monkeypatch):
    monkeypatch.setenv("THESIS_REPORT_PROGRESS_EVERY", "1")
    note = tiny.vault / "Technical-Notes/Model-Pipeline/tiny_monitor.md"
    real, seen = progress_log.write, []

    def write(*arguments):
        reasons = real(*arguments)
        seen.append(note.read_text(encoding="utf-8"))
        return reasons

    monkeypatch.setattr(progress_log, "write", write)
    words = ("run", "tiny", "--set", "train.epochs=3", "--stage", "train")
    answer = thesis(*words, workspace=tiny)
    assert answer.code == 0, answer.err
    assert "not written" not in answer.err
    assert [f"epoch {done} of 3" in text for done, text in enumerate(seen, 1)] == [True, True]
    assert all("Provisional" in text for text in seen)
    assert "Provisional" not in note.read_text(encoding="utf-8")
    assert "The latest sealed training is [[tiny@1]]" in note.read_text(encoding="utf-8")
    thesis(*words, "--new", "--no-sync", workspace=tiny)
    assert len(seen) == 2


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (59.6, "0:01:00"), (3723, "1:02:03")])
def test_time_left_is_written_as_on_a_clock(seconds, text):
    assert duration(seconds) == text
