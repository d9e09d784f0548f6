"""The finished workspace: two short trainings, a vault, a chapter with bound numbers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from evidence_parts.verbs import call

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[milestones.small]
title = "The student is small"
predicate = "v2 params.total < 200_000"

[milestones.ultra-small]
title = "The ultra-light student is small"
predicate = "v2-ultra params.total < 250_000"
"""
RECIPE = """\
# {title}
extends: v3-nano
title: {title}
model: {{variant: v3-nano, weights: {weights}}}
data: {{root: pictures, labels: null}}
distill: {{teacher: {teacher}}}
stages: [train, evaluate, benchmark]
train:
  epochs: {epochs}
  batch_size: 4
  image_size: 64
  optimizer: adamw
  lr: 0.004
  schedule: onecycle
  warmup: 0.15
  landmark_weight: 0.2
  augmentations: [crop, mirror]
  crop_scales: [0.8, 1.0]
  workers: 0
  device: cpu
benchmark: {{image_size: 64, runs: 3, warmup: 1}}
"""
WEIGHTS = "runs/v1/001/checkpoints/best.safetensors"
RECIPES = {
    "v1": {"title": "The teacher", "teacher": "null", "weights": "null", "epochs": 10},
    "v2": {"title": "The student", "teacher": "v1", "weights": WEIGHTS, "epochs": 3},
}
DISCUSSION = "05-Results/Discussion.md"
CHAPTER = """\
# Discussion

The student reaches <!--t:v2 widerface.mean_ap .1%--><!--/t--> with \
<!--t:v2 params.total--><!--/t--> parameters, the teacher \
<!--t:v1 widerface.mean_ap .1%--><!--/t-->.

Nothing else is claimed here.
"""


class UnfinishedError(Exception):
    """The workspace could not be made."""


def make(root: Path) -> None:
    """Make the workspace at ROOT through the command line."""
    root.parent.mkdir(parents=True, exist_ok=True)
    done(root, "init", str(root), workspace=False)
    with (root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    size = ["--image-size", "64", "--train-images", "40", "--val-images", "16"]
    done(root, "data", "synth", str(root / "pictures"), *size)
    for name, values in RECIPES.items():
        text = RECIPE.format(**values)
        (root / "experiments" / f"{name}.yaml").write_text(text, encoding="utf-8")
        done(root, "run", name, "--no-sync")
    write_up(root)


def write_up(root: Path) -> None:
    """Write the chapter of the workspace at ROOT, bind its numbers, fill the vault."""
    chapter = root / "vault" / DISCUSSION
    chapter.parent.mkdir(parents=True, exist_ok=True)
    chapter.write_text(CHAPTER, encoding="utf-8", newline="\n")
    done(root, "report", "sync")
    done(root, "check", "numbers", "--fix")
    done(root, "check", "numbers")


def done(root: Path, *words: str, workspace: bool = True) -> None:
    """Call `thesis WORDS`.

    Raises:
        UnfinishedError: it did not end well.
    """
    answer = call(root if workspace else root.parent, *words)
    if answer.code or answer.crashed:
        said = "\n".join(sorted(answer.said))
        raise UnfinishedError(f"thesis {' '.join(words)}: {answer.code} {answer.crashed}\n{said}")


def copied(finished: Path, to: Path) -> Path:
    """Copy the workspace FINISHED to the folder TO; return it."""
    shutil.copytree(finished, to, symlinks=True)
    return to
