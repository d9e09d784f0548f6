"""The product itself, through its command line, as a student would use it on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from gpu_parts.answers import Answers, Setting

TEACHER = """\
extends: [v1, demo]
train:
  device: {device}
"""
STUDENT = """\
extends: [v2, demo]
model:
  dropblock: 0.05
train:
  device: {device}
  ema: 0.99
distill:
  teacher: teacher
  feature_weight: 0.5
"""
SMALL = ("--set", "train.epochs=1", "--set", "data.synthetic.train_images=16")
SMALLER = (*SMALL, "--set", "data.synthetic.val_images=4", "--set", "benchmark.runs=2")


def whole_run(setting: Setting, answers: Answers) -> None:
    """A teacher; its student with DropBlock, killed in mid-training, resumed; all stages."""
    root = workspace(setting, answers, "workspace")
    small = SMALLER if setting.rehearse else ()
    finish(answers, "teacher", thesis(root, "run", "teacher", *small, "--json"))
    killed = kill_in_training(root, small)
    answers.row("product", what="student, killed", outcome=killed)
    finish(answers, "student, resumed", thesis(root, "run", "student", "--resume", "--json"))
    finish(answers, "verify", thesis(root, "runs", "verify", "--json"))
    finish(answers, "compare", thesis(root, "compare", "teacher", "student", "--format", "json"))


def half_precision(setting: Setting, answers: Answers) -> None:
    """The same student in half precision, as far as the device has it."""
    root = workspace(setting, answers, "workspace-half")
    small = SMALLER if setting.rehearse else ("--set", "train.epochs=3")
    finish(answers, "teacher", thesis(root, "run", "teacher", *small, "--json"))
    for amp in ("bf16",) if setting.rehearse else ("fp16", "bf16"):
        half = ("--set", f"train.amp={amp}", "--new", "--json")
        finish(answers, f"student in {amp}", thesis(root, "run", "student", *small, *half))


def two_processes(setting: Setting, answers: Answers) -> None:
    """A run under torchrun on two GPUs, where there are two."""
    if not setting.rehearse and torch.cuda.device_count() < 2:
        answers.add(skipped=f"{torch.cuda.device_count()} GPU: two processes want two")
        return
    root = workspace(setting, answers, "workspace-together")
    together = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    small = SMALLER if setting.rehearse else ("--set", "train.epochs=3")
    finish(answers, "teacher on two", thesis(root, "run", "teacher", *small, "--json", by=together))


def workspace(setting: Setting, answers: Answers, name: str) -> Path:
    root = setting.output / name
    if not (root / "thesis.toml").is_file():
        finish(answers, "init", thesis(setting.output, "init", name, "--json"))
    device = setting.name if setting.rehearse else "auto"
    for recipe, text in (("teacher", TEACHER), ("student", STUDENT)):
        path = root / "experiments" / f"{recipe}.yaml"
        path.write_text(text.format(device=device), encoding="utf-8")
    return root


def thesis(
    folder: Path, *words: str, by: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(by or []), "-m", "thesis_cli", *words]
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    done.seconds = time.perf_counter() - begun
    return done


def finish(answers: Answers, what: str, done: subprocess.CompletedProcess[str]) -> None:
    """Note how a command ended, and what it measured."""
    lines = done.stderr.strip().splitlines()
    print(what, done.returncode, done.stdout, done.stderr, sep="\n", flush=True)
    answers.row(
        "product",
        what=what,
        outcome=f"exit {done.returncode}",
        seconds=done.seconds,
        last_words=lines[-1] if lines and done.returncode else "",
    )
    for metric in metrics_of(done.stdout):
        answers.row("measured", of=what, **metric)


def metrics_of(stdout: str) -> list[dict[str, Any]]:
    try:
        data = json.loads(stdout)["data"]
    except (ValueError, KeyError, TypeError):
        return []
    runs = data.get("runs", []) if isinstance(data, dict) else []
    found = [metric for run in runs for metric in run.get("metrics", [])]
    keys = ("name", "value", "unit", "protocol", "device", "precision")
    return [{key: one[key] for key in keys if one.get(key) not in (None, "")} for one in found]


def kill_in_training(root: Path, small: tuple[str, ...]) -> str:
    """Start the student, kill it once a checkpoint is there; say what happened."""
    command = [sys.executable, "-m", "thesis_cli", "run", "student", *small]
    log = root / "killed.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, cwd=root, stdout=stream, stderr=stream)
        end = time.monotonic() + 150
        while process.poll() is None and time.monotonic() < end:
            if list((root / "runs" / "student").glob("*/checkpoints/state.pt")):
                process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
                process.wait()
                return "killed after its first checkpoint"
            time.sleep(0.05)
        ended = process.poll() is not None
        process.kill()
        process.wait()
    tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return f"{'ended by itself' if ended else 'no checkpoint in 150 s'}: {' '.join(tail)}"
