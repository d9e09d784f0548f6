"""Train a tiny student by two teachers, alone or under torchrun: FOLDER DATA PICTURES.

Once in double precision, where only faults are seen, and once in single, as people train.
"""

import json
import sys
from pathlib import Path

import torch

from featherface.data.widerface import open_split
from featherface.losses.config import LossConfig
from featherface.networks.detector import build
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.terms import Teacher
from featherface.training.loop import train
from featherface.variants.table import variant

LESSON = DistillConfig(
    teacher="v1",
    teachers=("x",),
    learn_shares=True,
    confidence=0.4,
    self_weight=0.5,
    temporal_weight=0.5,
    phases=(
        Phase(until=0.5, feature_weight=1, attention_weight=1, cross_scale_weight=1),
        Phase(until=1),
    ),
)
PRECISIONS = {"double": torch.float64, "single": torch.float32}


def student(precision):
    """Return the untrained student."""
    return detector(1, precision)


def detector(seed, precision):
    """Return the network of SEED, which computes in PRECISION whatever pictures it is given."""
    made = build(variant("v3-nano"), seed=seed).to(PRECISIONS[precision])
    made.backbone.register_forward_pre_hook(lambda _, given: (given[0].to(PRECISIONS[precision]),))
    return made


def main(folder, data, pictures):
    """Train in each of PRECISIONS in the folder of its name."""
    torch.set_num_threads(1)
    for precision, dtype in PRECISIONS.items():
        made = [detector(seed, precision) for seed in (1, 2, 3)]
        torch.set_default_dtype(dtype)
        try:
            train_by(made, folder / precision, data, pictures)
        finally:
            torch.set_default_dtype(torch.float32)


def train_by(made, folder, data, pictures):
    """Train the first network of MADE by the others; leave the events beside the weights."""
    config = TrainConfig(
        epochs=2,
        batch_size=pictures,
        image_size=64,
        log_every=1,
        ema=0.9,
        clip=1.0,
        views=1,
        optimizer="sgd",
        lr=1e-2,
        device="cpu",
        loss=LossConfig(hard_weight=2.0, small_weight=1.5),
    )
    events = []
    train(
        made[0],
        open_split(data, "train"),
        config,
        folder=folder,
        teacher=Teacher(made[1], "v1@1", LESSON, (made[2],)),
        on_event=events.append,
        evaluate=lambda _, epoch: {"ap": 1 / epoch},
    )
    if events:
        (folder / "events.json").write_text(json.dumps(events), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
