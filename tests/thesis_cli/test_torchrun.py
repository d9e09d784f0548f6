"""`thesis run` under torchrun: one run, made by the first process and trained by all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from experiments.records.store import Store
from experiments.running.distributed import Launch, launch_command

TINY = """\
extends: smoke
data: {synthetic: {image_size: 64, train_images: 8, val_images: 2, largest_face: 40}}
train: {epochs: 2, batch_size: 2, image_size: 64, log_every: 1, optimizer: sgd, lr: 0.01}
"""
TRAIN_ONLY = ("--stage", "train", "--no-sync")


@pytest.fixture
def tiny(workspace):
    workspace.recipes.mkdir(exist_ok=True)
    (workspace.recipes / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return workspace


@pytest.fixture
def torchrun(tmp_path):
    """Start `thesis ARGUMENTS` in two processes; their output goes into files by rank."""

    def start(workspace, *arguments):
        logs = ["--redirects", "3", "--log-dir", str(tmp_path / "logs")]
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", *logs]
        command += ["--nproc-per-node", "2", "-m", "thesis_cli", *arguments]
        return subprocess.Popen(
            [*command, "--workspace", str(workspace.root)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    return start


def said(folder, rank):
    """Return what the process of RANK wrote, stdout first."""
    names = ("stdout.log", "stderr.log")
    found = [next(folder.glob(f"logs/*/attempt_0/{rank}/{name}"), None) for name in names]
    return "".join(one.read_text(encoding="utf-8") for one in found if one is not None)


def losses(run):
    return [event["loss"] for event in run.events("epoch")]


def test_a_process_of_several_is_known_by_what_torchrun_says(monkeypatch):
    assert Launch.from_environment() == Launch(0, 1)
    assert launch_command("thesis run v2 --resume") == "thesis run v2 --resume"
    told = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "here"}
    for name, value in {**told, "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    assert Launch.from_environment().processes == 1  # a cluster sets some of them, too
    monkeypatch.setenv("MASTER_PORT", "1")
    assert Launch.from_environment() == Launch(1, 2)
    assert Launch.from_environment().is_follower
    again = "torchrun --nproc-per-node 2 -m thesis_cli run v2 --resume"
    assert launch_command("thesis run v2 --resume") == again


@pytest.mark.slow
def test_two_processes_make_one_run(tiny, torchrun, thesis, tmp_path):
    seeds = ("--seeds", "2", "--json")  # two trainings, each with a group of its own
    with torchrun(tiny, "run", "tiny", *TRAIN_ONLY, *seeds) as process:
        told = process.stderr.read()
        assert process.wait() == 0, told + said(tmp_path, 0)
    assert said(tmp_path, 1) == ""
    assert "training in 2 processes" in said(tmp_path, 0)
    together = Store(tiny).runs("tiny")
    assert [run.status for run in together] == ["sealed", "sealed"]
    assert thesis("runs", "verify", "tiny@1", workspace=tiny).code == 0
    train = json.loads((together[0].folder / "results.json").read_text(encoding="utf-8"))
    assert train["details"]["train"]["processes"] == 2
    doubled = ("--set", "train.batch_size=4", "--new")
    assert thesis("run", "tiny", *TRAIN_ONLY, *doubled, workspace=tiny).code == 0
    alone = Store(tiny).runs("tiny")[-1]
    assert len(losses(alone)) == 2
    # Sums in another order, in float32 over four steps, as for two processes without the program.
    assert losses(together[0]) == pytest.approx(losses(alone), rel=1e-3)


@pytest.mark.slow
def test_a_refusal_ends_all_of_them(tiny, torchrun, tmp_path):
    with torchrun(tiny, "run", "tinny", *TRAIN_ONLY) as process:
        process.stderr.read()
        assert process.wait() == 1  # torchrun's own code
    assert "did you mean 'tiny'?" in said(tmp_path, 0)
    assert said(tmp_path, 1) == ""
    assert not Store(tiny).runs("tiny")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_an_interrupted_run_goes_on_in_as_many_processes_only(tiny, torchrun, thesis, tmp_path):
    long = ("run", "tiny", *TRAIN_ONLY, "--set", "train.epochs=500")
    with torchrun(tiny, *long) as process:
        until = time.monotonic() + 300
        while "train " not in said(tmp_path, 0).partition("processes")[2]:
            assert time.monotonic() < until, said(tmp_path, 0)
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait() != 0
    assert "next: torchrun --nproc-per-node 2 -m thesis_cli run tiny" in said(tmp_path, 0)
    assert said(tmp_path, 1) == ""
    (run,) = Store(tiny).runs("tiny")
    assert run.status == "interrupted"
    assert run.record.attempts[-1].outcome == "interrupted"
    answer = thesis(*long, "--resume", workspace=tiny)
    assert answer.code == 2
    assert "ran in 2 processes together, not in 1" in answer.err
