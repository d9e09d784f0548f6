"""A run that is killed 25 times at random moments ends as one that nobody disturbed."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.recipe.resolve import resolve
from experiments.records.seal import verify
from experiments.records.store import Store
from experiments.running import runner
from experiments.workspace.workspace import Workspace

SCRIPT = Path(__file__).with_name("killing_script.py")
KILLS = 25
SMALL = [
    "data.synthetic.image_size=64",
    "data.synthetic.train_images=6",
    "data.synthetic.val_images=2",
    "data.synthetic.largest_face=40",
    "train.image_size=64",
    "train.batch_size=2",
    "train.device=cpu",
    "train.log_every=1",
    "benchmark.image_size=64",
    "benchmark.runs=1",
    "benchmark.warmup=0",
    "stages=[train,evaluate,benchmark]",
]
EVERYTHING = [
    "model.variant=v3-nano",
    "train.epochs=12",
    "train.evaluate_every=2",
    "train.patience=4",
    "train.ema=0.9",
    "train.accumulate=2",
    "train.image_size=96",
    "train.progressive=[64,96]",
    "train.multi_scale=[0.67,1.0]",
    "train.curriculum=0.5",
    "train.augmentations=[zoom-crop,distort,pad,mosaic,mixup,cutmix,compose,mirror,erase]",
    "distill.teacher=teacher@1",
    "distill.self_weight=0.5",
    "distill.self_decay=0.9",
    "distill.feature_weight=1",
    "distill.attention_weight=1",
    "distill.cross_scale_weight=1",
    "distill.phases=[{until: 0.5, temperature: 6}, {until: 1, temperature: 2, alpha: 0.3}]",
]
CLOCKED = ("seconds", "loading", "images")
"""What depends on the clock, or on how many pictures this very process saw."""


def told(run):
    return [
        {key: value for key, value in event.items() if key not in CLOCKED}
        for event in run.events()
        if event["kind"] in ("step", "epoch")
    ]


def tensors(path):
    """Return the weights' bytes without the metadata, which names the run."""
    content = path.read_bytes()
    return content[8 + int.from_bytes(content[:8], "little") :]


def scores(run):
    timed = ("latency", "throughput")
    return {one.name: one.value for one in run.metrics if not one.name.startswith(timed)}


def table(run):
    with (run.folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: value for key, value in row.items() if key not in CLOCKED} for row in rows]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs fork and SIGKILL")
def test_a_run_killed_25_times_ends_as_one_that_nobody_disturbed(tmp_path):
    workspace = Workspace.create(tmp_path / "thesis")
    teacher = ["model.variant=v2", "train.epochs=1", "name=teacher"]
    runner.run(workspace, resolve("smoke", workspace, [*SMALL, *teacher]))
    command = [sys.executable, str(SCRIPT), str(workspace.root), str(KILLS), "7"]
    done = subprocess.run(
        [*command, *SMALL, *EVERYTHING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    kills, steps = map(int, done.stdout.split())
    assert kills == KILLS
    store = Store(workspace)
    whole, killed = store.find("whole"), store.find("killed")
    assert [one.status for one in store.runs()] == ["sealed"] * 3
    assert verify(killed.folder) == []
    assert len(killed.record.attempts) == KILLS + 1
    for name in ("last.safetensors", "best.safetensors"):
        paths = [run.folder / "checkpoints" / name for run in (whole, killed)]
        assert tensors(paths[0]) == tensors(paths[1])
    assert told(killed) == told(whole)
    assert table(killed) == table(whole)
    assert scores(killed) == scores(whole)
    assert [event["epoch"] for event in killed.events("epoch")] == list(range(1, 11)), (
        "no early end"
    )
    assert max(event["step"] for event in killed.events()) <= steps
