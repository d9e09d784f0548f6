"""Data, teachers and disks that can't do: `thesis run` says so, and says what to do next."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from featherface.networks.detector import build
from featherface.training import state
from featherface.variants.table import variant

STAGE = ("--stage", "train", "--no-sync")
SMALL = {
    "data.root": "mine",
    "model.variant": "v3-nano",
    "train.epochs": 2,
    "train.batch_size": 2,
    "train.image_size": 64,
    "train.device": "cpu",
    "train.log_every": 1,
}


@pytest.fixture
def mine(small_set, workspace):
    """A set of the student's own, which a test may break; `mine` in thesis.toml."""
    root = shutil.copytree(small_set, workspace.root / "set")
    toml = workspace.root / "thesis.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("[data]", '[data]\nmine = "set"'), encoding="utf-8")
    return root


@pytest.fixture
def train(thesis, workspace):
    """Run `smoke` on the set, with changes; more words go to the command as they are."""

    def call(*words, **changes):
        merged = SMALL | {key.replace("__", "."): value for key, value in changes.items()}
        sets = [part for key, value in merged.items() for part in ("--set", f"{key}={value}")]
        return thesis("run", "smoke", *sets, *STAGE, *words, workspace=workspace)

    return call


def next_step(answer):
    """Return what the message tells to do."""
    (line,) = [one for one in answer.err.splitlines() if one.startswith("  next: ")]
    return line.removeprefix("  next: ")


def error(answer):
    (line,) = [one for one in answer.err.splitlines() if one.startswith("error: ")]
    return line.removeprefix("error: ")


def rewrite(root, change):
    """Change every line of faces in the train annotations of ROOT."""
    for file in root.rglob("*train*.txt"):
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    for file in root.rglob("label.txt"):
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def faceless(text):
    """Leave the pictures and no face."""
    if text.startswith("#"):
        return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("#"))
    names = [line for line in text.splitlines() if line.endswith(".jpg")]
    return "".join(f"{name}\n0\n0 0 0 0 0 0 0 0 0 0 \n" for name in names)


def test_a_dataset_without_faces(train, mine, workspace):
    rewrite(mine, faceless)
    answer = train()
    assert answer.code == 4
    assert "no face" in error(answer)
    assert next_step(answer)


def test_a_single_picture_is_enough(train, mine):
    answer = train("--json", data__train_limit=1)
    assert answer.code == 0, answer.err
    assert answer.data["runs"][0]["status"] == "sealed"


def test_faces_without_landmarks_train_and_say_what_is_missing(train, mine, workspace):
    for file in mine.rglob("label.txt"):
        file.unlink()
    answer = train("--json")
    assert answer.code == 0, answer.err
    assert "no face of the train split has landmarks" in answer.err
    assert "label.txt" in answer.err
    folder = workspace.runs / "smoke" / "001"
    details = json.loads((folder / "results.json").read_text(encoding="utf-8"))["details"]["train"]
    assert details["landmarks"] == 0
    assert sum(details["sizes"]["faces"]) > 0
    warnings = json.loads((folder / "record.json").read_text(encoding="utf-8"))["warnings"]
    assert any("landmarks" in one for one in warnings)


@pytest.mark.parametrize("name", ["retinaface-1mb", "v2-vit"])
def test_a_teacher_with_other_anchors(train, mine, workspace, name):
    weights = workspace.root / "teacher.pth"
    torch.save(build(variant(name), seed=0).state_dict(), weights)
    answer = train(distill__teacher_variant=name, distill__teacher_weights="teacher.pth")
    assert answer.code == 2
    assert "the teacher teacher.pth has other priors than the student" in error(answer)
    assert str(list(variant(name).prior_sizes[0])) in error(answer)
    assert "--set model.prior_sizes=[[" in next_step(answer)
    assert not list(workspace.runs.rglob("record.json"))


def test_a_teacher_of_another_input_size(train, mine, workspace):
    weights = workspace.root / "teacher.pth"
    torch.save(build(variant("v2"), seed=0).state_dict(), weights)
    taught = {"distill__teacher_variant": "v2", "distill__teacher_weights": "teacher.pth"}
    answer = train("--json", train__image_size=96, **taught)
    assert answer.code == 0, answer.err  # the priors follow the pictures, whatever it learnt at


def test_a_loss_that_turns_to_nan(train, mine, workspace):
    answer = train(train__lr=1e30, train__clip=0, train__warmup=0, train__schedule="constant")
    assert answer.code == 6
    assert "the loss is nan" in error(answer) or "the loss is inf" in error(answer)
    assert "train.lr" in next_step(answer)
    batch = workspace.runs / "smoke" / "001" / "checkpoints" / "bad_batch.pt"
    assert str(batch) in error(answer)
    assert torch.load(batch, weights_only=True)["paths"]


def test_a_disk_that_fills_while_a_checkpoint_is_written(train, mine, workspace, monkeypatch):
    folder = workspace.runs / "smoke" / "001" / "checkpoints"
    real, saves, kept = torch.save, [], []

    def full_at_the_second(content, path, *rest, **options):
        saves.append(path)
        if len(saves) == 2:
            path.write_bytes(b"half of a checkpoint")
            kept.append((folder / state.STATE).read_bytes())
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        real(content, path, *rest, **options)

    with monkeypatch.context() as patched:
        patched.setattr(state.torch, "save", full_at_the_second)
        answer = train(train__epochs=3)
    assert answer.code == 4
    assert "No space left" in error(answer)
    assert "free some space" in next_step(answer)
    assert [(folder / state.STATE).read_bytes()] == kept
    assert not [one for one in folder.iterdir() if one.name.endswith(".tmp")]
    again = train("--resume", "--json", train__epochs=3)
    assert again.code == 0, again.err
    assert "going on after epoch 1 of 3" in again.err


def hold(monkeypatch, operation, name):
    """Let another program hold the file NAME."""
    real = getattr(os, operation)

    def refuse(*paths, **more):
        if Path(os.fsdecode(paths[-1])).name == name:
            raise PermissionError(errno.EACCES, "used by another process", name)
        return real(*paths, **more)

    monkeypatch.setattr(os, operation, refuse)


def test_a_heartbeat_that_is_held_at_the_end_keeps_no_run_from_the_vault(
    thesis, mine, workspace, monkeypatch
):
    sets = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]
    with monkeypatch.context() as patched:
        hold(patched, "unlink", "heartbeat.json")
        answer = thesis("run", "smoke", *sets, "--stage", "train", "--json", workspace=workspace)
    assert answer.code == 0, answer.err
    assert answer.data["runs"][0]["status"] == "sealed"
    assert "Technical-Notes/Model-Pipeline/smoke_monitor.md" in answer.data["sync"]["written"]
    assert thesis("runs", "verify", workspace=workspace).code == 0


def test_results_that_are_held_name_the_holder_and_the_command_that_goes_on(
    train, mine, workspace, monkeypatch
):
    with monkeypatch.context() as patched:
        hold(patched, "replace", "results.json")
        answer = train()
    assert answer.code == 4
    path = workspace.runs / "smoke" / "001" / "results.json"
    assert f"{path} is in use by OneDrive.exe (process 4242): waiting for it" in answer.err
    assert error(answer).startswith(f"can't write {path}: it is in use by OneDrive.exe")
    assert "exclude the folder from the virus scanner, then: thesis run smoke" in next_step(answer)
    assert "space" not in next_step(answer)
    *_, command = next_step(answer).partition("then: thesis ")
    assert command.endswith("--resume")
    again = train("--resume", "--json")
    assert again.code == 0, again.err
    assert again.data["runs"][0]["run"] == "smoke@1"
    assert [run["status"] for run in again.data["runs"]] == ["sealed"]
    assert path.is_file()
