"""What people type at two in the morning: each answer is true, and its advice works."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest

from experiments.recipe.resolve import resolve
from thesis_cli import errors
from thesis_cli.commands.run import resumption
from thesis_cli.wording import quantity


def refused(answer, code, *words):
    """Check the exit code and that the message says what it should."""
    assert answer.code == code, answer.err
    for word in words:
        assert str(word) in answer.err


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train=3", ["train is a section", "--set train.epochs=VALUE"]),
        ("seed=99999999999999999999", ["99999999999999999999", "from 0 to"]),
        ("seed=2026-01-01", ["2026-01-01", "a whole number"]),
        ("primary_metric=widerface.mean", ["did you mean 'widerface.mean_ap'"]),
    ],
)
def test_a_value_that_will_not_do(thesis, workspace, override, words):
    refused(thesis("run", "v1", "--dry-run", "--set", override, workspace=workspace), 2, *words)


@pytest.mark.parametrize(
    ("line", "said"),
    [("train:", "train is empty"), ("seed: 2026-01-01", "2026-01-01"), ("seed: true", "is true")],
)
def test_values_of_a_recipe_are_told_as_they_were_written(thesis, workspace, line, said):
    (workspace.recipes / "mine.yaml").write_text(f"extends: v1\n{line}\n", encoding="utf-8")
    answer = thesis("run", "mine", "--dry-run", workspace=workspace)
    refused(answer, 2, "mine.yaml", said)
    assert "None" not in answer.err
    assert "datetime" not in answer.err


def test_resume_and_new_exclude_each_other(thesis, workspace):
    refused(thesis("run", "v1", "--resume", "--new", workspace=workspace), 2, "exclude")


@pytest.mark.parametrize("name", ["../v1", "mon modèle", "a:b"])
def test_nobody_is_told_to_write_a_recipe_of_an_impossible_name(thesis, workspace, name):
    answer = thesis("run", name, workspace=workspace)
    refused(answer, 3, name)
    assert ".yaml" not in answer.err


def test_names_that_differ_only_in_case_would_share_a_folder(thesis, workspace, make_run):
    make_run(workspace, "mine")
    (workspace.recipes / "Mine.yaml").write_text("extends: v1\n", encoding="utf-8")
    answer = thesis("run", "Mine", "--dry-run", workspace=workspace)
    refused(answer, 2, "'Mine'", "'mine'", "only in case")


@pytest.mark.parametrize("content", ["é".encode("latin-1"), "é".encode("utf-16")])
def test_files_that_are_not_utf8_tell_what_to_do(thesis, workspace, content):
    (workspace.recipes / "mine.yaml").write_bytes(content)
    refused(thesis("run", "mine", workspace=workspace), 2, "mine.yaml", "save it again", "UTF-8")
    (workspace.root / "thesis.toml").write_bytes(content)
    refused(thesis("runs", "list", workspace=workspace), 2, "thesis.toml", "save it again")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r'vault = "C:\Users\me"', ["not valid TOML", "single quotes"]),
        ('vault = " "', ["vault is empty"]),
        ('language = "de"', ["'de'", "fr, en"]),
        ('titel = "x"', ["did you mean 'title'", "correct or remove"]),
        ("report.progress_every = -3", ["a whole number from 0, not -3", "progress_every = 10"]),
        ("report.progress_every = true", ["a whole number from 0, not True"]),
    ],
)
def test_settings_that_will_not_do(thesis, workspace, line, words):
    (workspace.root / "thesis.toml").write_text(line, encoding="utf-8")
    refused(thesis("config", "show", workspace=workspace), 2, *words)


def test_the_settings_file_stands_for_its_workspace(thesis, workspace):
    file = workspace.root / "thesis.toml"
    assert thesis("--workspace", str(file), "runs", "list").code == 0


def test_a_run_is_not_compared_with_itself(thesis, workspace, make_run):
    make_run(workspace, "v1")
    refused(thesis("compare", "v1", "@last", workspace=workspace), 2, "v1@1", "twice")


def test_problems_stand_below_the_run_they_belong_to(thesis, workspace, make_run):
    first = make_run(workspace, "v1")
    make_run(workspace, "v1")
    (first.folder / "log.txt").write_text("changed", encoding="utf-8")
    lines = thesis("runs", "verify", workspace=workspace).out.splitlines()
    assert lines[0].startswith("v1@1: NOT what was sealed")
    assert lines[1].strip().startswith("log.txt")
    assert lines[2] == "v1@2: intact"


def test_showing_a_changed_record_says_so(thesis, workspace, make_run):
    run = make_run(workspace, "v1")
    assert thesis("runs", "show", "v1", workspace=workspace).err == ""
    (run.folder / "log.txt").write_text("changed", encoding="utf-8")
    answer = thesis("runs", "show", "v1", workspace=workspace)
    assert answer.code == 0
    assert "v1@1 was changed" in answer.err


def test_sync_tells_each_reason_once_on_a_line_of_its_own(thesis, workspace, make_run):
    run = make_run(workspace, "v1")
    assert thesis("report", "sync", workspace=workspace).code == 0
    (run.folder / "log.txt").write_text("changed", encoding="utf-8")
    answer = thesis("report", "sync", workspace=workspace)
    refused(answer, 7, "v1@1")
    lines = answer.err.splitlines()
    assert len(lines) > 2
    assert len(lines) == len(set(lines))


def test_the_set_that_was_drawn_is_the_one_described(thesis, workspace):
    refused(thesis("data", "stats", workspace=workspace), 4, "thesis data synth")
    small = ("--train-images", "2", "--val-images", "3", "--image-size", "64")
    for seed in ("1", "2"):
        assert thesis("data", "synth", *small, "--seed", seed, workspace=workspace).code == 0
    answer = thesis("data", "stats", "--json", workspace=workspace)
    assert answer.data["images"] == 3


def test_bytes_that_are_no_checkpoint(thesis, tmp_path):
    for name, content in (("a.pth", b"abc"), ("b.jpg", b"\xff\xd8\xff\xe0junk"), ("c.pth", b"")):
        (tmp_path / name).write_bytes(content)
        answer = thesis("detect", "x.jpg", "--variant", "v1", "--weights", str(tmp_path / name))
        refused(answer, 4, name, "can't be read")
        assert "unforeseen" not in answer.err


def test_an_undefined_value_is_said_to_be():
    assert quantity(float("nan"), "fraction") == "undefined"


@pytest.mark.parametrize(
    ("system", "number", "left"),
    [("posix", errno.EPIPE, True), ("nt", errno.EINVAL, True), ("posix", errno.EINVAL, False)],
)
def test_a_reader_that_left_is_known_on_every_system(monkeypatch, system, number, left):
    monkeypatch.setattr(errors, "os", SimpleNamespace(name=system))
    assert errors.reader_left(OSError(number, "")) is left


def test_an_interrupted_run_names_the_command_that_goes_on(workspace):
    changes = ["train.epochs=2", "title=Deux mots"]
    plan = resolve("v1", workspace, [*changes, "seed=3"])
    assert resumption(plan, changes, ["train"]) == (
        'thesis run v1 --set train.epochs=2 --set "title=Deux mots" --stage train --seed 3 --resume'
    )


def test_a_folder_to_sync_to_that_is_not_there(thesis, workspace):
    answer = thesis("report", "sync", "--to", "nowhere", workspace=workspace)
    refused(answer, 3, "nowhere", "make that folder first")


def test_a_new_workspace_is_not_sent_into_days_of_training(thesis, tmp_path):
    answer = thesis("init", tmp_path / "mine")
    assert answer.code == 0
    assert "then       thesis run smoke" in answer.out
