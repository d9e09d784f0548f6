"""Train a tiny student by two teachers, alone or under torchrun: FOLDER DATA PICTURES."""

import json
import sys
from pathlib import Path

import torch

from featherface.data.widerface import open_split
from featherface.distillation import Teacher
from featherface.networks.detector import build
from featherface.training.config import TrainConfig
from featherface.training.distill_config import DistillConfig, Phase
from featherface.training.loop import train
from featherface.variants import variant

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


def main(folder, data, pictures):
    torch.set_num_threads(1)
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
    )
    made = [build(variant("v3-nano"), seed=seed) for seed in (1, 2, 3)]
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
